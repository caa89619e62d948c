/** A writer of a local capture log that is killed, and what must be in the log then. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LogPosition } from '../../src/traffic/capture-log.ts'
import { openLocalLog } from '../../src/traffic/local-log.ts'
import { openLocalLogReader } from '../../src/traffic/local-log-reader.ts'
import { bodyBytesOf, numberedRequest } from './capture-records.ts'

const program = fileURLToPath(new URL('./capture-log-child.ts', import.meta.url))

interface KillOptions {
  /** Of the stream. */
  readonly folder: string
  readonly first: number
  /** Records that are durable before the kill, and how much longer it writes. */
  readonly atLeast: number
  readonly longerMs: number
  readonly segmentBytesMax: number
}

/** Runs a writer and kills it; the number of the last record that it called durable. */
async function writeAndKill(options: KillOptions): Promise<number> {
  const { folder, first, atLeast, longerMs, segmentBytesMax } = options
  const writer = spawn(process.execPath, [program, folder, `${first}`, `${segmentBytesMax}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const numbers: number[] = []
  let [rest, errors] = ['', '']
  let timer: NodeJS.Timeout | undefined
  writer.stderr.on('data', (data: Buffer) => (errors += data.toString()))
  writer.stdout.on('data', (data: Buffer) => {
    const lines = (rest + data.toString()).split('\n')
    rest = lines.pop()!
    for (const line of lines) numbers.push(Number(line))
    if (numbers.length < atLeast || timer !== undefined) return
    timer = setTimeout(() => writer.kill('SIGKILL'), longerMs)
  })
  const signal = await new Promise<string | null>((resolve) => {
    writer.on('close', (_code, by) => resolve(by))
  })
  assert.equal(signal, 'SIGKILL', errors)
  assert.equal(errors, '')
  assert.ok(
    numbers.every((number, i) => number === first + i),
    'durable in the order of append()',
  )
  return numbers.at(-1) ?? first - 1
}

/** Where reading stands: the number of the last record, and the position behind it. */
interface Checked {
  readonly last: number
  readonly next: LogPosition
}

const beginning: Checked = { last: -1, next: { stream: 'p1', offset: 0 } }

/** Reads on to the end: the records must be the next ones, in order, as they were appended. */
async function checkOn(root: string, from: Checked): Promise<Checked> {
  let { last, next } = from
  for await (const one of openLocalLogReader(root).read(from.next, { follow: false })) {
    last++
    next = one.next
    assert.deepEqual(one.record, numberedRequest(last, bodyBytesOf(last)))
  }
  return { last, next }
}

export interface KillsFound {
  readonly records: number
  /** How often a torn tail was cut. */
  readonly cuts: number
}

/**
 * Kills a writer of the stream p1 in `root` so many times at random moments. Each time all that was durable must be
 * there, in order and once, before the log is opened for writing again and after it.
 */
export async function killWriters(
  root: string,
  { kills, random }: { kills: number; random: () => number },
): Promise<KillsFound> {
  const folder = `${root}/p1`
  let checked = beginning
  let cuts = 0
  for (let i = 0; i < kills; i++) {
    const durable = await writeAndKill({
      ...{ folder, first: checked.last + 1, atLeast: Math.floor(random() * 500) },
      longerMs: random() * 60,
      segmentBytesMax: random() < 0.5 ? 100_000 : 3_000_000,
    })
    checked = await checkOn(root, checked)
    assert.ok(checked.last >= durable, `${checked.last} of ${durable} before it is opened`)
    const log = await openLocalLog({ folder, stream: 'p1', bytesMax: 1 << 30 })
    if (log.recovered.cut !== undefined) cuts++
    assert.deepEqual(log.recovered.damaged, [])
    await log.close()
    assert.equal((await checkOn(root, checked)).last, checked.last)
  }
  assert.equal((await checkOn(root, beginning)).last, checked.last)
  return { records: checked.last + 1, cuts }
}
