/**
 * Log-like documents that depend on seed and number alone: 1,000 to 2,400 bytes of JSON on one line, 1,834 on average,
 * in Lucene's LZ4 at a ratio of about 1.8: words of a vocabulary and set phrases, but ids, times and numbers that repeat
 * nowhere. The figures in the goals come from documents of that size and ratio.
 */

/** What the figures of a benchmark are told for: 247,422 documents are 455 MB. */
export const documentsDefault = 247_422
export const averageSourceBytes = 1834

export interface LogDocument {
  readonly id: string
  /** JSON text on one line. */
  readonly source: string
}

/** Document number `n`; `revision` 1 is what an update made of it. */
export function logDocument(n: number, revision: number): LogDocument {
  const random = randomOf(Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(revision + 1, 0x85ebca6b))
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)]!
  const hex = (digits: number): string => {
    let text = ''
    while (text.length < digits)
      text += Math.floor(random() * 0x100000000)
        .toString(16)
        .padStart(8, '0')
    return text.slice(0, digits)
  }
  const ip = (): string => Array.from({ length: 4 }, () => Math.floor(random() * 256)).join('.')
  const number = (below: number): number => Math.floor(random() * below)
  const wanted = 1000 + 1400 * random() ** 0.7
  const head =
    `{"@timestamp":"${new Date(1577836800000 + n * 137 + Math.floor(random() * 100)).toISOString()}",` +
    `"log":{"level":"${pick(levels)}","logger":"org.example.${pick(words)}.${pick(words)}"},` +
    `"host":{"name":"web-${Math.floor(random() * 60)}","ip":"${ip()}"},` +
    `"trace":{"id":"${hex(32)}","span":"${hex(16)}"},` +
    `"http":{"method":"${pick(methods)}","status":${pick(statuses)},"path":"/api/v${1 + Math.floor(random() * 3)}/${pick(words)}/${Math.floor(random() * 1e6)}",` +
    `"bytes":${Math.floor(random() * 1e5)},"seconds":${(random() * 2).toFixed(6)}},` +
    `"client":{"ip":"${ip()}","agent":"${pick(agents)}"},"user":"${pick(words)}${Math.floor(random() * 1e5)}",` +
    `"revision":${revision},"ok":${random() < 0.9},"message":"`
  const tail = '"}'
  let message = ''
  while (head.length + message.length + tail.length < wanted) {
    const dice = random()
    if (dice < 0.06) message += `${hex(16)} `
    else if (dice < 0.07) message += 'größe=é '
    else if (dice < 0.1)
      message += `\\n\\tat org.example.${pick(words)}.${pick(words)}(Handler.java:${number(900)})`
    else if (dice < 0.13)
      message += `connection to ${ip()}:9200 timed out after ${number(9000)} ms; `
    else if (dice < 0.16)
      message += `user=\\"${pick(words)}\\" session=${hex(8)} elapsed=${number(3000)}ms `
    else message += `${pick(words)} `
  }
  return { id: documentId(n), source: head + message + tail }
}

/** Numbers and names take turns: Elasticsearch keeps them in different encodings. */
function documentId(n: number): string {
  return n % 2 === 0 ? String(n) : `log-${n}`
}

/** Every hundredth document is written twice, so that segments hold dead ones too. */
export function isUpdated(n: number): boolean {
  return n % 100 === 7
}

/** The document as it must arrive. */
export function finalDocument(n: number): LogDocument {
  return logDocument(n, isUpdated(n) ? 1 : 0)
}

/** Mapping of such documents, for source and target. */
export const logMapping = {
  dynamic: 'strict',
  properties: {
    '@timestamp': { type: 'date' },
    log: { properties: { level: { type: 'keyword' }, logger: { type: 'keyword' } } },
    host: { properties: { name: { type: 'keyword' }, ip: { type: 'ip' } } },
    trace: { properties: { id: { type: 'keyword' }, span: { type: 'keyword' } } },
    http: {
      properties: {
        method: { type: 'keyword' },
        status: { type: 'short' },
        path: { type: 'keyword' },
        bytes: { type: 'long' },
        seconds: { type: 'double' },
      },
    },
    client: { properties: { ip: { type: 'ip' }, agent: { type: 'keyword' } } },
    user: { type: 'keyword' },
    revision: { type: 'byte' },
    ok: { type: 'boolean' },
    message: { type: 'text' },
  },
}

/** mulberry32 */
function randomOf(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const levels = ['DEBUG', 'INFO', 'INFO', 'INFO', 'WARN', 'ERROR']
const methods = ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE']
const statuses = ['200', '200', '200', '201', '204', '301', '400', '404', '500', '503']
const agents = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1',
  'curl/8.5.0',
  'okhttp/4.12.0',
]

const words = makeWords()

/** 2,000 words of two to four syllables. */
function makeWords(): string[] {
  const random = randomOf(42)
  const syllables =
    'ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu tra ple kri sto'.split(' ')
  return Array.from({ length: 2000 }, () =>
    Array.from(
      { length: 2 + Math.floor(random() * 3) },
      () => syllables[Math.floor(random() * syllables.length)],
    ).join(''),
  )
}
