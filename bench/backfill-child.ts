/** (b) and (c): a whole backfill run with a state of its own, as the command does it. Started by measured.ts. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { backfillOptions } from '../src/backfill/options.ts'
import { runBackfill } from '../src/backfill/run.ts'
import { countingStore } from '../src/blob/counting-store.ts'
import { openBlobStore } from '../src/blob/open.ts'
import { connectCluster } from '../src/cluster/connect.ts'
import { openRepository } from '../src/snapshot/repository.ts'
import { openSqliteStore } from '../src/state/sqlite-store.ts'
import { targetIndexKind } from '../src/state/records.ts'
import type { TargetIndex } from '../src/state/records.ts'
import type { Corpus } from './corpus.ts'
import { reportFigures } from './measured.ts'

export interface BackfillRequest {
  readonly corpus: Corpus
  readonly threads: number
  readonly targetUrl: string
  readonly targetIndex: { readonly name: string; readonly uuid: string; readonly alias: string }
}

export interface BackfillFound {
  readonly documents: number
  readonly deadLetters: number
  /** Of the main thread's store; 0 where other threads read. */
  readonly bytesRead: number
  readonly runSeconds: number
}

async function backfill(request: BackfillRequest): Promise<BackfillFound> {
  const { corpus, threads, targetUrl } = request
  const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-bench-'))
  const store = countingStore(openBlobStore(corpus.repository))
  const snapshot = await (await openRepository(store)).openSnapshot(corpus.snapshot)
  const target = await connectCluster('target', { url: [targetUrl] })
  const state = await openSqliteStore(folder, 'write')
  try {
    const { uuid } = await snapshot.readIndexMetadata(corpus.index)
    const value = targetRecord(request, uuid)
    await state.commit([{ op: 'put', kind: targetIndexKind, key: corpus.index, value }])
    const summary = await runBackfill({
      snapshot,
      target,
      state,
      indices: [corpus.index],
      options: backfillOptions.parse({ threads }),
      signal: new AbortController().signal,
      reopen: { repository: corpus.repository, target: { url: [targetUrl] } },
    })
    return {
      documents: summary.totals.written,
      deadLetters: summary.deadLetters,
      bytesRead: store.bytesReadTotal,
      runSeconds: summary.durationMs / 1000,
    }
  } finally {
    await state.close()
    await target.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function targetRecord({ corpus, targetIndex }: BackfillRequest, sourceUuid: string): TargetIndex {
  return {
    index: corpus.index,
    targetIndex: targetIndex.name,
    sourceUuid,
    targetUuid: targetIndex.uuid,
    epochBase: 0,
    fenceAlias: targetIndex.alias,
    sourceShards: corpus.shards,
    targetShards: 1,
    mayHoldRouted: false,
    sourceForm: 'full',
    sourceDocuments: null,
    withheld: {},
  }
}

if (process.send && import.meta.main)
  reportFigures(await backfill(JSON.parse(process.argv[2]!) as BackfillRequest))
