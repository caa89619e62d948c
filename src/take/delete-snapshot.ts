import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import type { Answer, Cluster } from '../cluster/cluster.ts'
import { reasonOf } from './repository.ts'
import {
  isRunning,
  readSnapshotRecord,
  snapshotPath,
  type SnapshotRecord,
} from './snapshot-status.ts'

export interface DeleteSnapshotInput {
  /** As registered on the source. */
  readonly repository: string
  readonly name: string
  /** Also when it is being made: it is cancelled. */
  readonly cancel: boolean
  /** How long the source may take; it goes on by itself. Default 1 hour. */
  readonly waitMaxMs?: number
  readonly signal?: AbortSignal
}

/**
 * Deletes a snapshot from its repository through the source, and waits until it is gone. What other snapshots share
 * with it stays. Gives what was deleted.
 *
 * Errors: MA_SNAPSHOT when there is none, when it is being made and `cancel` is not given, when the source refuses, and
 * when it is not gone in time.
 */
export async function deleteSnapshot(
  source: Cluster,
  input: DeleteSnapshotInput,
): Promise<SnapshotRecord> {
  const { repository, name, signal } = input
  const found = await requireSnapshot(source, input)
  if (isRunning(found.state) && !input.cancel) {
    throw new MigrationError(
      'MA_SNAPSHOT',
      `the snapshot ${name} is being made; to give it up and delete what is made of it, say --cancel`,
      { details: { snapshot: name, state: found.state } },
    )
  }
  try {
    const answer = await source.request('DELETE', snapshotPath(repository, name), {
      accept: [400, 404, 409, 500, 503],
      ...(signal && { signal }),
    })
    if (answer.status >= 400 && answer.status !== 404) throw refused(source, name, answer)
  } catch (error) {
    // Deleting takes as long as there are files; the source goes on after nobody waits for its answer any more.
    const isSlow =
      error instanceof MigrationError && ['timeout', 'cut'].includes(String(error.details.kind))
    if (!isSlow) throw error
  }
  await waitUntilGone(source, input)
  return found
}

/** MA_SNAPSHOT when the repository has no such snapshot. */
export async function requireSnapshot(
  source: Cluster,
  { repository, name, signal }: Pick<DeleteSnapshotInput, 'repository' | 'name' | 'signal'>,
): Promise<SnapshotRecord> {
  const found = await readSnapshotRecord(source, repository, name, { signal })
  if (found) return found
  throw new MigrationError(
    'MA_SNAPSHOT',
    `there is no snapshot ${name} in the repository ${repository} of the source ${source.url}; name another with --snapshot`,
    { details: { snapshot: name, repository } },
  )
}

function refused(source: Cluster, name: string, { status, body }: Answer): MigrationError {
  return new MigrationError(
    'MA_SNAPSHOT',
    `the source ${source.url} does not delete the snapshot ${name}: ${reasonOf(body)}`,
    { details: { snapshot: name, status }, retryable: status === 503 },
  )
}

const pollMs = 500
const waitMaxMsDefault = 3_600_000

async function waitUntilGone(source: Cluster, input: DeleteSnapshotInput): Promise<void> {
  const { repository, name, signal, waitMaxMs = waitMaxMsDefault } = input
  const deadline = performance.now() + waitMaxMs
  while (await readSnapshotRecord(source, repository, name, { signal })) {
    if (performance.now() > deadline) {
      throw new MigrationError(
        'MA_SNAPSHOT',
        `the snapshot ${name} is not gone from ${source.url} after ${Math.round(waitMaxMs / 60_000)} min; the source may still be at it: osmigrate snapshot status tells`,
        { details: { snapshot: name }, retryable: true },
      )
    }
    await wait(pollMs, undefined, signal ? { signal } : {})
  }
}
