import { MigrationError } from './errors.ts'

/**
 * Which names take part. In a pattern `*` stands for any run of characters, also none, and everything else for itself;
 * one that begins with `regex:` is a regular expression for the whole name.
 */
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
  const dotted = matcher(include.filter(namesDot))
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

/** A function that says whether a name fits one of the patterns. Throws MA_CONFIG for a wrong regular expression. */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  const tests = patterns.map(expressionOf)
  return (name) => tests.some((test) => test.test(name))
}

/** What a pattern begins with that is a regular expression. */
export const regexPrefix = 'regex:'

function expressionOf(pattern: string): RegExp {
  if (!pattern.startsWith(regexPrefix)) {
    return new RegExp(`^${pattern.split('*').map(escape).join('.*')}$`, 's')
  }
  try {
    return new RegExp(`^(?:${pattern.slice(regexPrefix.length)})$`, 'su')
  } catch (error) {
    throw new MigrationError('MA_CONFIG', `the pattern "${pattern}": ${(error as Error).message}`, {
      cause: error,
      details: { pattern },
    })
  }
}

/** A pattern that begins with a dot means the names that do, which are left out otherwise. */
function namesDot(pattern: string): boolean {
  return pattern.startsWith('.') || /^regex:(\^|\(\?:|\()*(\\\.|\[\.\])/.test(pattern)
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

function enumerate(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const shown = names.slice(0, 10).join(', ')
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown
}
