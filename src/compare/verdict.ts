import type { JsonObject } from '../base/json.ts'
import type { Verdict } from '../state/records.ts'
import type { IndexFindings } from './compare-documents.ts'
import type { DifferenceExample, DifferenceCounts } from './differences.ts'

const method =
  'every id, routing and _source of both sides, _source by value: 64-bit digests summed in buckets of ids, ' +
  'documents of unequal buckets one by one; a difference goes unseen with a chance of 2^-64'

/** Puts what was found into words: equal only when everything was seen and nothing differs. */
export function drawVerdict(about: {
  index: string
  startedAt: string
  findings: IndexFindings
  deadLetters: { open: number; discarded: number }
}): Verdict {
  const { index, startedAt, findings, deadLetters } = about
  const { counts } = findings
  const notes = [...findings.notes]
  if (deadLetters.open > 0)
    notes.push(`${deadLetters.open} documents are dead letters: see osmigrate deadletters list`)
  if (deadLetters.discarded > 0)
    notes.push(`${deadLetters.discarded} documents are dead letters that were discarded`)
  if (findings.sourceForm === 'filtered') {
    notes.push(
      'the mapping filters _source: fields that it leaves out are on neither side, and their loss cannot be seen',
    )
  }
  if (findings.unknown === undefined && !differs(counts) && findings.sourceForm === 'disabled')
    findings.unknown =
      'the mapping keeps no _source: ids and routings are the same, contents cannot be compared'
  if (findings.unknown === undefined && !differs(counts) && findings.sourceForm === 'synthetic')
    findings.unknown = '_source is made from doc values on reading: it is not what was written'
  const verdict =
    findings.unknown !== undefined ? 'unknown' : differs(counts) ? 'different' : 'equal'
  if (findings.unknown !== undefined) notes.unshift(findings.unknown)
  return {
    index,
    verdict,
    note: notes.join('; '),
    method,
    source: counts.equal + counts.different + counts.missing,
    target: counts.equal + counts.different + counts.extra,
    ...counts,
    examples: findings.examples.map(exampleRecord),
    startedAt,
    endedAt: new Date().toISOString(),
  }
}

function differs(counts: DifferenceCounts): boolean {
  return counts.different + counts.missing + counts.extra > 0
}

/** { kind, id, routing?, targetRouting?, what? }: what = 'routing' | '_source' of a document that is on both sides. */
function exampleRecord(example: DifferenceExample): JsonObject {
  const { kind, source, target } = example
  const shown = (source ?? target)!
  const record: JsonObject = { kind, id: shown.id }
  if (shown.routing !== undefined) record['routing'] = shown.routing
  if (kind !== 'different' || source === undefined || target === undefined) return record
  record['what'] = source.routing === target.routing ? '_source' : 'routing'
  if (source.routing !== target.routing) record['targetRouting'] = target.routing ?? null
  return record
}
