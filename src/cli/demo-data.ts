import type { JsonObject } from '../base/json.ts'

/**
 * Sample data of the demo: the same bytes on every run. About 140,000 documents and 125 MB of `_source` in five
 * indices, with what makes migrations hard: updates, deletes, nested documents, routing, aliases, a template.
 */
export interface DemoIndex {
  name: string
  /** Body of `PUT /<name>`. */
  create: JsonObject
  /** Bodies for `_bulk`, in order: each a few MB. */
  bulks(): Iterable<Buffer>
}

/** Bytes of all bulk bodies together, for progress. */
export const demoBytes = 126_864_669

/** Index templates by name, to be put before the indices are made. */
export const demoTemplates: { readonly [name: string]: JsonObject } = {
  'demo-logs': {
    index_patterns: ['logs-*'],
    priority: 10,
    template: {
      settings: { number_of_shards: 2, number_of_replicas: 0 },
      mappings: {
        properties: {
          '@timestamp': { type: 'date' },
          level: { type: 'keyword' },
          service: { type: 'keyword' },
          host: { type: 'keyword' },
          status: { type: 'short' },
          tookMs: { type: 'integer' },
          message: { type: 'text' },
        },
      },
      aliases: { logs: {} },
    },
  },
}

/** The indices; `scale` 1 is the whole, a smaller one makes fewer documents of each. */
export function demoIndices(scale = 1): DemoIndex[] {
  const count = (whole: number): number => Math.max(10, Math.round(whole * scale))
  return [
    logsIndex('logs-2026.10', count(45_000), 1),
    logsIndex('logs-2026.11', count(45_000), 2),
    productsIndex(count(15_000)),
    ordersIndex(count(20_000)),
    messagesIndex(count(20_000)),
  ]
}

function logsIndex(name: string, documents: number, seed: number): DemoIndex {
  const month = name.slice(-7).replace('.', '-')
  return {
    name,
    create: {},
    *bulks() {
      const random = randomNumbers(seed)
      const body = new BulkText(name)
      for (let i = 0; i < documents; i++) {
        const source = {
          '@timestamp': `${month}-${two(1 + pick(random, 28))}T${two(pick(random, 24))}:${two(pick(random, 60))}:${two(pick(random, 60))}.${String(pick(random, 1000)).padStart(3, '0')}Z`,
          level: levels[pick(random, levels.length)]!,
          service: `service-${pick(random, 40)}`,
          host: `node-${pick(random, 200)}.example.org`,
          status: statuses[pick(random, statuses.length)]!,
          tookMs: pick(random, 5000),
          trace: hex(random, 32),
          client: {
            ip: `10.${pick(random, 256)}.${pick(random, 256)}.${pick(random, 256)}`,
            agent: text(random, 6),
          },
          tags: [word(random), word(random)],
          message: text(random, 60 + pick(random, 80)),
        }
        yield* body.add({ index: { _id: `${seed}-${i}` } }, source)
      }
      yield* body.rest()
    },
  }
}

/** Products are changed and taken off: one in five was written again, one in ten deleted. */
function productsIndex(documents: number): DemoIndex {
  return {
    name: 'products',
    create: {
      settings: { number_of_shards: 1, number_of_replicas: 0 },
      mappings: {
        properties: {
          sku: { type: 'keyword' },
          name: { type: 'text', fields: { raw: { type: 'keyword' } } },
          price: { type: 'scaled_float', scaling_factor: 100 },
          stock: { type: 'integer' },
          place: { type: 'geo_point' },
        },
      },
      aliases: { catalogue: {}, 'in-stock': { filter: { range: { stock: { gt: 0 } } } } },
    },
    *bulks() {
      const random = randomNumbers(3)
      const body = new BulkText('products')
      const product = (i: number, revision: number): JsonObject => ({
        sku: `SKU-${String(i).padStart(7, '0')}`,
        name: text(random, 4),
        description: text(random, 30 + pick(random, 40)),
        price: pick(random, 100_000) / 100,
        stock: pick(random, 50),
        place: { lat: pick(random, 180_000) / 1000 - 90, lon: pick(random, 360_000) / 1000 - 180 },
        revision,
        note: 'Größe, 日本語, 👍 and "quotes"',
      })
      for (let i = 0; i < documents; i++)
        yield* body.add({ index: { _id: `p${i}` } }, product(i, 1))
      for (let i = 0; i < documents; i += 5)
        yield* body.add({ index: { _id: `p${i}` } }, product(i, 2))
      for (let i = 3; i < documents; i += 10) yield* body.add({ delete: { _id: `p${i}` } })
      for (let i = 1; i < documents; i += 100) {
        yield* body.add({ update: { _id: `p${i}` } }, { doc: { stock: 0, soldOut: true } })
      }
      yield* body.rest()
    },
  }
}

/** Orders hold their items as nested documents. */
function ordersIndex(documents: number): DemoIndex {
  return {
    name: 'orders',
    create: {
      settings: { number_of_shards: 2, number_of_replicas: 0, 'index.codec': 'best_compression' },
      mappings: {
        properties: {
          customer: { type: 'keyword' },
          ordered: { type: 'date' },
          total: { type: 'double' },
          items: {
            type: 'nested',
            properties: { sku: { type: 'keyword' }, quantity: { type: 'integer' } },
          },
        },
      },
    },
    *bulks() {
      const random = randomNumbers(4)
      const body = new BulkText('orders')
      const order = (i: number, state: string): JsonObject => ({
        customer: `c${pick(random, 5000)}`,
        ordered: `2026-${two(1 + pick(random, 12))}-${two(1 + pick(random, 28))}`,
        state,
        number: 9_007_199_254_000_000 + i,
        total: pick(random, 1_000_000) / 100,
        address: text(random, 10),
        items: Array.from({ length: 1 + pick(random, 4) }, () => ({
          sku: `SKU-${String(pick(random, 15_000)).padStart(7, '0')}`,
          quantity: 1 + pick(random, 9),
          remark: text(random, 8),
        })),
      })
      for (let i = 0; i < documents; i++)
        yield* body.add({ index: { _id: `o-${i}` } }, order(i, 'open'))
      for (let i = 0; i < documents; i += 7)
        yield* body.add({ index: { _id: `o-${i}` } }, order(i, 'sent'))
      for (let i = 5; i < documents; i += 50) yield* body.add({ delete: { _id: `o-${i}` } })
      yield* body.rest()
    },
  }
}

/** Messages are routed by their room, and ids are the server's own for some. */
function messagesIndex(documents: number): DemoIndex {
  return {
    name: 'messages',
    create: {
      settings: { number_of_shards: 3, number_of_replicas: 0 },
      mappings: {
        _routing: { required: true },
        properties: { room: { type: 'keyword' }, sent: { type: 'date' }, text: { type: 'text' } },
      },
      aliases: { 'room-1': { filter: { term: { room: 'room-1' } }, routing: 'room-1' } },
    },
    *bulks() {
      const random = randomNumbers(5)
      const body = new BulkText('messages')
      const message = (room: string): JsonObject => ({
        room,
        sent: `2026-11-${two(1 + pick(random, 28))}T${two(pick(random, 24))}:00:00Z`,
        author: word(random),
        text: text(random, 20 + pick(random, 60)),
      })
      for (let i = 0; i < documents; i++) {
        const room = `room-${pick(random, 300)}`
        yield* body.add({ index: { _id: `m/${i}`, routing: room } }, message(room))
      }
      // The same id under another routing is another document, where it lies in another shard.
      for (let i = 0; i < documents; i += 1000) {
        yield* body.add({ index: { _id: `m/${i}`, routing: 'moved' } }, message('moved'))
      }
      yield* body.rest()
    },
  }
}

const bulkChars = 4 << 20

/** Collects actions and sources and gives them away in bodies of a few MB. */
class BulkText {
  readonly #index: string
  #parts: string[] = []
  #length = 0

  constructor(index: string) {
    this.#index = index
  }

  *add(action: { [name: string]: JsonObject }, source?: JsonObject): Iterable<Buffer> {
    const [[operation, target] = ['index', {}]] = Object.entries(action)
    let lines = `${JSON.stringify({ [operation]: { _index: this.#index, ...target } })}\n`
    if (source) lines += `${JSON.stringify(source)}\n`
    this.#parts.push(lines)
    this.#length += lines.length
    if (this.#length >= bulkChars) yield* this.rest()
  }

  *rest(): Iterable<Buffer> {
    if (this.#length > 0) yield Buffer.from(this.#parts.join(''))
    this.#parts = []
    this.#length = 0
  }
}

const levels = ['INFO', 'INFO', 'INFO', 'DEBUG', 'WARN', 'ERROR']
const statuses = [200, 200, 200, 201, 204, 301, 400, 404, 500]

const syllables = 'ba ke di lo mu ra se ti no vu ga pe li so ru fa he mi do tu'.split(' ')
const vocabulary = makeVocabulary()

function makeVocabulary(): string[] {
  const random = randomNumbers(42)
  return Array.from({ length: 4096 }, () =>
    Array.from(
      { length: 2 + pick(random, 3) },
      () => syllables[pick(random, syllables.length)]!,
    ).join(''),
  )
}

type Random = () => number

/** Numbers in [0, 2^32), the same for the same seed (mulberry32). */
function randomNumbers(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

function pick(random: Random, below: number): number {
  return random() % below
}

function word(random: Random): string {
  return vocabulary[random() & 4095]!
}

function text(random: Random, words: number): string {
  let result = word(random)
  for (let i = 1; i < words; i++) result += ` ${word(random)}`
  return result
}

function hex(random: Random, digits: number): string {
  let result = ''
  while (result.length < digits) result += random().toString(16).padStart(8, '0')
  return result.slice(0, digits)
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
