/** The manual page, from the definitions of the commands. */

import type {
  CommandModel,
  OptionModel,
  ProgramModel,
} from "./command_model.ts";

/** The page in the language of `man`(7); `notes` are the program's own. */
export function manPage(program: ProgramModel, notes: string): string {
  const { name, version, commands, options, summary } = program;
  const [description = "", exitCodes = ""] = notes.split("Exit codes:\n");
  return [
    `.TH ${name.toUpperCase()} 1 "" "${name} ${version}"`,
    ".SH NAME",
    `${escape(name)} \\- ${escape(lowerFirst(summary))}`,
    ".SH SYNOPSIS",
    `.B ${escape(name)}`,
    escape("[OPTIONS] COMMAND ..."),
    ".SH DESCRIPTION",
    ...paragraphs(description),
    ".SH OPTIONS",
    "They may stand before or after the command.",
    ...options.flatMap(describeOption),
    ".SH COMMANDS",
    ...commands.flatMap(describeCommand),
    ".SH EXIT STATUS",
    ".nf",
    ...exitCodes.trimEnd().split("\n").map(escape),
    ".fi",
  ].map((line) => `${line}\n`).join("");
}

function describeCommand(command: CommandModel): string[] {
  return [
    `.SS ${escape(`${command.name} ${command.usage}`.trim())}`,
    ...paragraphs(command.description),
    ...command.options.filter(({ flag }) => flag !== "--help")
      .flatMap(describeOption),
  ];
}

function describeOption(
  { flag, value, choices, description }: OptionModel,
): string[] {
  const argument = value === undefined ? "" : ` \\fI${escape(value)}\\fR`;
  const among = choices.length === 0 ? "" : ` (one of: ${choices.join(", ")})`;
  return [
    ".TP",
    `\\fB${escape(flag)}\\fR${argument}`,
    escape(description + among),
  ];
}

function paragraphs(text: string): string[] {
  return text.trim().split(/\n\s*\n/).flatMap((paragraph) => [
    ".PP",
    escape(paragraph.replace(/\s*\n\s*/g, " ")),
  ]);
}

/** A backslash begins an escape, and a dot or a quote at the start a macro. */
function escape(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-")
    .replace(/^[.']/, "\\&$&");
}

function lowerFirst(text: string): string {
  return (text.charAt(0).toLowerCase() + text.slice(1)).replace(/\.$/, "");
}
