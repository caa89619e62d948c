import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectCluster } from '../../src/cluster/connect.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { compareDocuments } from '../../src/compare/compare-documents.ts'
import { compareOptions } from '../../src/compare/options.ts'
import { uniqueName, useEngine } from '../support/engines.ts'
import { manyDocuments } from '../support/many-documents.ts'

const memoryMaxMb = 512
/** Of what is no simulation: pages of both sides. */
const pagesMb = 64

test('a billion documents a side are compared in 512 MB', async () => {
  const { counts, found, grownMb } = await manyDocuments({
    ...{ documents: 1_000_000_000, shards: 20, slices: 2, differences: 600 },
  })
  assert.deepEqual(counts, { equal: 999_999_600, different: 200, missing: 200, extra: 200 })
  assert.equal(found, 600)
  const programMb = 90
  assert.ok(programMb + grownMb + pagesMb <= memoryMaxMb, `${grownMb} MB besides`)
})

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target

const documents = 1_000_000
const bulkDocuments = 10_000

async function fill(
  cluster: Cluster,
  index: string,
  textOf: (n: number) => string | undefined,
): Promise<void> {
  const settings = { number_of_shards: 3, number_of_replicas: 0, refresh_interval: '-1' }
  const mappings = { dynamic: false }
  await cluster.request('PUT', `/${index}`, { body: { settings, mappings } })
  for (let from = 0; from < documents; from += bulkDocuments) {
    const lines: string[] = []
    for (let n = from; n < from + bulkDocuments; n++) {
      const text = textOf(n)
      if (text !== undefined) lines.push(`{"index":{"_id":"d${n}"}}\n${text}\n`)
    }
    const { body } = await cluster.request('POST', `/${index}/_bulk`, {
      query: { filter_path: 'errors' },
      body: Buffer.from(lines.join('')),
    })
    assert.equal(body.errors, false)
  }
}

test(
  'one of 1,000,000 documents that is missing is found, and nothing else',
  { skip },
  async () => {
    const clusters = [
      await connectCluster('source', { url: [source.url] }),
      await connectCluster('target', { url: [target.url] }),
    ] as const
    const index = uniqueName('million')
    const text = (n: number): string => `{"n":${n},"text":"document number ${n}"}`
    try {
      await fill(clusters[0], index, text)
      await fill(clusters[1], index, (n) => (n === 777_777 ? undefined : text(n)))
      const [verdict] = await compareDocuments({
        ...{ source: { cluster: clusters[0] }, target: clusters[1], indices: [index] },
        targetIndexOf: () => ({ targetIndex: index, sourceForm: 'full' }),
        options: compareOptions.parse({}),
        signal: new AbortController().signal,
      })
      const { equal, different, missing, extra, examples } = verdict!
      assert.deepEqual(
        { equal, different, missing, extra },
        { equal: documents - 1, different: 0, missing: 1, extra: 0 },
      )
      assert.deepEqual(examples, [{ kind: 'missing', id: 'd777777' }])
    } finally {
      for (const cluster of clusters) {
        await cluster.request('DELETE', `/${index}`, { accept: [404] })
        await cluster.close()
      }
    }
  },
)
