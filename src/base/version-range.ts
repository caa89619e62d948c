/** Which engine, and which version of it. */
export interface Version {
  readonly flavour: 'elasticsearch' | 'opensearch'
  readonly major: number
  readonly minor: number
}

/** Versions from `from` on and before `before`, as `7` or `7.10`; without a flavour of both. */
export interface VersionRange {
  readonly flavour?: Version['flavour']
  readonly from?: string
  readonly before?: string
}

/** True when the version is in the range. */
export function isIn(version: Version, range: VersionRange): boolean {
  const { flavour, from, before } = range
  return (
    (flavour === undefined || flavour === version.flavour) &&
    (from === undefined || isFrom(version, from)) &&
    (before === undefined || !isFrom(version, before))
  )
}

/** True for that version and every later one; `at` as `2.7`. */
export function isFrom({ major, minor }: Version, at: string): boolean {
  const [wantedMajor = 0, wantedMinor = 0] = at.split('.').map(Number)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

/** Ranges that many rules have. */
export const anyVersion: VersionRange = {}
export const elasticsearch = (range: Omit<VersionRange, 'flavour'> = {}): VersionRange => ({
  flavour: 'elasticsearch',
  ...range,
})
export const openSearch = (range: Omit<VersionRange, 'flavour'> = {}): VersionRange => ({
  flavour: 'opensearch',
  ...range,
})
