import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryLog } from '../../test/support/memory-log.ts'
import { MigrationError } from '../base/errors.ts'
import type { CaptureLogWriter } from '../traffic/capture-log.ts'
import type { CaptureRecord } from '../traffic/exchange.ts'
import { LateStream, mayPass } from './late-stream.ts'
import { writeBeginning } from './open-recorder.ts'

const failure = new MigrationError('MA_CAPTURE_LOG', 'the first failure')
const meanwhile = { stream: 'edge.0', place: 'brokers', bytesMax: 5 }

function append(log: CaptureLogWriter, record: CaptureRecord): Promise<void> {
  return new Promise((resolve, reject) => {
    log.append(record, (error) => (error === undefined ? resolve() : reject(error)))
  })
}

function mark(at: number): CaptureRecord {
  return { kind: 'started', proxy: 'edge.1', at, version: '1' }
}

test('a stream that opens late refuses by name, then has its beginning first and the name it was opened with', async () => {
  const log = new MemoryLog({ isClean: false, at: 3, number: 9 })
  const tries: (() => void)[] = []
  const tried = (): Promise<void> => new Promise((resolve) => tries.push(resolve))
  let isBack = false
  const late = new LateStream({
    ...{ failure, meanwhile, retryFirstMs: 1 },
    open: () => {
      for (const told of tries.splice(0)) told()
      if (!isBack) return Promise.reject(new MigrationError('MA_CAPTURE_LOG', 'still away'))
      return Promise.resolve({ stream: 'edge.1', place: 'brokers/topic', writer: log })
    },
    begin: ({ stream, writer }) =>
      writeBeginning(writer, { proxy: stream, version: '1', now: () => 10 }),
  })
  await assert.rejects(append(late, mark(1)), /the first failure/)
  assert.deepEqual(
    [late.stream, late.last, late.usage()],
    ['edge.0', undefined, { bytes: 0, bytesMax: 5 }],
  )
  await tried()
  await tried()
  await assert.rejects(append(late, mark(2)), /still away/)
  isBack = true
  while (late.stream === 'edge.0') await new Promise((resolve) => setImmediate(resolve))
  await append(late, mark(20))
  assert.deepEqual(late.last, { isClean: false, at: 3, number: 9 })
  assert.deepEqual(
    log.records.map((one) => ('at' in one ? [one.kind, one.at] : [one.kind])),
    [['gap'], ['started', 10], ['started', 20]],
  )
  await late.close()
  assert.ok(log.isClosed)
})

test('a stream that does not take its beginning is closed and opened anew', async () => {
  const first = new MemoryLog()
  first.failure = 'full'
  const second = new MemoryLog()
  const logs = [first, second]
  const late = new LateStream({
    ...{ failure, meanwhile, retryFirstMs: 1 },
    open: () => Promise.resolve({ stream: 'edge.1', place: 'x', writer: logs.shift()! }),
    begin: ({ writer }) => append(writer, mark(1)),
  })
  while (late.stream === 'edge.0') await new Promise((resolve) => setImmediate(resolve))
  assert.ok(first.isClosed)
  assert.equal(second.records.length, 1)
  await late.close()
})

test('a stream that is closed before it opened is tried no more', async () => {
  const late = new LateStream({
    ...{ failure, meanwhile, retryFirstMs: 1 },
    open: () => Promise.reject(failure),
    begin: () => Promise.resolve(),
  })
  await late.close()
  await assert.rejects(append(late, mark(1)), /the first failure/)
})

test('a full disk may pass, and what a person is to mend does not', () => {
  const of = (code: string): MigrationError =>
    new MigrationError('MA_CAPTURE_LOG', 'x', { cause: Object.assign(new Error('x'), { code }) })
  assert.equal(mayPass(of('ENOSPC')), true)
  assert.equal(mayPass(of('EROFS')), true)
  assert.equal(mayPass(new MigrationError('MA_CAPTURE_LOG', 'x', { retryable: true })), true)
  assert.equal(mayPass(of('EACCES')), false)
  const ofLock = (errcode: number): MigrationError =>
    new MigrationError('MA_CAPTURE_LOG', 'x', { cause: Object.assign(new Error('x'), { errcode }) })
  assert.deepEqual(
    [13, 10 | (3 << 8), 26].map((code) => mayPass(ofLock(code))),
    [true, true, false],
  )
  assert.equal(mayPass(new MigrationError('MA_CONFIG', 'x')), false)
  assert.equal(mayPass(new Error('x')), false)
})
