/** The whole mix on two clusters that hold the same, 20 times, while each of them refreshes and merges on its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/base/seeded-random.ts'
import { askBoth, shopRequests } from '../support/compare-searches.ts'
import { send, uniqueName, useEngine, type EngineFacts } from '../support/engines.ts'
import { fillShop, shopDocument } from '../support/search-shop.ts'

const one = await useEngine('opensearch', '3', { own: true })
const other = await useEngine('opensearch', '3', { own: true })
const documents = 1000

/** Writes documents again as they are, refreshes and merges, at its own time. */
async function churn(
  engine: EngineFacts,
  { index, seed, signal }: { index: string; seed: number; signal: AbortSignal },
): Promise<void> {
  const random = seededRandom(seed)
  while (!signal.aborted) {
    const lines = Array.from({ length: 30 }, () => {
      const n = Math.floor(random() * documents)
      return `{"index":{"_id":"${n}"}}\n${JSON.stringify(shopDocument(n))}\n`
    })
    await send(engine, 'POST', `/${index}/_bulk`, lines.join(''))
    if (random() < 0.5) await send(engine, 'POST', `/${index}/_refresh`)
    if (random() < 0.2) await send(engine, 'POST', `/${index}/_forcemerge?max_num_segments=1`)
  }
}

test(
  'two clusters that hold the same give no difference in 20 runs',
  { skip: one.skip },
  async () => {
    const index = uniqueName('search-twins')
    const settings = { number_of_shards: 3, refresh_interval: '1s' }
    await Promise.all(
      [one, other].map((engine) => fillShop(engine, index, { documents, settings })),
    )
    const stop = new AbortController()
    const churning = [one, other].map((engine, seed) =>
      churn(engine, { index, seed, signal: stop.signal }),
    )
    const urls = { sourceUrl: one.url, targetUrl: other.url }
    try {
      for (let seed = 1; seed <= 20; seed++) {
        const made = await askBoth({ ...urls, requests: { count: 150, indices: [index] }, seed })
        const asked = await askBoth({ ...urls, requests: shopRequests(index), seed })
        assert.deepEqual([...made.findings, ...asked.findings], [], `seed ${seed}`)
      }
    } finally {
      stop.abort()
      await Promise.all(churning)
    }
  },
)
