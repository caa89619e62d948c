/** Bad input that takes its time: a target that is gone half way, and mappings that are too large. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { cliFolder, startOsmigrate } from '../support/cli.ts'
import { send, useEngine } from '../support/engines.ts'
import { failures, makeFaultyMigration } from '../support/faulty-migration.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target

async function shields(): Promise<string> {
  return JSON.stringify(await send(target, 'GET', '/_index_template'))
}

test(
  'a target that stops taking anything is left alone after a few objects',
  { skip },
  async (t) => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const { stem, relay, migrate, made } = await makeFaultyMigration(t, { source, target, names })
    let isDown = false
    relay.answer = (request) => {
      if (made(request) === 'b') isDown = true
      return isDown ? failures.down : undefined
    }
    const first = await migrate(3)
    assert.deepEqual(first.outcomes, {
      ...{ pipeline: 'created', template: 'created' },
      ...{ a: 'created', b: 'failed', c: 'failed', d: 'failed', e: 'waiting', f: 'waiting' },
    })
    assert.match(first.leftOver!, /DELETE \/_index_template\/osmigrate-shield-.* with 503/)
    assert.match(await shields(), new RegExp(`${stem}-f`))

    relay.answer = () => undefined
    const second = await migrate(0)
    assert.deepEqual(second.outcomes, {
      ...{ pipeline: 'unchanged', template: 'unchanged' },
      ...{ a: 'unchanged', b: 'created', c: 'created', d: 'created', e: 'created', f: 'created' },
    })
    assert.equal(second.leftOver, undefined)
    assert.doesNotMatch(await shields(), new RegExp(`${stem}-f`))
  },
)

test(
  'a mapping of 40 MB with 20,000 fields is evaluated, made and compared in bounded memory',
  { skip },
  async () => {
    const large = await useEngine('elasticsearch', '7', { own: true, heapMb: 2048 })
    const taker = await useEngine('opensearch', '3', { own: true, heapMb: 2048 })
    const meta = Object.fromEntries(
      Array.from({ length: 5 }, (_, i) => [`about-the-field-${i}`, 'x'.repeat(50)]),
    )
    const properties = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, i) => [
        `${'поле'.repeat(220)}-${i}`,
        { type: 'keyword', meta },
      ]),
    )
    const mappings = { properties }
    assert.ok(Buffer.byteLength(JSON.stringify(mappings)) > 40_000_000)
    await send(large, 'PUT', '/small', { settings: { number_of_replicas: 0 } })
    await send(large, 'PUT', '/large?timeout=9m&wait_for_active_shards=0', {
      settings: { number_of_replicas: 0, 'mapping.total_fields.limit': 30_000 },
      mappings,
    })
    const folder = cliFolder()
    const config = {
      version: 1,
      // It is the engine that takes minutes for such a mapping.
      source: { url: large.url, requestTimeout: '15m' },
      target: { url: taker.url, requestTimeout: '15m' },
      select: { include: ['large', 'small'] },
    }
    writeFileSync(path.join(folder, 'migration.yaml'), JSON.stringify(config))
    for (const args of [
      ['metadata', 'evaluate', '--target-version', '3.6'],
      ['metadata', 'migrate'],
      ['compare', 'metadata'],
    ]) {
      const { code, peakMb, seconds, stdout, stderr } = await measured(folder, args)
      const what = args.slice(0, 2).join(' ')
      process.stdout.write(`${what} of a mapping of 40 MB: ${peakMb} MB at most, ${seconds} s\n`)
      assert.equal(code, 0, `${what}: ${stderr.slice(0, 2000)} ${stdout.slice(0, 2000)}`)
      assert.ok(peakMb < 1500, `${what}: ${peakMb} MB`)
    }
    await large.stop()
    await taker.stop()
  },
)

/** Runs the program, and looks every few milliseconds how much memory it has had at most. */
async function measured(folder: string, args: readonly string[]) {
  const begun = performance.now()
  const { child, ended } = startOsmigrate({ folder, timeoutMs: 20 * 60_000 }, ...args)
  let peakMb = 0
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      peakMb = Math.max(peakMb, Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024))
    } catch {
      // It has just ended.
    }
  }, 50)
  const { code, stdout, stderr } = await ended
  clearInterval(timer)
  return { code, stdout, stderr, peakMb, seconds: Math.round((performance.now() - begun) / 1000) }
}
