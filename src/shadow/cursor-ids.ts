import type { ParsedRequest } from '../traffic/api/parse-request.ts'
import type { PlainRequest } from './plan-request.ts'

/** Cursors that are remembered; those that were used longest ago go first. */
const idsMax = 10_000

/** What an id is made of, and long enough to be one. */
const token = /[A-Za-z0-9+/_=-]{8,}/g

/**
 * Scrolls, points in time and async searches of the source are known to the source alone. Where both sides have answered a
 * request that begins one, the target's id takes the place of the source's in what follows.
 */
export class CursorIds {
  readonly #ids = new Map<string, string>()

  /** Of two answers that give a cursor, or go on with one. */
  learn(source: string, target: string, parsed: ParsedRequest): void {
    const ours = idOf(source, parsed)
    const theirs = idOf(target, parsed)
    if (ours === undefined || theirs === undefined) return
    this.#ids.delete(ours)
    this.#ids.set(ours, theirs)
    if (this.#ids.size > idsMax) this.#ids.delete(this.#ids.keys().next().value!)
  }

  /** The request with the target's ids; itself where it begins a cursor; undefined where it names one that is not known. */
  translate(request: PlainRequest, parsed: ParsedRequest): PlainRequest | undefined {
    if (beginsCursor(request, parsed)) return request
    let count = 0
    const other = (id: string): string => {
      const found = this.#ids.get(id)
      if (found !== undefined) count++
      return found ?? id
    }
    const path = request.path
      .split(/([/?&=])/)
      .map((piece) => encodedAgain(piece, other))
      .join('')
    const body = request.body?.replaceAll(token, other)
    if (count === 0) return undefined
    return { method: request.method, path, ...(body !== undefined && { body }) }
  }
}

/** Whether an answer to this request gives a cursor that later ones may name. */
export function givesCursor({ api, effect, query }: ParsedRequest): boolean {
  return effect === 'cursor' || (api === 'search' && /(^|&)scroll=/.test(query))
}

function beginsCursor({ method, body }: PlainRequest, { api, parts }: ParsedRequest): boolean {
  if (api === 'open_pit' || api === 'eql' || api === 'esql_async') return parts.id === undefined
  if (api === 'async_search') return method === 'POST'
  if (api !== 'search' && api !== 'msearch') return false
  return body === undefined || !body.includes('"pit"')
}

/** A part of a path, or of its query, in which an id may be percent-encoded. */
function encodedAgain(piece: string, other: (id: string) => string): string {
  let plain = piece
  try {
    plain = decodeURIComponent(piece)
  } catch {
    return piece
  }
  const found = other(plain)
  return found === plain ? piece : encodeURIComponent(found)
}

/** The first one: what stands below it may be a field of a document. */
function idOf(answer: string, { api }: ParsedRequest): string | undefined {
  const isOwn = api === 'search' || api === 'scroll'
  const pattern = isOwn ? /"_scroll_id"\s*:\s*"([^"\\]+)"/ : /"(?:pit_id|id)"\s*:\s*"([^"\\]+)"/
  return pattern.exec(answer)?.[1]
}
