import { isJsonObject } from '../base/json.ts'
import { MigrationError } from '../base/errors.ts'
import { errorOfObject } from './answer-errors.ts'
import type { ItemProblem } from './bulk-body.ts'

/** Keeps an item's answer at 26 bytes where it was written, and whole where it was not. */
export const bulkFilterPath = 'errors,items.*.status,items.*.error'

const none: readonly ItemProblem[] = []

/**
 * Reads the answer to a bulk request, cut down by `bulkFilterPath`, and gives the items that were not written; `item` is
 * the position in the request. Each item must have its answer: a short, long or unreadable answer is no success, and
 * throws MA_CLUSTER_RESPONSE.
 *
 *   answer = {"errors":B,"items":[ item, … ]}
 *   item   = {"index":{"status":S}} | {"index":{"status":S,"error":{"type":T,"reason":R, …}}}
 *
 * with `update` or `delete` in the place of `index`. An update inserts (201), or does nothing (200) where a document is.
 */
export function readBulkAnswer(
  where: string,
  body: Buffer,
  sentCount: number,
): readonly ItemProblem[] {
  if (allWritten(body, sentCount, written) || allWritten(body, sentCount, inserted)) return none
  const items = parsedItems(where, body)
  if (items.length !== sentCount) {
    throw unusable(where, `holds ${items.length} items`, sentCount)
  }
  const problems: ItemProblem[] = []
  items.forEach((value, item) => {
    const problem = problemOf(where, item, value)
    if (problem !== undefined) problems.push(problem)
  })
  return problems
}

const head = Buffer.from('{"errors":false,"items":[')
const written = Buffer.from('{"index":{"status":20')
const inserted = Buffer.from('{"update":{"status":20')
const tail = Buffer.from(']}')

/**
 * The ordinary answer byte by byte: 26 bytes an item, status 200 or 201, and nothing else. Whatever differs is left to
 * JSON.parse, measured at three to four times the cost (a share of 1 % of a backfill).
 */
function allWritten(body: Buffer, count: number, written: Buffer): boolean {
  const stride = written.length + 4
  if (body.length !== head.length + count * stride + tail.length - 1) return false
  if (body.compare(head, 0, head.length, 0, head.length) !== 0) return false
  let at = head.length
  for (let item = 0; item < count; item++) {
    for (let i = 0; i < written.length; i++) {
      if (body[at + i] !== written[i]) return false
    }
    at += written.length
    const status = body[at]
    if (status !== 0x31 && (status !== 0x30 || written === inserted)) return false
    if (body[at + 1] !== 0x7d || body[at + 2] !== 0x7d) return false
    if (body[at + 3] !== (item === count - 1 ? 0x5d : 0x2c)) return false
    at += 4
  }
  return body[at] === 0x7d
}

function parsedItems(where: string, body: Buffer): unknown[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw unusable(where, 'is not JSON', undefined, error)
  }
  if (!isJsonObject(parsed) || !Array.isArray(parsed['items'])) {
    throw unusable(where, 'holds no list of items')
  }
  return parsed['items']
}

function problemOf(where: string, item: number, value: unknown): ItemProblem | undefined {
  const answers = isJsonObject(value) ? Object.values(value) : []
  const answer = answers[0]
  if (answers.length !== 1 || !isJsonObject(answer) || typeof answer['status'] !== 'number') {
    throw unusable(where, `has no status for item ${item}`)
  }
  const { status, error } = answer
  if (error === undefined || error === null) {
    if (status === 200 && isJsonObject(value) && 'update' in value) return { item, ...isThere }
    // 404 without an error is a delete of what was not there.
    if ((status >= 200 && status < 300) || status === 404) return undefined
    throw unusable(where, `has status ${status} and no error for item ${item}`)
  }
  if (!isJsonObject(error)) throw unusable(where, `has an unreadable error for item ${item}`)
  return { item, ...errorOfObject(status, error) }
}

/** What an insert that did nothing is told as: conflicts are what somebody else wrote before. */
const isThere = {
  status: 200,
  type: 'version_conflict_engine_exception',
  reason: 'a document of this id is there',
}

function unusable(where: string, found: string, sent?: number, cause?: unknown): MigrationError {
  const expected = sent === undefined ? '' : `, ${sent} were sent`
  return new MigrationError(
    'MA_CLUSTER_RESPONSE',
    `${where}: the answer to a bulk request ${found}${expected}; nothing of it is taken as written. ` +
      `Is a proxy between that changes answers?`,
    { cause },
  )
}
