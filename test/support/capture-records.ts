/** Records of a capture log, as random as their types allow. */
import type { CaptureRecord, RawHeaders, ThinItem } from '../../src/traffic/exchange.ts'
import { randomString } from './random-json.ts'

type Random = () => number

const below = (random: Random, n: number): number => Math.floor(random() * n)

function randomNumber(random: Random): number {
  const bits = below(random, 54)
  return Math.floor(random() * 2 ** bits)
}

function randomText(random: Random): string {
  const kind = below(random, 10)
  if (kind === 0) return ''
  if (kind < 6)
    return 'abcdefghijklmnop/_-?=&%'.slice(below(random, 10)).repeat(1 + below(random, 3))
  return randomString(random, kind === 9 ? 400 : 20)
}

function randomHeaders(random: Random): RawHeaders {
  return Array.from({ length: 2 * below(random, 5) }, () => randomText(random))
}

function randomBody(random: Random): Buffer {
  const kind = below(random, 12)
  const length = kind < 4 ? 0 : kind < 10 ? below(random, 2000) : below(random, 40_000)
  return Buffer.alloc(length, randomString(random, 50) + 'x')
}

function randomItem(random: Random): ThinItem {
  return {
    index: randomText(random),
    id: randomText(random),
    result: randomText(random),
    ...(random() < 0.7 && { seqNo: randomNumber(random) }),
    ...(random() < 0.7 && { primaryTerm: 1 + below(random, 100) }),
    ...(random() < 0.2 && { routing: randomText(random) }),
  }
}

/** A record of the exchange `number`; reads back equal, by value. */
export function randomRecord(random: Random, number = randomNumber(random)): CaptureRecord {
  const proxy = random() < 0.9 ? 'edge-1.0' : randomText(random)
  const exchange = { proxy, number }
  const [firstByteAt, lastByteAt] = [randomNumber(random), randomNumber(random)]
  const body = randomBody(random)
  const bodyBytes = body.length + (random() < 0.1 ? randomNumber(random) % 1e9 : 0)
  const common = {
    exchange,
    headers: randomHeaders(random),
    body,
    bodyBytes,
    firstByteAt,
    lastByteAt,
  }
  switch (below(random, 12)) {
    case 0:
      return {
        ...{ kind: 'thin', exchange, status: below(random, 600), lastByteAt },
        items: Array.from({ length: below(random, 5) }, () => randomItem(random)),
      }
    case 1:
      return {
        ...{ kind: 'gap', proxy, from: firstByteAt, until: lastByteAt, requests: 1 + number },
        cause: randomText(random),
        ...(random() < 0.5 && { indices: randomHeaders(random) }),
      }
    case 2:
      return { kind: 'started', proxy, at: firstByteAt, version: randomText(random) }
    case 3:
      return { kind: 'stopped', proxy, at: firstByteAt, version: randomText(random) }
    case 4:
    case 5:
    case 6:
    case 7:
      return { ...common, kind: 'response', status: below(random, 600) }
    default:
      return {
        ...common,
        ...{ kind: 'request', connection: randomNumber(random), mayWrite: random() < 0.5 },
        method: randomText(random),
        target: randomText(random),
      }
  }
}

/** A request with a number, a time and a body that follow from the number alone. */
export function numberedRequest(
  number: number,
  bodyBytes = 100,
): CaptureRecord & { kind: 'request' } {
  return {
    kind: 'request',
    exchange: { proxy: 'p1', number },
    connection: 1,
    method: 'PUT',
    target: `/shop/_doc/${number}`,
    headers: ['content-type', 'application/json'],
    body: Buffer.alloc(bodyBytes, `${number} `),
    bodyBytes,
    firstByteAt: 1_700_000_000_000_000 + number,
    lastByteAt: 1_700_000_000_000_001 + number,
    mayWrite: true,
  }
}

/** Bytes of the body of a numbered request, where they follow from its number, too. */
export function bodyBytesOf(number: number): number {
  return number % 50 === 0 ? 30_000 : (number * 37) % 900
}
