import { setTimeout as wait } from 'node:timers/promises'
import { sendDocuments } from '../backfill/send-documents.ts'
import { sourceIndexOf, typeMark } from '../base/document-types.ts'
import { MigrationError } from '../base/errors.ts'
import {
  documentDifferenceKind,
  isFollowed,
  type DocumentDifference,
  type Verdict,
} from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { targetPartsOf } from '../state/target-parts.ts'
import { takeWriterLock } from '../state/writer-lock.ts'
import { documentRepairKind, repairAlone, repairKey, type DocumentRepair } from '../sync/repairs.ts'
import type { Migration } from './migration.ts'
import { selectionOf } from './open-snapshot.ts'
import { syncProcess } from './sync.ts'

export interface RepairedIndex {
  readonly index: string
  /** Documents that were handed to be written again, or deleted. */
  readonly documents: number
}

/**
 * Has what differs of these verdicts written again from where they were compared with: from the live source by sync's lanes
 * (by the sync that runs, else here, under its lock), from a snapshot as the backfill did. Resolves when all is written, or
 * refused. Throws MA_CONFIG where that cannot be done.
 */
export async function repairDifferences(
  migration: Migration,
  verdicts: readonly Verdict[],
): Promise<RepairedIndex[]> {
  const state = await migration.state('write')
  const repaired: RepairedIndex[] = []
  const fromLive: Omit<DocumentRepair, 'at'>[] = []
  for (const { index, verdict, from } of verdicts) {
    if (verdict !== 'different') continue
    const differences: DocumentDifference[] = []
    for await (const { value } of state.each(documentDifferenceKind, { prefix: `${index}/` })) {
      differences.push(value)
    }
    const live = from === 'live' ? differences : differences.filter(isExtra)
    if (from !== 'live') await sendFromSnapshot(migration, state, index, differences)
    for (const one of live) fromLive.push(...(await repairsOf(state, one)))
    repaired.push({ index, documents: differences.length })
  }
  if (fromLive.length > 0) await repairFromSource(migration, state, fromLive)
  return repaired
}

function isExtra({ kind }: DocumentDifference): boolean {
  return kind === 'extra'
}

/** What the documents are called on the source; of those with another routing on the target both are read. */
async function repairsOf(
  state: StateStore,
  { index, id, routing, targetRouting }: DocumentDifference,
): Promise<Omit<DocumentRepair, 'at'>[]> {
  const parts = await targetPartsOf(state, index)
  const hasTypeInId = parts.some(({ types }) => types !== undefined && types.keepIn !== null)
  const named = {
    index: sourceIndexOf(index),
    id: hasTypeInId ? id.slice(id.indexOf(typeMark) + 1) : id,
  }
  const routings = targetRouting === undefined ? [routing] : [routing, targetRouting]
  return routings.map((one) => ({ ...named, routing: one }))
}

async function sendFromSnapshot(
  migration: Migration,
  state: StateStore,
  index: string,
  differences: readonly DocumentDifference[],
): Promise<void> {
  const ids = new Set(differences.filter((one) => !isExtra(one)).map(({ id }) => id))
  if (ids.size === 0) return
  if (await isFollowed(state)) {
    throw new MigrationError(
      'MA_CONFIG',
      'sync has brought later writes to the target, which those of a snapshot are not to replace; repair with --source live',
    )
  }
  const transform = await migration.transform()
  await sendDocuments({
    ...{ state, index, ids, signal: migration.signal },
    snapshot: await migration.snapshot(),
    target: await migration.target(),
    ...(transform && { transform }),
    waitMaxMs: migration.config.backfill.bulkWaitMax,
  })
}

async function repairFromSource(
  migration: Migration,
  state: StateStore,
  documents: readonly Omit<DocumentRepair, 'at'>[],
): Promise<void> {
  if (migration.config.source === undefined) {
    throw new MigrationError(
      'MA_CONFIG',
      `${documents.length} documents are on the target alone: whether they are to be deleted only the live source can tell, and source.url names none`,
    )
  }
  if (syncProcess(migration) !== undefined) return askSync(migration, state, documents)
  const lock = takeWriterLock(migration.loaded.stateFolder, 'sync')
  try {
    const { config, signal } = migration
    const transform = await migration.transform()
    await repairAlone(
      {
        ...{ state, signal, select: selectionOf(config), options: config.sync },
        source: await migration.source(),
        target: await migration.target(),
        withStreams: config.metadata.dataStreams !== 'refuse',
        ...(transform && { transform }),
      },
      documents,
    )
  } finally {
    lock.release()
  }
}

const lookEveryMs = 500

/** The sync that runs takes them from the state, and takes them out when they are done. */
async function askSync(
  migration: Migration,
  state: StateStore,
  documents: readonly Omit<DocumentRepair, 'at'>[],
): Promise<void> {
  const at = new Date().toISOString()
  await state.commit(
    documents.map((document) => ({
      ...{ op: 'put', kind: documentRepairKind, key: repairKey(document) },
      value: { ...document, at },
    })),
  )
  let left = documents.length
  for (let lookedAt = Date.now(); left > 0;) {
    const now = await state.count(documentRepairKind)
    if (now < left) lookedAt = Date.now()
    left = now
    const isIdle = Date.now() - lookedAt > migration.config.sync.waitMax
    if (isIdle || (left > 0 && syncProcess(migration) === undefined)) {
      throw new MigrationError(
        'MA_STOPPED',
        `sync has not repaired ${left} documents ${isIdle ? 'for longer than sync.waitMax' : 'before it ended'}: it does so when it runs again`,
        { retryable: true },
      )
    }
    await wait(lookEveryMs, undefined, { signal: migration.signal })
  }
}
