import type { Verdict } from '../../state/records.ts'
import { staleness } from './age.ts'
import { newestMetadata, type CompareRecords } from './compare-records.ts'

/** What there is to tell of one thing that is compared. */
export interface Area {
  readonly area: 'documents' | 'metadata' | 'searches' | 'speed' | 'traffic'
  readonly verdict:
    | 'equal'
    | 'announced'
    | 'different'
    | 'faster'
    | 'same'
    | 'slower'
    | 'cannot tell'
    | 'unknown'
    | 'not compared'
  readonly tone: 'good' | 'warn' | 'bad' | 'plain'
  readonly summary: string
  /** Of several results the first begin and the first end: as old as its oldest part. Null: there is none. */
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly method: readonly string[]
  readonly cannotSee: readonly string[]
  readonly stale: string | null
  /** The command that compares it (anew). */
  readonly how: string
}

export interface When {
  readonly now: Date
  readonly freshForMs: number
}

/** Each thing that is compared with what is known of it; captured traffic only where it was replayed. */
export function areasOf(records: CompareRecords, when: When): Area[] {
  const traffic = trafficArea(records, when)
  return [
    documentsArea(records, when),
    metadataArea(records, when),
    searchesArea(records, when),
    speedArea(records, when),
    ...(traffic ? [traffic] : []),
  ]
}

function notCompared(area: Area['area'], summary: string, how: string): Area {
  const nothing = { startedAt: null, endedAt: null, method: [], cannotSee: [], stale: null }
  return { area, verdict: 'not compared', tone: 'plain', summary, how, ...nothing }
}

function documentsArea({ indices, documents }: CompareRecords, when: When): Area {
  const how = 'osmigrate compare documents'
  if (documents.length === 0) return notCompared('documents', 'No document was compared yet.', how)
  const verdict = verdictOnDocuments(indices, documents)
  const endedAt = first(documents.map((one) => one.endedAt))
  return {
    area: 'documents',
    verdict,
    tone: verdict === 'equal' ? 'good' : verdict === 'different' ? 'bad' : 'warn',
    summary: documentsSummary(indices, documents),
    startedAt: first(documents.map((one) => one.startedAt)),
    endedAt,
    method: distinct(documents.map((one) => one.method)),
    cannotSee: distinct(documents.flatMap((one) => one.cannotSee ?? [])),
    stale: staleness(endedAt, when) ?? null,
    how,
  }
}

/** Of what is selected: one difference makes it different, one that is not known unknown. */
export function verdictOnDocuments(
  indices: readonly string[],
  documents: readonly Verdict[],
): Verdict['verdict'] {
  if (documents.some(({ verdict }) => verdict === 'different')) return 'different'
  const isKnown = documents.length > 0 && documents.every(({ verdict }) => verdict === 'equal')
  return isKnown && notLookedAt(indices, documents).length === 0 ? 'equal' : 'unknown'
}

/** Selected indices without any verdict. */
export function notLookedAt(indices: readonly string[], documents: readonly Verdict[]): string[] {
  const known = new Set(documents.map(({ index }) => index))
  return indices.filter((index) => !known.has(index))
}

function documentsSummary(indices: readonly string[], documents: readonly Verdict[]): string {
  const sum = (figure: 'equal' | 'different' | 'missing' | 'extra'): number =>
    documents.reduce((total, one) => total + one[figure], 0)
  const count = (verdict: Verdict['verdict']): number =>
    documents.filter((one) => one.verdict === verdict).length
  const equal = count('equal')
  const all = new Set([...indices, ...documents.map(({ index }) => index)]).size
  const parts = [
    `${number(equal)} of ${indicesText(all)} equal`,
    `${number(sum('equal'))} documents equal`,
  ]
  for (const figure of ['different', 'missing', 'extra'] as const)
    if (sum(figure) > 0) parts.push(`${number(sum(figure))} ${figure}`)
  if (count('unknown') > 0) parts.push(`${indicesText(count('unknown'))} unknown`)
  const open = notLookedAt(indices, documents).length
  if (open > 0) parts.push(`${indicesText(open)} not compared`)
  return `${parts.join(', ')}.`
}

function indicesText(count: number): string {
  return `${number(count)} ${count === 1 ? 'index' : 'indices'}`
}

function metadataArea(records: CompareRecords, when: When): Area {
  const how = 'osmigrate compare metadata'
  const newest = newestMetadata(records)
  if (newest === undefined) {
    const why =
      records.metadata.length === 0
        ? 'No metadata was compared yet.'
        : 'Only other indices than those selected were looked at.'
    return notCompared('metadata', why, how)
  }
  const { counts, notCarried, verdict } = newest
  const parts = [`${number(counts.equal)} objects equal`]
  if (counts.announced > 0) parts.push(`${number(counts.announced)} with announced losses`)
  if (counts.different > 0) parts.push(`${number(counts.different)} different`)
  if (counts.missing > 0) parts.push(`${number(counts.missing)} missing`)
  if (notCarried > 0) parts.push(`${number(notCarried)} stay behind`)
  return {
    ...runOf(newest, when),
    area: 'metadata',
    verdict,
    tone: verdict === 'equal' ? 'good' : verdict === 'announced' ? 'warn' : 'bad',
    summary: `${parts.join(', ')}.`,
    how,
  }
}

function searchesArea({ searches }: CompareRecords, when: When): Area {
  const how = 'osmigrate compare searches'
  const newest = searches.at(-1)
  if (newest === undefined)
    return notCompared('searches', 'No answers to searches were compared yet.', how)
  const { requests, different, noise, errors, overlapAt10, shapes } = newest
  const isEqual = different === 0
  const parts = [
    `${number(requests - different)} of ${number(requests)} requests answered alike`,
    ...(different > 0 ? [`${number(different)} otherwise`] : []),
    ...(noise > 0 ? [`${number(noise)} of those alike differ in noise`] : []),
    ...(errors.target > 0 ? [`${number(errors.target)} errors of the target`] : []),
    ...(overlapAt10 === null ? [] : [`overlap@10 ${overlapAt10.toFixed(3)}`]),
  ]
  const worst = shapes.filter((one) => one.different > 0).length
  return {
    ...runOf(newest, when),
    area: 'searches',
    verdict: requests === 0 ? 'unknown' : isEqual ? 'equal' : 'different',
    tone: requests === 0 ? 'warn' : isEqual ? 'good' : 'bad',
    summary: `${parts.join(', ')}${worst > 0 ? `; ${number(worst)} shapes of requests differ` : ''}.`,
    how,
  }
}

const speedTones = { faster: 'good', same: 'good', slower: 'bad', 'cannot tell': 'warn' } as const

function speedArea({ speed }: CompareRecords, when: When): Area {
  const how = 'osmigrate compare performance'
  const newest = speed.at(-1)
  if (newest === undefined) return notCompared('speed', 'No speed was compared yet.', how)
  const { verdict, why, all } = newest
  const ratio = all?.ratios.p99
  const figure = ratio
    ? ` p99 of the target is ${ratio.value.toFixed(2)} times that of the source (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)}).`
    : ''
  return {
    ...runOf(newest, when),
    area: 'speed',
    verdict,
    tone: speedTones[verdict],
    summary: `${sentence(why)}${figure}`,
    how,
  }
}

function trafficArea({ shadow }: CompareRecords, when: When): Area | undefined {
  if (shadow === undefined) return undefined
  const { sent, compared, different, statusDiffers, errors } = shadow.totals
  const differs = different + statusDiffers + errors > 0
  const parts = [
    `${number(sent)} captured requests replayed`,
    `${number(compared)} answers compared`,
    ...(different > 0 ? [`${number(different)} otherwise`] : []),
    ...(errors > 0 ? [`${number(errors)} errors of the target`] : []),
  ]
  return {
    ...runOf({ ...shadow, endedAt: shadow.endedAt ?? when.now.toISOString() }, when),
    area: 'traffic',
    verdict: compared === 0 ? 'unknown' : differs ? 'different' : 'equal',
    tone: compared === 0 ? 'warn' : differs ? 'bad' : 'good',
    summary: `${parts.join(', ')} (${shadow.state}).`,
    how: 'osmigrate shadow start',
  }
}

function runOf(
  run: { startedAt: string; endedAt: string; method: string; cannotSee: readonly string[] },
  when: When,
): Pick<Area, 'startedAt' | 'endedAt' | 'method' | 'cannotSee' | 'stale'> {
  const { startedAt, endedAt, method, cannotSee } = run
  const stale = staleness(endedAt, when) ?? null
  return { startedAt, endedAt, method: [method], cannotSee, stale }
}

/** The earliest of ISO times. */
function first(times: readonly string[]): string {
  return times.reduce((a, b) => (b < a ? b : a))
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}

function sentence(text: string): string {
  const trimmed = text.trim()
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
