import type { Area } from './areas.ts'
import type { CompareRecords } from './compare-records.ts'

/** A stretch of time in which something was compared, and what came of it. */
export interface TimelineEvent {
  readonly area: Area['area']
  readonly startedAt: string
  readonly endedAt: string
  readonly verdict: Area['verdict']
}

const apartMs = 60_000

/** All that is kept, by the time of its beginning; verdicts on documents that follow one another are one event. */
export function timelineOf(records: CompareRecords): TimelineEvent[] {
  const { documents, metadata, searches, speed, shadow } = records
  const events: TimelineEvent[] = [
    ...documentEvents(documents),
    ...metadata.map((one) => eventOf('metadata', one, one.verdict)),
    ...searches.map((one) => eventOf('searches', one, one.different > 0 ? 'different' : 'equal')),
    ...speed.map((one) => eventOf('speed', one, one.verdict)),
  ]
  if (shadow) {
    const { compared, different, errors } = shadow.totals
    const verdict = compared === 0 ? 'unknown' : different + errors > 0 ? 'different' : 'equal'
    events.push(
      eventOf('traffic', { ...shadow, endedAt: shadow.endedAt ?? shadow.startedAt }, verdict),
    )
  }
  return events.sort(byBegin)
}

function eventOf(
  area: Area['area'],
  { startedAt, endedAt }: { startedAt: string; endedAt: string },
  verdict: Area['verdict'],
): TimelineEvent {
  return { area, startedAt, endedAt, verdict }
}

function byBegin(a: { startedAt: string }, b: { startedAt: string }): number {
  return a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0
}

const worstFirst = ['different', 'unknown', 'equal'] as const

function documentEvents(documents: CompareRecords['documents']): TimelineEvent[] {
  const events: TimelineEvent[] = []
  for (const { startedAt, endedAt, verdict } of [...documents].sort(byBegin)) {
    const last = events.at(-1)
    if (last && Date.parse(startedAt) <= Date.parse(last.endedAt) + apartMs)
      events[events.length - 1] = {
        ...last,
        endedAt: endedAt > last.endedAt ? endedAt : last.endedAt,
        verdict: worstFirst.find((one) => one === verdict || one === last.verdict)!,
      }
    else events.push({ area: 'documents', startedAt, endedAt, verdict })
  }
  return events
}
