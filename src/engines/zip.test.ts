import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { zipOf, type Member } from '../../test/support/make-zip.ts'
import { CorruptData, Unsupported } from '../base/errors.ts'
import { ZipArchive } from './zip.ts'

const folder = await mkdtemp(path.join(os.tmpdir(), 'osmigrate-zip-'))
after(() => rm(folder, { recursive: true }))
let files = 0

const members: readonly Member[] = [
  { name: 'engine-1/lib/a.jar', bytes: Buffer.from('stored bytes'), method: 0 },
  { name: 'engine-1/config/b.yml', bytes: Buffer.from('deflated '.repeat(50)), method: 8 },
]

async function openBytes(bytes: Buffer): Promise<ZipArchive> {
  const file = path.join(folder, `${files++}.zip`)
  await writeFile(file, bytes)
  return ZipArchive.open(file)
}

async function contents(bytes: Buffer): Promise<string[]> {
  const archive = await openBytes(bytes)
  try {
    const all = archive.entries.map(
      async (entry) => `${entry.name}=${(await archive.read(entry)).toString()}`,
    )
    return await Promise.all(all)
  } finally {
    await archive.close()
  }
}

test('a zip archive gives its stored and deflated members', async () => {
  const expected = members.map(({ name, bytes }) => `${name}=${bytes.toString()}`)
  assert.deepEqual(await contents(zipOf(members)), expected)
})

test('extract() writes the members under the names that it is given', async () => {
  const archive = await openBytes(zipOf(members))
  const target = path.join(folder, 'home')
  await archive.extract(target, (name) =>
    name.endsWith('.yml') ? name.replace('engine-1/', '') : undefined,
  )
  await archive.close()
  assert.equal((await readFile(path.join(target, 'config/b.yml'))).length, 450)
  await assert.rejects(readFile(path.join(target, 'lib/a.jar')))
})

test('extract() refuses a name that leads outside of the folder', async () => {
  const archive = await openBytes(zipOf(members))
  await assert.rejects(
    archive.extract(path.join(folder, 'out'), () => '../evil'),
    CorruptData,
  )
  await archive.close()
})

test('an archive cut at any length is refused as corrupt', async () => {
  const whole = zipOf(members)
  for (let length = 0; length < whole.length; length++) {
    await assert.rejects(contents(whole.subarray(0, length)), CorruptData, `cut at ${length}`)
  }
})

test('an archive with any byte flipped gives a typed error, or the very same bytes', async () => {
  const whole = zipOf(members)
  const expected = members.map(({ bytes }) => bytes.toString())
  for (let at = 0; at < whole.length; at++) {
    const flipped = Buffer.from(whole)
    flipped[at]! ^= 0x41
    try {
      const found = (await contents(flipped)).map((text) => text.slice(text.indexOf('=') + 1))
      // Fewer members are possible only where the count of them was hit.
      assert.deepEqual(found, expected.slice(0, found.length), `byte ${at}`)
    } catch (error) {
      const typed = error instanceof CorruptData || error instanceof Unsupported
      assert.ok(typed, `byte ${at}: ${String(error)}`)
    }
  }
})

test('an encrypted archive is unsupported', async () => {
  const bytes = zipOf(members)
  const central = bytes.indexOf('PK\x01\x02')
  bytes[central + 8] = 1
  await assert.rejects(contents(bytes), Unsupported)
})
