import type { JsonObject } from '../base/json.ts'
import type { DocumentDifference, Verdict } from '../state/records.ts'
import type { Change } from '../state/store.ts'
import { documentDifferenceKind } from '../state/records.ts'
import type { Difference, DifferenceCounts } from './differences.ts'
import type { IndexFindings } from './findings.ts'

const methods = {
  full:
    'every id, routing and _source of both sides, _source by value: 64-bit digests summed in buckets of ids, ' +
    'documents of unequal buckets one by one; a difference goes unseen with a chance of 2^-64',
  quick:
    'every id, routing and version of both sides, the version as the number of the source makes it: 64-bit digests summed ' +
    'in buckets of ids, documents of unequal buckets one by one; no _source is read',
}

/** Puts what was found into words: equal only when everything was seen and nothing differs. */
export function drawVerdict(about: {
  index: string
  startedAt: string
  how: 'full' | 'quick'
  from: 'snapshot' | 'live'
  numbers: NonNullable<Verdict['numbers']>
  findings: IndexFindings
  examplesMax: number
}): Verdict {
  const { index, startedAt, how, from, numbers, findings } = about
  const { counts, leftOut, letters } = findings
  const notes = [...findings.notes]
  if (leftOut.dropped > 0)
    notes.push(`${leftOut.dropped} documents of the source are left out by the transform`)
  if (letters.open > 0)
    notes.push(`${letters.open} documents are dead letters: see osmigrate deadletters list`)
  if (letters.discarded > 0)
    notes.push(`${letters.discarded} documents are dead letters that were discarded`)
  const isSame = !differs(counts) && leftOut.deadLetters === 0
  const unknown = findings.unknown ?? (isSame ? cannotBeEqual(findings, how) : undefined)
  const verdict = unknown !== undefined ? 'unknown' : isSame ? 'equal' : 'different'
  if (unknown !== undefined) notes.unshift(unknown)
  return {
    index,
    verdict,
    note: notes.join('; '),
    method: methods[how],
    source: counts.equal + counts.different + counts.missing,
    target: counts.equal + counts.different + counts.extra,
    ...counts,
    examples: findings.differences.slice(0, about.examplesMax).map(exampleRecord),
    startedAt,
    endedAt: new Date().toISOString(),
    ...{ how, from, leftOut: { ...leftOut }, numbers },
    cannotSee: blindSpots(findings, how),
  }
}

function differs(counts: DifferenceCounts): boolean {
  return counts.different + counts.missing + counts.extra > 0
}

/** Why no difference does not mean that there is none. */
function cannotBeEqual({ sourceForm }: IndexFindings, how: 'full' | 'quick'): string | undefined {
  if (how === 'quick') return undefined
  if (sourceForm === 'disabled')
    return 'the mapping keeps no _source: ids and routings are the same, contents cannot be compared'
  if (sourceForm === 'synthetic')
    return '_source is made from doc values on reading: it is not what was written'
  return undefined
}

function blindSpots({ sourceForm }: IndexFindings, how: 'full' | 'quick'): string[] {
  if (how === 'quick') {
    return [
      'contents: a document is equal when its version is the one that the source makes',
      'what somebody else wrote on the target under a version that it took over',
    ]
  }
  const spots = ['what is kept outside of _source: stored fields, doc values, postings, _ttl']
  if (sourceForm === 'filtered') {
    spots.push(
      'the mapping filters _source: fields that it leaves out are on neither side, and their loss cannot be seen',
    )
  }
  if (sourceForm === 'disabled') spots.push('contents: the mapping keeps no _source')
  if (sourceForm === 'synthetic') {
    spots.push('what was written: _source is synthetic, made from doc values on reading')
  }
  return spots
}

/** { kind, id, routing?, targetRouting?, what? }: what = 'routing' | '_source' of a document that is on both sides. */
function exampleRecord(difference: Difference): JsonObject {
  const { kind, source, target } = difference
  const shown = (source ?? target)!
  const record: JsonObject = { kind, id: shown.id }
  if (shown.routing !== undefined) record['routing'] = shown.routing
  if (kind !== 'different' || source === undefined || target === undefined) return record
  record['what'] = source.routing === target.routing ? '_source' : 'routing'
  if (source.routing !== target.routing) record['targetRouting'] = target.routing ?? null
  return record
}

/** What differs, numbered, in the place of what an earlier verdict of the index had. */
export function differenceRecords(index: string, differences: readonly Difference[]): Change[] {
  return differences.map(({ kind, source, target }, i) => {
    const shown = (source ?? target)!
    const value: DocumentDifference = {
      ...{ index, number: i + 1, kind, id: shown.id, routing: shown.routing ?? null },
      ...(source !== undefined &&
        target !== undefined &&
        source.routing !== target.routing && { targetRouting: target.routing ?? null }),
    }
    return { op: 'put', kind: documentDifferenceKind, key: differenceKey(index, i + 1), value }
  })
}

export function differenceKey(index: string, number: number): string {
  return `${index}/${String(number).padStart(6, '0')}`
}
