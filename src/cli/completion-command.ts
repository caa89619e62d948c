import { Argument, type Command } from 'commander'
import { addExamples, defineAction } from './command.ts'
import { printJson, printLine } from './output.ts'
import { visibleCommands } from './command-tree.ts'

export function defineCompletion(command: Command): void {
  command
    .description('Prints the script that makes the shell complete commands and flags.')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
  addExamples(command, [
    ['source <(osmigrate completion bash)', 'in ~/.bashrc'],
    ['source <(osmigrate completion zsh)', 'in ~/.zshrc, after compinit'],
    ['osmigrate completion fish > ~/.config/fish/completions/osmigrate.fish', ''],
  ])
  defineAction(command, async ({ args, json }) => {
    const { buildProgram } = await import('./program.ts')
    const words = completionWords(await buildProgram())
    const script = scripts[args[0] as keyof typeof scripts](words)
    if (json) printJson({ shell: args[0], script })
    else printLine(script)
  })
}

/** By command path (`osmigrate snapshot list`): what may come next. */
type Words = Map<string, string[]>

function completionWords(program: Command): Words {
  const words: Words = new Map()
  for (const { path, command } of visibleCommands(program)) {
    const help = command.createHelp()
    help.showGlobalOptions = true
    const flags = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)]
      .map((option) => option.long)
      .filter((flag) => flag !== undefined && flag !== null)
    const names = command.commands.map((child) => child.name())
    const choices = command.registeredArguments.flatMap((argument) => argument.argChoices ?? [])
    words.set(path, [...names, ...choices, ...new Set(flags)])
  }
  return words
}

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript }

/** Walks the words so far along the command tree, then offers what the last command takes; else files. */
function bashScript(words: Words): string {
  const cases = [...words].map(([path, next]) => `    '${path}') next='${next.join(' ')}' ;;`)
  const paths = [...words.keys()].map((path) => `'${path}'`).join('|')
  return `_osmigrate() {
  local path=osmigrate next='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$path $word" in ${paths}) path="$path $word" ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$next" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _osmigrate osmigrate`
}

function zshScript(words: Words): string {
  const cases = [...words].map(([path, next]) => `    '${path}') next=(${next.join(' ')}) ;;`)
  const paths = [...words.keys()].map((path) => `'${path}'`).join('|')
  return `#compdef osmigrate
_osmigrate() {
  local at=osmigrate word
  local -a next
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in ${paths}) at="$at $word" ;; esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  compadd -- $next
  _files
}
compdef _osmigrate osmigrate`
}

function fishScript(words: Words): string {
  const lines = ['complete -c osmigrate -e']
  for (const [path, next] of words) {
    const names = path.split(' ').slice(1)
    const condition =
      names.length === 0
        ? '__fish_use_subcommand'
        : names.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ')
    for (const word of next) {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`
      lines.push(`complete -c osmigrate -n '${condition}' ${what}`)
    }
  }
  return lines.join('\n')
}
