/** Scripts that complete command lines, for each shell that has a common one. */

import type {
  CommandModel,
  OptionModel,
  ProgramModel,
} from "./command_model.ts";

/** The shells, and how the script of each is made. */
export const COMPLETION_SCRIPTS: Readonly<
  Record<string, (program: ProgramModel) => string>
> = { bash, zsh, fish };

const flagsOf = (options: readonly OptionModel[]) =>
  options.map(({ flag }) => flag).join(" ");

/** A text as one word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A text as one word of fish, where a backslash escapes inside quotes, too. */
function quoteFish(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

function bash({ name, commands, options }: ProgramModel): string {
  const names = commands.map((command) => command.name);
  const withChoices = [options, ...commands.map((each) => each.options)].flat()
    .filter(({ choices }) => choices.length > 0);
  const unique = new Map(withChoices.map((option) => [option.flag, option]));
  return `# bash completion for ${name}; source it, or put it into
# /usr/share/bash-completion/completions/${name}
_raft_snapshots() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  local command= words=${quote(flagsOf(options))} i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${names.join("|")}) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case $before in
${
    [...unique.values()].map(({ flag, choices }) =>
      `    ${flag})
      COMPREPLY=($(compgen -W ${quote(choices.join(" "))} -- "$current"))
      return ;;\n`
    ).join("")
  }  esac
  case $command in
    '') words+=${quote(` ${names.join(" ")}`)} ;;
${
    commands.map((command) =>
      `    ${command.name}) words+=${
        quote(` ${flagsOf(command.options)}`)
      } ;;\n`
    ).join("")
  }  esac
  if [[ -z $command || $current == -* ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _raft_snapshots ${name}
`;
}

function zsh({ name, commands, options }: ProgramModel): string {
  const describe = commands.map((command) =>
    `    ${quote(`${command.name}:${command.summary}`)}\n`
  ).join("");
  const cases = commands.map((command) =>
    `    ${command.name})\n      _arguments \\\n${
      [...command.options, ...options.filter(isNotHelp)].map((option) =>
        `        ${zshOption(option)} \\\n`
      ).join("")
    }        '*:file:_files' ;;\n`
  ).join("");
  return `#compdef ${name}
# zsh completion for ${name}; put it as _${name} into a folder of $fpath
_raft_snapshots() {
  local -a commands
  commands=(
${describe}  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases}  esac
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _raft_snapshots "$@"
else
  compdef _raft_snapshots ${name}
fi
`;
}

const isNotHelp = ({ flag }: OptionModel) =>
  flag !== "--help" && flag !== "--version";

function zshOption(
  { flag, value, choices, description }: OptionModel,
): string {
  const text = description.replace(/[\\[\]:]/g, "\\$&");
  const action = choices.length > 0 ? `(${choices.join(" ")})` : "_files";
  const argument = value === undefined
    ? ""
    : `:${value.replace(/[\\:]/g, "\\$&")}:${action}`;
  return quote(`${flag}[${text}]${argument}`);
}

function fish({ name, commands, options }: ProgramModel): string {
  const line = (option: OptionModel, condition: string) => {
    const { flag, value, choices, description } = option;
    const argument = value === undefined
      ? ""
      : choices.length > 0
      ? ` -x -a ${quoteFish(choices.join(" "))}`
      : " -r";
    return `complete -c ${name}${condition} -l ${flag.slice(2)}${argument} ` +
      `-d ${quoteFish(description)}\n`;
  };
  const ofCommand = (command: CommandModel) => {
    const condition = ` -n ${
      quoteFish(`__fish_seen_subcommand_from ${command.name}`)
    }`;
    return `complete -c ${name} -n __fish_use_subcommand -f ` +
      `-a ${command.name} -d ${quoteFish(command.summary)}\n` +
      command.options.filter(isNotHelp).map((option) => line(option, condition))
        .join("");
  };
  return `# fish completion for ${name}; put it into
# ~/.config/fish/completions/${name}.fish
${options.map((option) => line(option, "")).join("")}${
    commands.map(ofCommand).join("")
  }`;
}
