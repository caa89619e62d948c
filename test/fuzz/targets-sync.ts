/** Requests and answers of clients and engines that are not what they should be: what an exchange comes to. */
import assert from 'node:assert/strict'
import { changesOf } from '../../src/sync/changes-of.ts'
import {
  changesContext,
  loggedExchange,
  outcomeText,
  sourceIndex,
} from '../support/logged-exchanges.ts'
import { mutate } from './mutations.ts'
import type { Target } from './target.ts'

const context = changesContext([
  sourceIndex('i', { aliases: new Map([['a', { indexRouting: 'R' }]]) }),
  sourceIndex('.ds-s-1', { dataStream: 's' }),
])

const bulk = [
  ...['{"index":{"_index":"i","_id":"1"}}', '{"n":1}', '{"create":{"_index":"s"}}', '{"n":2}'],
  ...['{"update":{"_id":"3","_index":"a"}}', '{"doc":{}}', '{"delete":{"_index":"i","_id":4}}', ''],
].join('\n')
const bulkAnswer =
  '{"took":1,"errors":false,"items":[' +
  '{"index":{"_index":"i","_id":"1","_version":1,"result":"created","_seq_no":1,"status":201}},' +
  '{"create":{"_index":".ds-s-1","_id":"x","_version":1,"result":"created","_seq_no":2,"status":201}},' +
  '{"update":{"_index":"i","_id":"3","_version":2,"result":"updated","_seq_no":3,"status":200}},' +
  '{"delete":{"_index":"i","_id":"4","_version":2,"result":"deleted","_seq_no":4,"status":200}}]}'
const oneAnswer = '{"_index":"i","_id":"1","_version":7,"result":"updated","_seq_no":6}'

const exchanges: readonly (readonly [
  line: string,
  status: number,
  body: string,
  answer: string,
])[] = [
  ['POST /_bulk', 200, bulk, bulkAnswer],
  ['POST /i/_bulk?routing=r', 200, bulk.replaceAll('"_index":"i",', ''), bulkAnswer],
  ['POST /_bulk', 400, bulk, '{"error":{},"status":400}'],
  ['PUT /i/_doc/1', 200, '{\n "n": 1, // c\n "s": "\\""\n}', oneAnswer],
  ['POST /i/_doc', 201, '{"n":1}', oneAnswer],
  ['DELETE /i/_doc/1', 404, '', oneAnswer.replace('updated', 'not_found')],
  ['POST /_reindex', 200, '{"dest":{"index":"i"}}', '{}'],
]

const between = '\n=====\n'

const changes: Target = {
  name: 'sync-changes',
  workPerByte: 2000,
  async samples() {
    return exchanges.map(([line, status, body, answer]) => {
      const bytes = Buffer.from(body + between + answer)
      return {
        name: `${line} ${status}`,
        bytes,
        decode: (hostile) => decodeExchange(Buffer.from(hostile), line, status),
        vary: (random) => mutate(random, bytes),
      }
    })
  },
}

function decodeExchange(bytes: Buffer, line: string, status: number): string[] {
  const at = bytes.indexOf(between)
  const body = at < 0 ? bytes : bytes.subarray(0, at)
  const answer = at < 0 ? Buffer.alloc(0) : bytes.subarray(at + between.length)
  const outcome = changesOf(loggedExchange({ line, body, status, answer }), context)
  const told = toldBy(answer)
  for (const { what, index, id, seqNo, source } of outcome.changes) {
    if (what === 'read' && seqNo === undefined) continue
    // Nothing is written or deleted, and no number given, that the answer does not tell.
    const results =
      what === 'delete' ? ['deleted', 'not_found', 'other'] : ['created', 'updated', 'other']
    const key = (result: string): string => JSON.stringify([index, id, seqNo, result])
    const isTold = results.some((result) => told.has(key(result)))
    assert.ok(isTold || what === 'read', `${what} ${index}/${id} #${seqNo} is not in the answer`)
    if (what !== 'write') continue
    assert.ok(source !== undefined && source[0] === 0x7b && !source.includes(0x0a))
    // Alone it may stand in several lines.
    assert.ok(!line.includes('_bulk') || body.includes(source), 'a source that was not sent')
  }
  return outcomeText(outcome)
}

type Told = Record<string, unknown>

/** Index, id, number and result of each item that an answer has. */
function toldBy(answer: Buffer): Set<string> {
  const told = new Set<string>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { _index, _id, _seq_no, result, error } = value as Told
    const isNumber = Number.isSafeInteger(_seq_no) && (_seq_no as number) >= 0
    const seqNo = isNumber ? _seq_no : undefined
    const known = ['created', 'updated', 'deleted', 'not_found', 'noop']
    const text = known.includes(result as string) ? result : 'other'
    if (error === undefined) told.add(JSON.stringify([_index, _id, seqNo, text]))
    for (const inner of Object.values(value)) visit(inner)
  }
  try {
    visit(JSON.parse(answer.toString()))
  } catch {
    // No JSON tells nothing.
  }
  return told
}

export const syncTargets: readonly Target[] = [changes]
