import {
  isUnknown,
  type Estimate,
  type OrUnknown,
  type ProposedPath,
  type Writes,
} from './assessment.ts'

/** How long the clients may have to stop writing for a delta, before a capture is worth its trouble. */
const stopHoursMax = 1
const namesMax = 10

/** Which way to go, by what was written while it was looked. */
export function proposePath(
  writes: OrUnknown<Writes>,
  { deltaHours }: Pick<Estimate, 'deltaHours'>,
  indicesSelected: number,
): ProposedPath {
  if (isUnknown(writes)) {
    return {
      path: 'cannot be told',
      why: `it depends on what is written to the source, which is not known: ${writes.unknown}`,
      steps: [
        'Where nothing is written: backfill only. Else run this against the live cluster, in a busy hour.',
      ],
    }
  }
  const seconds = writes.seconds.toFixed(0)
  if (writes.indices.length === 0) {
    return {
      path: 'backfill only',
      why: `nothing was written to the selected indices in ${seconds} s. Look again in a busy hour before you rely on it`,
      steps: ['osmigrate snapshot create', ...carryOver],
    }
  }
  const { indices } = writes
  const busy = `${indices.length} of ${indicesSelected} selected indices had writes in ${seconds} s (${writes.writesPerSecond.toFixed(1)} writes/s)`
  if (!isUnknown(deltaHours) && deltaHours <= stopHoursMax) {
    return {
      path: 'backfill and delta',
      why: `${busy}, and these take ${text(deltaHours)} to carry over, during which clients would not write`,
      steps:
        indices.length >= indicesSelected
          ? ['Stop the writes, then osmigrate snapshot create', ...carryOver]
          : [
              `First all that is not written to: --exclude ${names(indices)} with snapshot create and each step after it`,
              ...carryOver,
              `Then stop the writes, and the same with a second snapshot and --index ${names(indices)}`,
            ],
    }
  }
  const long = isUnknown(deltaHours)
    ? `how long these take is not known: ${deltaHours.unknown}`
    : `these take ${text(deltaHours)} to carry over: too long to stop writing`
  return {
    path: 'backfill with capture',
    why: `${busy}, and ${long}`,
    steps: [
      'osmigrate capture start, and point the clients to it: all writes are recorded from then on',
      'osmigrate snapshot create, which is made when every write is seen to be recorded',
      'osmigrate metadata evaluate, then migrate',
      'osmigrate sync start, which brings every write to the target from then on',
      'osmigrate backfill start',
      'osmigrate sync drain, then sync audit: what was written is there, and nothing is missing',
      'osmigrate compare documents',
      'Stop the writes for the minute of a last sync drain, and point the clients to the target',
    ],
  }
}

const carryOver = [
  'osmigrate metadata evaluate',
  'osmigrate metadata migrate',
  'osmigrate backfill start',
  'osmigrate compare documents',
]

function names(indices: Writes['indices']): string {
  const shown = indices.slice(0, namesMax).map(({ index }) => index)
  const more = indices.length - shown.length
  return shown.join(',') + (more > 0 ? ` and ${more} more` : '')
}

function text(hours: number): string {
  return hours < 1
    ? `about ${Math.max(1, Math.ceil(hours * 60))} min`
    : `about ${hours.toFixed(1)} h`
}
