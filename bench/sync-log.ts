/** A capture log as the proxy would have left it: writes of documents of 1 KB, and the answers of an engine to them. */
import { once } from 'node:events'
import type { CaptureRecord } from '../src/traffic/exchange.ts'
import { openLocalLog } from '../src/traffic/local-log.ts'
import { sinkIndex } from './null-sink.ts'

export interface SyncLogShape {
  /** Documents of a request; 1: a PUT of its own. */
  readonly documentsEach: number
  readonly documents: number
}

export const syncStream = 'bench.0'

/** A document of about 1 KB; none is like another. */
export function documentText(number: number): string {
  const words = `the ${number} quick brown foxes of ${number * 7919} jump over lazy dogs `
  return JSON.stringify({
    '@timestamp': new Date(1_760_000_000_000 + number).toISOString(),
    number,
    host: { name: `host-${number % 100}`, ip: `10.0.${number % 256}.${number % 251}` },
    message: words.repeat(Math.ceil(850 / words.length)).slice(0, 850),
  })
}

function answerText(number: number): string {
  const { name } = sinkIndex
  return `{"_index":"${name}","_id":"d${number}","_version":1,"result":"created","_shards":{"total":2,"successful":1,"failed":0},"_seq_no":${number},"_primary_term":1`
}

function requestOf(first: number, count: number): { target: string; body: string; answer: string } {
  const { name } = sinkIndex
  if (count === 1) {
    const target = `/${name}/_doc/d${first}`
    return { target, body: documentText(first), answer: `${answerText(first)}}` }
  }
  const numbers = Array.from({ length: count }, (_, i) => first + i)
  const lines = numbers.map(
    (n) => `{"index":{"_index":"${name}","_id":"d${n}"}}\n${documentText(n)}\n`,
  )
  const items = numbers.map((n) => `{"index":${answerText(n)},"status":201}}`)
  const answer = `{"took":30,"errors":false,"items":[${items.join(',')}]}`
  return { target: '/_bulk', body: lines.join(''), answer }
}

/** Writes the log to `folder`, and returns the bytes of all sources. */
export async function writeSyncLog(
  folder: string,
  { documents, documentsEach }: SyncLogShape,
): Promise<number> {
  const log = await openLocalLog({
    ...{ folder: `${folder}/${syncStream}`, stream: syncStream, bytesMax: 2 ** 40 },
  })
  let sourceBytes = 0
  let waiting = 0
  const durable = new EventTarget()
  const append = async (record: CaptureRecord): Promise<void> => {
    waiting++
    log.append(record, (error) => {
      waiting--
      if (error) throw error
      durable.dispatchEvent(new Event('some'))
    })
    while (waiting > 64) await once(durable, 'some')
  }
  for (let first = 0, number = 0; first < documents; first += documentsEach, number++) {
    const { target, body, answer } = requestOf(first, documentsEach)
    const exchange = { proxy: syncStream, number }
    const at = 1_760_000_000_000_000 + number * 1000
    const common = { exchange, headers: ['content-type', 'application/json'] }
    const sent = Buffer.from(body)
    const answered = Buffer.from(answer)
    sourceBytes += sent.length
    await append({
      ...{ ...common, kind: 'request', connection: number % 16, mayWrite: true },
      ...{ method: documentsEach === 1 ? 'PUT' : 'POST', target, body: sent },
      ...{ bodyBytes: sent.length, firstByteAt: at, lastByteAt: at },
    })
    await append({
      ...{ ...common, kind: 'response', status: documentsEach === 1 ? 201 : 200 },
      ...{ body: answered, bodyBytes: answered.length, firstByteAt: at + 1, lastByteAt: at + 2 },
    })
  }
  await log.close()
  return sourceBytes
}
