/** An index to be searched: a shop of numbered shoes, the same on every version. */
import type { JsonObject } from '../../src/base/json.ts'
import { send, type EngineFacts } from './engines.ts'

export interface ShopOptions {
  readonly documents?: number
  readonly settings?: JsonObject
  /** Fields that are mapped otherwise. */
  readonly properties?: JsonObject
}

/** Makes the index with mapping type `item` where the engine has types of any name (before 7), and fills it. */
export async function fillShop(
  engine: EngineFacts,
  index: string,
  { documents = 50, settings, properties }: ShopOptions = {},
): Promise<void> {
  const major = engine.kind === 'opensearch' ? 99 : Number(engine.version.split('.')[0])
  const mapping = { properties: { ...shopProperties(major), ...properties } }
  await send(engine, 'PUT', `/${index}`, {
    settings: { number_of_shards: 1, number_of_replicas: 0, ...settings },
    mappings: major < 7 ? { item: mapping } : mapping,
  })
  let lines = ''
  for (let n = 0; n < documents; n++) {
    const meta = { _index: index, ...(major < 7 && { _type: 'item' }), _id: String(n) }
    lines += `${JSON.stringify({ index: meta })}\n${JSON.stringify(shopDocument(n))}\n`
  }
  await send(engine, 'POST', '/_bulk?refresh=true', lines)
}

function shopProperties(major: number): JsonObject {
  const keyword = major < 5 ? { type: 'string', index: 'not_analyzed' } : { type: 'keyword' }
  const text = { type: major < 5 ? 'string' : 'text' }
  return {
    color: keyword,
    name: text,
    price: { type: 'double' },
    n: { type: 'long' },
    at: { type: 'date' },
    place: { type: 'geo_point' },
    tags: { type: 'nested', properties: { k: keyword, v: { type: 'integer' } } },
  }
}

const makers = ['hiking', 'running', 'dancing', 'sailing', 'walking']

/** Every seventh has no color. */
export function shopDocument(n: number): JsonObject {
  const month = String(1 + (n % 9)).padStart(2, '0')
  const day = String(10 + (n % 10))
  return {
    ...(n % 7 > 0 && { color: ['red', 'blue', 'green'][n % 3]! }),
    name: `${makers[n % 5]!} shoe number ${n} ${n % 2 > 0 ? 'odd' : 'even'}`,
    price: n * 1.5,
    n,
    at: `2019-${month}-${day}T10:00:00Z`,
    place: { lat: 50 + (n % 40) / 10, lon: 8 },
    tags: [
      { k: 'a', v: n },
      { k: 'b', v: -n },
    ],
  }
}
