import { casesOf } from '../src/metadata/rules/cases.ts'
import type { Rule, VersionRange } from '../src/metadata/rules/rule.ts'
import { rules } from '../src/metadata/rules/table.ts'

const introduction = `# What becomes of metadata

<!-- Made by scripts/build-reference.ts from src/metadata/rules; edit the rules, not this page. -->

Each rule is for sources and targets of some versions. What it changes is a line of the plan, with the rule's name
(\`osmigrate metadata evaluate --json\`). *Lost* says what: nothing; the meaning, where something is found, scored or
limited otherwise; or what is left out. The last two make the exit code 3. The rules of fields hold in objects, nested
objects, multi-fields and dynamic templates, in indices, legacy templates, component templates and index templates.

The cases of a rule are run by the tests: first by themselves, then what comes out is put onto a real OpenSearch of the
versions named under *tried on*, which must take it, and what went in, which must be refused where the rule says so. A
dash: no engine that could be asked, for the reason given.
`

const sections: readonly (readonly [Rule['kind'], string])[] = [
  ['types', 'Mapping types'],
  ['root', 'The root of a mapping'],
  ['field', 'Fields'],
  ['setting', 'Settings'],
  ['analysis', 'Analysis and similarity'],
]

/** Versions that tests put cases onto: by target of the case, the engine (test/system/metadata-rules.*). */
const engines: { readonly [target: string]: string } = {
  '1.3': '1.3.20',
  '2.19': '2.19.4',
  '3.6': '3.6.0',
}

/** docs/reference/metadata-rules.md. */
export function metadataRules(): string {
  const parts = sections.map(([kind, title]) => {
    const lines = rules.filter((rule) => rule.kind === kind).map(tableLine)
    return [
      `## ${title}\n`,
      '| rule | source | target | what and why | lost | tried on |',
      '| --- | --- | --- | --- | --- | --- |',
      ...lines,
      '',
    ].join('\n')
  })
  return `${introduction}\n${parts.join('\n')}`
}

function tableLine(rule: Rule): string {
  const names =
    rule.kind === 'setting' ? `: ${rule.names.map((name) => `\`${name}\``).join(', ')}` : ''
  const cells = [
    `[${rule.name}](${rule.link})${names}`,
    rangeText(rule.source),
    rangeText(rule.target),
    rule.why,
    rule.loses,
    triedText(rule),
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function rangeText({ flavour, from, before }: VersionRange): string {
  const name =
    flavour === undefined ? '' : flavour === 'opensearch' ? 'OpenSearch ' : 'Elasticsearch '
  const span = [from && `from ${from}`, before && `before ${before}`].filter(Boolean).join(', ')
  return name + span === '' ? 'any' : (name + span).trim()
}

function triedText(rule: Rule): string {
  const cases = casesOf([rule])
  const tried = new Set(
    cases
      .filter(({ untried }) => untried === undefined)
      .flatMap(({ target }) => engines[`${target.major}.${target.minor}`] ?? []),
  )
  if (tried.size > 0) return [...tried].sort().join(', ')
  const reason = rule.untried ?? cases.find(({ untried }) => untried !== undefined)?.untried
  return `— (${reason ?? 'no engine of that version'})`
}
