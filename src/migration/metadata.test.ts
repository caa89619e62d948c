import assert from 'node:assert/strict'
import test from 'node:test'
import { MigrationError } from '../base/errors.ts'
import { targetOfVersion } from './metadata.ts'

test('--target-version of what is no OpenSearch 1 to 3 is wrong usage', () => {
  for (const text of ['8.1', '0.9', '4.0', '3', 'latest', '']) {
    assert.throws(
      () => targetOfVersion(text),
      (error: unknown) => error instanceof MigrationError && error.code === 'MA_CONFIG',
      text,
    )
  }
  assert.equal(targetOfVersion('2.19').version.minor, 19)
})
