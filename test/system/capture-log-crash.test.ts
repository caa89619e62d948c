import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { killWriters } from '../support/capture-log-kills.ts'
import { randomSource } from '../support/random-json.ts'

test('kill -9 at random moments: what was durable is in the log, in order, and nothing is twice', async (t) => {
  const seed = Date.now() % 1e6
  const root = mkdtempSync(join(tmpdir(), 'capture-log-crash-'))
  t.after(() => rmSync(root, { recursive: true }))
  const { records, cuts } = await killWriters(root, { kills: 8, random: randomSource(seed) })
  t.diagnostic(`seed ${seed}: ${records} records, ${cuts} torn tails`)
  assert.ok(records > 100)
})
