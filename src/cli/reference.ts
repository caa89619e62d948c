import type { Command } from 'commander'
import type { OptionRow } from '../migration/option-table.ts'
import { visibleCommands } from './command-tree.ts'

/** The pages of docs/reference that are made from the program itself (scripts/build-reference.ts). */

const generated =
  '<!-- Made by scripts/build-reference.ts from the program; edit the program, not this page. -->'

/** docs/reference/cli.md: what `--help` says, command by command. */
export function cliReference(program: Command): string {
  const sections = visibleCommands(program).map(
    ({ path, command }) => `## ${path}\n\n\`\`\`\n${helpText(command)}\n\`\`\`\n`,
  )
  return `# Commands\n\n${generated}\n\n${sections.join('\n')}`
}

function helpText(command: Command): string {
  let text = ''
  command.configureHelp({ ...command.configureHelp(), helpWidth: 100 })
  command.configureOutput({
    writeOut: (part) => (text += part),
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  })
  command.outputHelp()
  return text.trimEnd()
}

/** docs/reference/config.md: every key of migration.yaml. */
export function configReference(rows: readonly OptionRow[]): string {
  const sections = new Map<string, OptionRow[]>()
  for (const row of rows) {
    const section = row.path.length > 1 ? row.path[0]! : 'top level'
    sections.set(section, [...(sections.get(section) ?? []), row])
  }
  const texts = [...sections].map(([section, members]) =>
    [
      `## ${section}`,
      '',
      '| key | takes | default | flag | what it is |',
      '| --- | --- | --- | --- | --- |',
      ...members.map(tableLine),
      '',
    ].join('\n'),
  )
  return `${configIntroduction}\n${texts.join('\n')}`
}

function tableLine(row: OptionRow): string {
  const path = row.path.join('.')
  const value =
    row.default === undefined ? '' : `\`${JSON.stringify(row.default).replace(/^"|"$/g, '')}\``
  const flag =
    row.flag === undefined
      ? ''
      : `\`${row.kind === 'boolean' && row.default === true ? '--no-' : '--'}${row.flag}\``
  return `| \`${path}\` | ${row.takes} | ${value} | ${flag} | ${row.description.replaceAll('|', '\\|')} |`
}

const configIntroduction = `# migration.yaml

${generated}

\`osmigrate init\` writes one with comments. Commands read \`migration.yaml\` in the working folder, or the file
named by \`--config\`. A flag beats the file, the file beats the default. \`version: 1\` is the only key that must
be there. Unknown keys are refused by name. Relative paths start at the file's folder.

Secrets stand only as \`env:NAME\` or \`file:PATH\`; they have no flags. Where a user name is given and no password,
the password is read from the environment: \`OSMIGRATE_SOURCE_PASSWORD\`, \`OSMIGRATE_TARGET_PASSWORD\`.

Sizes: \`512kb\`, \`10mb\` (1 kb = 1,024 bytes). Times: \`500ms\`, \`30s\`, \`5m\`, \`1h\`. Editors check and complete the
file with \`migration.schema.json\`, which \`osmigrate init\` puts beside it.
`
