import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Unsupported } from '../base/errors.ts'
import { openBlobStore } from '../blob/open.ts'
import { openRepository } from './repository.ts'

/** Repositories that real engines wrote and that are refused: <engine>-<version>-<what>. */
const fixtures = join(import.meta.dirname, '../../test/refused')
const reasons: { readonly [what: string]: RegExp } = {
  searchable: /searchable snapshot of OpenSearch.*index\.store\.type: remote_snapshot/,
  shallow: /shallow one of OpenSearch, whose files lie in a remote store/,
  'source-only': /source-only repository.*index\.source_only: true/,
}

for (const name of readdirSync(fixtures)) {
  const [, what = ''] = /^\w+-[\d.]+-(.+)$/.exec(name)!
  test(`${name}: refused with the reason, before any document is read`, async () => {
    const repository = await openRepository(openBlobStore(join(fixtures, name)))
    assert.deepEqual(
      repository.snapshots.map(({ name: snapshot, state }) => [snapshot, state]),
      [['s1', 'SUCCESS']],
    )
    const read = async (): Promise<unknown> => {
      const snapshot = await repository.openSnapshot('s1')
      return snapshot.readIndexMetadata('held-elsewhere')
    }
    await assert.rejects(read(), (error: Error) => {
      assert.ok(error instanceof Unsupported, String(error))
      assert.match(error.message, reasons[what]!)
      return true
    })
  })
}
