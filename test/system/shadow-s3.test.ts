import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { s3Upload } from '../../src/blob/s3-upload.ts'
import { s3Credentials } from '../../src/engines/services.ts'
import { TupleFiles } from '../../src/shadow/tuple-files.ts'
import { useEngine } from '../support/engines.ts'

const root = mkdtempSync(path.join(tmpdir(), 'osmigrate-tuples-s3-'))
after(() => rmSync(root, { recursive: true, force: true }))
mkdirSync(path.join(root, 'objects/bucket'), { recursive: true })
// Objects are plain files; as root the service is another user.
for (const one of ['', 'objects', 'objects/bucket']) chmodSync(path.join(root, one), 0o777)
const s3 = await useEngine('s3', '4', {
  settings: { 'jclouds.filesystem.basedir': path.join(root, 'objects') },
})

test('whole files of tuples go to a bucket, and do not stay here', { skip: s3.skip }, async () => {
  process.env['AWS_ACCESS_KEY_ID'] = s3Credentials.accessKeyId
  process.env['AWS_SECRET_ACCESS_KEY'] = s3Credentials.secretAccessKey
  const upload = s3Upload('s3://bucket/some/tuples', { endpoint: s3.url })
  const { signal } = new AbortController()
  const folder = path.join(root, 'here')
  const files = await TupleFiles.open({
    ...{ folder, header: '{"tuples":1}', fileBytesMax: 1e9, fileTimeMaxMs: 1e9 },
    take: (file, name) => upload(file, name, signal),
    onWait: (_, what) => assert.equal(what, undefined),
  })
  files.add('{"n":1}')
  await files.close()
  assert.deepEqual(readdirSync(folder), [])
  const place = path.join(root, 'objects/bucket/some/tuples')
  const [name] = readdirSync(place)
  assert.equal(
    gunzipSync(readFileSync(path.join(place, name!))).toString(),
    '{"tuples":1}\n{"n":1}\n',
  )
})
