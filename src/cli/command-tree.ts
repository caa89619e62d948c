import type { Command } from 'commander'

/** A command with its whole name, e.g. `osmigrate snapshot list`. */
export interface NamedCommand {
  path: string
  command: Command
}

/** The program and all its commands, each before its children. */
export function visibleCommands(program: Command, above = ''): NamedCommand[] {
  const path = `${above} ${program.name()}`.trim()
  const children = program.commands.filter((child) => child.name() !== 'help')
  return [{ path, command: program }, ...children.flatMap((child) => visibleCommands(child, path))]
}
