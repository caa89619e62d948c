import { MigrationError } from './errors.ts'

/** Which names take part. `*` stands for any run of characters, also none; everything else stands for itself. */
export interface Selection {
  /** Default: `*`. */
  readonly include?: readonly string[]
  /** Wins over include. Default: `.*`, which does not hold for names that an include pattern with a leading dot names. */
  readonly exclude?: readonly string[]
}

/** What is left out when nobody says otherwise: the engines' own indices begin with a dot. */
export const defaultExclude: readonly string[] = ['.*']

/** The names that the selection lets through, in the order given. The same rule for every command and every step. */
export function selectNames(names: Iterable<string>, selection: Selection = {}): string[] {
  const include = selection.include?.length ? selection.include : ['*']
  const dotted = matcher(include.filter((pattern) => pattern.startsWith('.')))
  const included = matcher(include)
  const excluded = matcher(selection.exclude ?? defaultExclude)
  const leaveOut = selection.exclude ? excluded : (name: string) => excluded(name) && !dotted(name)
  return [...names].filter((name) => included(name) && !leaveOut(name))
}

/** As selectNames, but a pattern to include that names nothing at all throws MA_CONFIG: it is most likely a slip. */
export function selectExisting(names: Iterable<string>, selection: Selection = {}): string[] {
  const all = [...names]
  for (const pattern of selection.include ?? []) {
    if (pattern === '*' || all.some(matcher([pattern]))) continue
    throw new MigrationError(
      'MA_CONFIG',
      `no index is named "${pattern}". There are: ${enumerate(all)}. Correct --index or select.include.`,
      { details: { pattern, names: all.slice(0, 1000) } },
    )
  }
  return selectNames(all, selection)
}

/** A function that says whether a name fits one of the patterns. */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  const tests = patterns.map(
    (pattern) => new RegExp(`^${pattern.split('*').map(escape).join('.*')}$`, 's'),
  )
  return (name) => tests.some((test) => test.test(name))
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function enumerate(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const shown = names.slice(0, 10).join(', ')
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown
}
