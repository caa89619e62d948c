import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { CaptureResult } from '../../bench/capture.ts'
import type { PartResult } from '../../bench/parts.ts'
import type { ShadowResult } from '../../bench/shadow.ts'
import type { SyncResult } from '../../bench/sync.ts'

test('the benchmark of a small backfill moves every document unchanged', async () => {
  const main = path.join(import.meta.dirname, '../../bench/main.ts')
  const args = [main, 'backfill', '--small', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 240_000 })
  const { results } = JSON.parse(stdout) as { results: PartResult[] }
  // 9 MB say nothing about speed: documents, bytes and hash must be right.
  assert.deepEqual(
    results.map(({ part, documents, hash, correct }) => ({ part, documents, hash, correct })),
    ['(a) decode, warm', '(b) null sink, 1 thread', '(b) null sink, 2 threads'].map((part) => ({
      part,
      documents: 5000,
      hash: '075a1ba38b14d6d9',
      correct: true,
    })),
  )
})

test('the benchmark of a small capture proxy answers every request', async () => {
  const main = path.join(import.meta.dirname, '../../bench/main.ts')
  const args = [main, 'capture', '--small', '--json', '--parts', 'proxy,local log']
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 })
  const { results } = JSON.parse(stdout) as { results: CaptureResult[] }
  assert.deepEqual(
    results.map(({ part, correct }) => ({ part, correct })),
    ['straight', 'proxy', 'local log'].map((part) => ({ part, correct: true })),
  )
})

/** Of all documents that are in the log, in any order. */
const syncHash = '60afe80d10c6928a'

test('the benchmark of a small sync brings each document to the target once, however it was sent', async () => {
  const main = path.join(import.meta.dirname, '../../bench/main.ts')
  const args = [main, 'sync', '--small', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 })
  const { results } = JSON.parse(stdout) as { results: SyncResult[] }
  assert.deepEqual(
    results.map(({ correct, hash }) => ({ correct, hash })),
    [undefined, syncHash, undefined, syncHash].map((hash) => ({
      ...{ correct: true, hash },
    })),
  )
})

test('the benchmark of a small replay sends each read once, in the order of its connection', async () => {
  const main = path.join(import.meta.dirname, '../../bench/main.ts')
  const args = [main, 'shadow', '--small', '--json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 })
  const { results } = JSON.parse(stdout) as { results: ShadowResult[] }
  assert.deepEqual(
    results.map(({ reads, correct }) => ({ reads, correct })),
    [1, 2, 3].map(() => ({ reads: 5000, correct: true })),
  )
})
