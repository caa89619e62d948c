/** Compares one index of two clusters in a process of its own, to be killed while it does. */
import { connectCluster } from '../../src/cluster/connect.ts'
import { compareDocuments } from '../../src/compare/compare-documents.ts'
import { compareOptions } from '../../src/compare/options.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'

export interface CompareChildInput {
  readonly sourceUrl: string
  readonly targetUrl: string
  readonly index: string
  readonly targetIndex: string
  readonly folder: string
}

const input = JSON.parse(process.argv[2]!) as CompareChildInput
const source = await connectCluster('source', { url: [input.sourceUrl] })
const target = await connectCluster('target', { url: [input.targetUrl] })
const state = await openSqliteStore(input.folder, 'write')
await compareDocuments({
  ...{ source: { cluster: source }, target, state, indices: [input.index] },
  targetIndexOf: () => ({ targetIndex: input.targetIndex, sourceForm: 'full' }),
  options: compareOptions.parse({ slices: 1 }),
  signal: new AbortController().signal,
})
