/** Documents and indices for tests of the way from source to target. */
import type { JsonObject } from '../../src/base/json.ts'
import { send, type TestEngine } from './engines.ts'

/** source null: the document is deleted. */
export type Item = { id: string; routing?: string; source: object | null }

/** `count` documents d<from>, d<from + 1>, … of different lengths. */
export function numbered(count: number, from = 0): Item[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `d${from + i}`,
    source: { n: from + i, text: `text ${'abc '.repeat(i % 40)}` },
  }))
}

/** One shard, no replicas and no refresh of its own, if not said otherwise. */
export async function makeIndex(
  engine: TestEngine,
  name: string,
  given: { settings?: JsonObject | undefined; mappings?: JsonObject | undefined } = {},
): Promise<void> {
  const defaults = { number_of_shards: 1, number_of_replicas: 0, refresh_interval: -1 }
  await send(engine, 'PUT', `/${name}`, {
    settings: { ...defaults, ...given.settings },
    mappings: { ...given.mappings },
  })
}

/** Writes them in one bulk, as one segment a shard. */
export async function putItems(
  engine: TestEngine,
  index: string,
  items: readonly Item[],
): Promise<void> {
  const lines = items.flatMap(({ id, routing, source }) => {
    const action = { _id: id, ...(routing !== undefined && { routing }) }
    if (source === null) return [JSON.stringify({ delete: action })]
    return [JSON.stringify({ index: action }), JSON.stringify(source)]
  })
  await send(engine, 'POST', `/${index}/_bulk`, lines.join('\n') + '\n')
  await send(engine, 'POST', `/${index}/_refresh`)
}
