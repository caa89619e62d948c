/** What tests of the backfill share: a migration that is ready for it, runs of it in processes, and the comparison after it. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { backfillOptions } from '../../src/backfill/options.ts'
import { runBackfill, type BackfillInput, type BackfillSummary } from '../../src/backfill/run.ts'
import { openBlobStore } from '../../src/blob/open.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { compareDocuments, type ComparedIndex } from '../../src/compare/compare-documents.ts'
import { compareOptions } from '../../src/compare/options.ts'
import { shardLook } from '../../src/document/source-sample.ts'
import { applyMetadata } from '../../src/metadata/apply.ts'
import { evaluateMetadata } from '../../src/metadata/evaluate.ts'
import { fromSnapshot } from '../../src/metadata/evaluate-input.ts'
import { metadataOptions } from '../../src/metadata/options.ts'
import { createSnapshot } from '../../src/take/create-snapshot.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import type { Snapshot } from '../../src/snapshot/snapshot.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import type { StateStore } from '../../src/state/store.ts'
import { targetPartsOf } from '../../src/state/target-parts.ts'
import { uniqueName, type TestEngine } from './engines.ts'

/** What backfill-child.ts is told. */
export interface BackfillJob {
  folder: string
  repository: string
  snapshot: string
  url: string
  indices: readonly string[]
  options?: { [name: string]: unknown }
}

/** A migration whose metadata is on the target. */
export interface ReadyMigration {
  /** Of the state, which is closed. */
  folder: string
  repository: string
  snapshot: Snapshot
  target: Cluster
  indices: readonly string[]
}

/** A snapshot of these indices in a new repository. */
export async function makeSnapshot(
  source: { cluster: Cluster; engine: TestEngine },
  indices: readonly string[],
): Promise<Pick<ReadyMigration, 'repository' | 'snapshot'>> {
  const { location } = source.engine.makeRepository()
  const name = uniqueName('snapshot')
  const select = { include: indices }
  await createSnapshot(source.cluster, { migration: name, location, name, select })
  const snapshot = await (await openRepository(openBlobStore(location))).openSnapshot(name)
  return { repository: location, snapshot }
}

/** A new state, and the target indices of some of a snapshot's indices. */
export async function makeReady({
  shards = {},
  allowPartialSource = false,
  options = {},
  ...ready
}: Omit<ReadyMigration, 'folder'> & {
  /** Shard counts of target indices, where they shall not be the source's. */
  shards?: { [index: string]: number }
  allowPartialSource?: boolean
  /** Of the section `metadata`. */
  options?: object
}): Promise<ReadyMigration> {
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'osmigrate-backfill-')), 'state')
  after(() => rmSync(path.dirname(folder), { recursive: true }))
  const { repository, snapshot, target, indices } = ready
  await withState(folder, async (state) => {
    const plan = await evaluateMetadata({
      ...fromSnapshot(repository, snapshot, shardLook),
      target,
      state,
      select: { include: indices },
      options: metadataOptions.parse({ templates: false, pipelines: false, shards, ...options }),
      allowPartialSource,
    })
    await applyMetadata(plan, { target, state })
  })
  return { ...ready, folder }
}

export async function withState<T>(
  folder: string,
  work: (state: StateStore) => Promise<T>,
): Promise<T> {
  const state = await openSqliteStore(folder, 'write')
  try {
    return await work(state)
  } finally {
    await state.close()
  }
}

/** Runs the backfill in this process. */
export function backfill(
  ready: ReadyMigration,
  { options = {}, ...input }: Partial<Omit<BackfillInput, 'options'>> & { options?: object } = {},
): Promise<BackfillSummary> {
  return withState(ready.folder, (state) =>
    runBackfill({
      snapshot: ready.snapshot,
      target: ready.target,
      state,
      indices: ready.indices,
      signal: new AbortController().signal,
      reopen: { repository: ready.repository, target: { url: [ready.target.url] } },
      ...input,
      options: backfillOptions.parse(options),
    }),
  )
}

/** A backfill in a process of its own. `ended` gives the exit code, or the signal that killed it. */
export interface BackfillProcess {
  child: ChildProcess
  /** The state is open, the run is about to begin. */
  started: Promise<unknown>
  ended: Promise<number | NodeJS.Signals>
}

const childFile = fileURLToPath(new URL('./backfill-child.ts', import.meta.url))

export function spawnBackfill(
  ready: ReadyMigration,
  job: Pick<BackfillJob, 'url' | 'options'> & { indices?: readonly string[] },
): BackfillProcess {
  const { folder, repository, snapshot, indices } = ready
  const argument: BackfillJob = { folder, repository, snapshot: snapshot.name, indices, ...job }
  const child = spawn(process.execPath, [childFile, JSON.stringify(argument)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit').then(
    ([code, signal]) => (code ?? signal) as number | NodeJS.Signals,
  )
  return { child, started: once(child.stdout, 'data'), ended }
}

/** Every document of the snapshot against every document of the target, both ways. */
export async function assertEqual(
  ready: ReadyMigration,
  indices: readonly string[] = ready.indices,
): Promise<void> {
  const { snapshot, target, folder } = ready
  await withState(folder, async (state) => {
    const targets = new Map<string, ComparedIndex>()
    for (const index of indices) {
      for (const part of await targetPartsOf(state, index)) {
        targets.set(part.index, { ...part, sourceForm: 'full' })
        await target.request('POST', `/${encodeURIComponent(part.targetIndex)}/_refresh`)
      }
    }
    const verdicts = await compareDocuments({
      source: { snapshot },
      target,
      indices: [...targets.keys()],
      targetIndexOf: (index) => targets.get(index),
      options: compareOptions.parse({}),
      signal: new AbortController().signal,
    })
    for (const { index, verdict, note, examples } of verdicts) {
      assert.equal(verdict, 'equal', `${index}: ${note} ${JSON.stringify(examples)}`)
    }
  })
}
