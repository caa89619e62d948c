import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FormatTooNew, Unsupported } from '../base/errors.ts'
import { docValuesFormats, fieldInfosFormats, formatOf, storedFieldsFormats } from './formats.ts'

test('a format without a row is Unsupported and named', () => {
  const header = { codec: 'Lucene99FieldInfos', version: 0 }
  assert.throws(
    () => formatOf(fieldInfosFormats, header, '_0.fnm'),
    (error: Unsupported) =>
      error instanceof Unsupported && /_0\.fnm.*Lucene60FieldInfos.*Lucene99/.test(error.message),
  )
})

test('a version above the newest that is known is FormatTooNew', () => {
  const header = { codec: 'Lucene80DocValuesMetadata', version: 3 }
  assert.throws(() => formatOf(docValuesFormats, header, '_0.dvm'), FormatTooNew)
})

test('stored fields of both modes and both layouts have rows', () => {
  const compression = (codec: string, version: number): string =>
    formatOf(storedFieldsFormats, { codec, version }, 'f').row.compression
  assert.equal(compression('Lucene50StoredFieldsFastData', 1), 'lz4')
  assert.equal(compression('Lucene50StoredFieldsHighData', 2), 'deflate')
  assert.equal(compression('Lucene87StoredFieldsFastData', 3), 'lz4-preset')
  assert.equal(compression('Lucene87StoredFieldsHighData', 3), 'deflate-preset')
  assert.equal(compression('Lucene90StoredFieldsHighData', 1), 'deflate-preset')
  assert.equal(compression('ZstdStoredFields814', 1), 'zstd')
})
