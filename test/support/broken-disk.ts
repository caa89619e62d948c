/** An index of a real engine whose files are damaged, as by a failing disk. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Cluster } from '../../src/cluster/cluster.ts'
import type { TestEngine } from './engines.ts'

/** Makes an index of Elasticsearch 7 with 200 documents a shard, of which one shard can no longer be copied. */
export async function makeBrokenIndex(
  { cluster, engine }: { cluster: Cluster; engine: TestEngine },
  index: string,
  { shards, broken }: { shards: number; broken: number },
): Promise<void> {
  await cluster.request('PUT', `/${index}`, {
    body: { settings: { number_of_shards: shards, number_of_replicas: 0 } },
  })
  const lines = Array.from(
    { length: 200 * shards },
    (_, n) => `{"index":{"_id":"d${n}"}}\n{"text":"word${n}"}\n`,
  )
  await cluster.request('POST', `/${index}/_bulk`, { body: Buffer.from(lines.join('')) })
  await cluster.request('POST', `/${index}/_flush`, { query: { force: true } })
  const { body } = await cluster.request<{ uuid: string }[]>('GET', `/_cat/indices/${index}`, {
    query: { format: 'json', h: 'uuid' },
  })
  await flipByte(path.join(engine.dir, 'data/nodes/0/indices', body[0]!.uuid, `${broken}/index`))
}

/** The engine retries the shard meanwhile, and would acknowledge after 30 s. */
export async function dropBrokenIndex(cluster: Cluster, index: string): Promise<void> {
  await cluster.request('DELETE', `/${index}`, { query: { timeout: '1s' } })
}

/** Flips a byte in the middle of the largest file. */
async function flipByte(folder: string): Promise<void> {
  const files = await Promise.all(
    (await readdir(folder)).map(async (name) => {
      const file = path.join(folder, name)
      return { file, size: (await stat(file)).size }
    }),
  )
  const { file, size } = files.sort((a, b) => b.size - a.size)[0]!
  const bytes = await readFile(file)
  bytes[size >> 1]! ^= 0xff
  await writeFile(file, bytes)
}
