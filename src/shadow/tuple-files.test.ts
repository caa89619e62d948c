import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { TupleFiles, type TupleFilesOptions } from './tuple-files.ts'

const root = mkdtempSync(path.join(tmpdir(), 'osmigrate-tuples-'))
after(() => rmSync(root, { recursive: true, force: true }))

let folders = 0

function options(given: Partial<TupleFilesOptions> = {}): TupleFilesOptions {
  return {
    ...{ folder: path.join(root, String(folders++)), header: '{"tuples":1}' },
    ...{ fileBytesMax: 1e9, fileTimeMaxMs: 1e9, onWait: () => {} },
    ...given,
  }
}

function linesOf(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) =>
      gunzipSync(readFileSync(path.join(folder, name)))
        .toString()
        .trimEnd()
        .split('\n'),
    )
}

test('what was written behind the last mark is cut off when a killed run goes on, and nothing else', async () => {
  const given = options()
  const first = await TupleFiles.open(given)
  first.add('1')
  first.add('2')
  const mark = await first.mark()
  first.add('3')
  await first.mark()
  const file = path.join(given.folder, `${mark!.file}.part`)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  appendFileSync(file, 'torn')

  const second = await TupleFiles.open(given, mark)
  second.add('4')
  await second.close()
  assert.deepEqual(linesOf(given.folder), ['{"tuples":1}', '1', '2', '4'])
  assert.ok(readdirSync(given.folder).every((name) => name.endsWith('.ndjson.gz')))
})

test('what no checkpoint knows of goes, and what that of another replay knows of stays', async () => {
  const given = options()
  const one = await TupleFiles.open(given)
  one.add('of another')
  const mark = await one.mark()
  one.add('not known')
  await one.mark()
  const unknown = await TupleFiles.open({ ...given, folder: given.folder }, null, [mark!])
  unknown.add('new')
  await unknown.mark()
  await (await TupleFiles.open(given)).close()
  assert.deepEqual(linesOf(given.folder), ['{"tuples":1}', 'of another'])
})

test('another file is begun when one is long enough, and whole ones are taken away', async () => {
  const taken: string[] = []
  const waits: (string | undefined)[] = []
  let isAway = true
  const given = options({
    fileBytesMax: 1,
    onWait: (_, what) => void waits.push(what),
    take: async (file) => {
      if (isAway) throw new Error('the bucket is away')
      taken.push(...gunzipSync(readFileSync(file)).toString().trimEnd().split('\n').slice(1))
    },
  })
  const files = await TupleFiles.open(given)
  files.add('1')
  await files.mark()
  await files.rotate()
  assert.deepEqual(waits, ['the bucket is away'])
  assert.equal(readdirSync(given.folder).length, 1)
  isAway = false
  files.add('2')
  await files.close()
  assert.deepEqual(taken, ['1', '2'])
  assert.deepEqual(readdirSync(given.folder), [])
  assert.equal(waits.at(-1), undefined)
})
