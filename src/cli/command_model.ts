/**
 * The command line as data, for the texts that are generated from it: the
 * completion of shells and the man page.
 */

import type { Command, Option } from "commander";

/** An option. */
export interface OptionModel {
  /** Such as `--keep-last`. */
  readonly flag: string;
  /** The placeholder of its value, such as `N`; `undefined` for a switch. */
  readonly value: string | undefined;
  /** The only values that it takes; empty when there are others. */
  readonly choices: readonly string[];
  readonly description: string;
}

/** A command, or the program itself with the options of all commands. */
export interface CommandModel {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  /** Such as `<DIR> [ID]`. */
  readonly usage: string;
  readonly options: readonly OptionModel[];
}

/** The whole command line. */
export interface ProgramModel extends CommandModel {
  readonly version: string;
  readonly commands: readonly CommandModel[];
}

/** Reads the definitions. */
export function modelOf(program: Command): ProgramModel {
  return {
    ...commandModel(program),
    usage: "[OPTIONS] COMMAND ...",
    version: program.version() ?? "",
    commands: program.commands.map(commandModel),
  };
}

function commandModel(command: Command): CommandModel {
  return {
    name: command.name(),
    summary: command.summary() || command.description(),
    description: command.description(),
    usage: command.registeredArguments.map((argument) => {
      const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
      return argument.required ? `<${name}>` : `[${name}]`;
    }).join(" "),
    options: [
      ...command.options.filter(({ hidden }) => !hidden).flatMap(optionModel),
      {
        flag: "--help",
        value: undefined,
        choices: [],
        description: "display help for command",
      },
    ],
  };
}

function optionModel(option: Option): OptionModel[] {
  const { long, flags, argChoices = [], description } = option;
  if (long === null || long === undefined) return [];
  const [, value] = /[<[](.*)[>\]]$/.exec(flags) ?? [];
  return [{ flag: long, value, choices: argChoices, description }];
}
