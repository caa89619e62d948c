import type { ParsedRequest } from '../traffic/api/parse-request.ts'
import type { RequestHead } from './observer.ts'

/**
 * Whether a read is in the sample of `rate`. Single reads are chosen one by one. What belongs together (the pages of a
 * scroll, a PIT, an async search) mostly comes over one connection and is worth nothing in part: there the connection is
 * chosen, with all of it. What only tells about the cluster, or keeps house, is never in it.
 */
export function isSampled(head: RequestHead, parsed: ParsedRequest, rate: number): boolean {
  const { effect } = parsed
  if (effect !== 'read' && effect !== 'cursor') return false
  if (rate >= 1) return true
  const seed = belongsTogether(parsed) ? head.connection : head.firstByteAt + head.connection
  return mixed(seed) < rate
}

function belongsTogether({ api, effect, indices, query }: ParsedRequest): boolean {
  // A search without an index is mostly that of a PIT, which names its own.
  return effect === 'cursor' || /(^|&)scroll=/.test(query) || (api === 'search' && !indices)
}

/** A number from 0 to 1 that depends on every bit of an integer. */
function mixed(seed: number): number {
  let hash = Math.imul((seed % 2 ** 32) ^ Math.floor(seed / 2 ** 32), 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
