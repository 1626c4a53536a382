/** `completion SHELL` and `man`: made from the definitions of the commands. */

import { Argument, type Command } from "commander";
import { modelOf } from "./command_model.ts";
import { COMPLETION_SCRIPTS } from "./completion_scripts.ts";
import { manPage } from "./man_page.ts";
import { write } from "./output.ts";

/** Adds `completion`. */
export function registerCompletion(program: Command): void {
  program.command("completion")
    .summary("print a script that completes command lines")
    .description(
      "Prints a script that completes command lines in a shell: in bash, " +
        "source <(raft-snapshots completion bash).",
    )
    .addArgument(
      new Argument("<SHELL>", "the shell")
        .choices(Object.keys(COMPLETION_SCRIPTS)),
    )
    .action(async (shell: string) => {
      await writeText(COMPLETION_SCRIPTS[shell]?.(modelOf(program)) ?? "");
    });
}

/** Adds `man`; `notes` is the text of the help beside the commands. */
export function registerMan(program: Command, notes: string): void {
  program.command("man")
    .summary("print the manual page")
    .description(
      "Prints the manual page: raft-snapshots man > raft-snapshots.1.",
    )
    .action(() => writeText(manPage(modelOf(program), notes)));
}

async function writeText(text: string): Promise<void> {
  await write(new TextEncoder().encode(text));
}
