import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { openBlobStore } from '../../src/blob/open.ts'
import type { BlobStore } from '../../src/blob/byte-source.ts'
import { openShardReader } from '../../src/document/open-shard-reader.ts'
import { s3Credentials } from '../../src/engines/services.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { startFileServer } from '../support/file-server.ts'
import { makeIndex, numbered, putItems } from '../support/sample-indices.ts'

/** Where OpenSearch puts the folders of shards: plain, or below hashes, with a base_path and without. */

const engine = await useEngine('opensearch', '3')
const { skip } = engine
process.env['AWS_ACCESS_KEY_ID'] = s3Credentials.accessKeyId
process.env['AWS_SECRET_ACCESS_KEY'] = s3Credentials.secretAccessKey
// The folder of the engine's repositories is bucket `snap`.
const basedir = { 'jclouds.filesystem.basedir': engine.dir }
const s3 = skip === false ? await useEngine('s3', '4', { settings: basedir }) : undefined

const index = uniqueName('hashed')
const long = `${index}-${'x'.repeat(250 - index.length)}`
const documents = 60

before(async () => {
  if (skip !== false) return
  for (const name of [index, long]) {
    await makeIndex(engine, name, { settings: { number_of_shards: 3 } })
    await putItems(engine, name, numbered(documents))
  }
})

async function countDocuments(store: BlobStore): Promise<number[]> {
  const snapshot = await (await openRepository(store)).openSnapshot('s1')
  const counts = [index, long].map(async (name) => {
    const { numberOfShards } = await snapshot.readIndexMetadata(name)
    let count = 0
    for (let shard = 0; shard < numberOfShards; shard++) {
      const reader = await openShardReader(await snapshot.openShard(name, shard), {
        verify: 'touched',
      })
      for (const segment of reader.segments) count += segment.liveCount
      await reader.close()
    }
    return count
  })
  return Promise.all(counts)
}

for (const type of ['FIXED', 'HASHED_PREFIX', 'HASHED_INFIX']) {
  for (const basePath of ['', 'backups/nightly']) {
    const title = `${type}, ${basePath === '' ? 'no base_path' : `base_path ${basePath}`}`
    test(
      `${title}: the shards are found in a folder, a bucket and on a web server`,
      { skip },
      async () => {
        const { name, location } = engine.makeRepository()
        await send(engine, 'PUT', `/_snapshot/${name}`, {
          type: 'fs',
          settings: {
            location,
            shard_path_type: type,
            ...(basePath !== '' && { base_path: basePath }),
          },
        })
        await send(engine, 'PUT', `/_snapshot/${name}/s1?wait_for_completion=true`, {
          indices: `${index},${long}`,
          include_global_state: false,
        })
        const end = basePath === '' ? '' : `/${basePath}`
        const expected = [documents, documents]
        assert.deepEqual(await countDocuments(openBlobStore(location + end)), expected)
        const bucket = openBlobStore(`s3://snap/${name}${end}`, { s3: { endpoint: s3!.url } })
        assert.deepEqual(await countDocuments(bucket), expected)
        const web = await startFileServer(location)
        try {
          const store = openBlobStore(web.url + end)
          const isAbove = type === 'HASHED_PREFIX' && basePath !== ''
          if (!isAbove) assert.deepEqual(await countDocuments(store), expected)
        } finally {
          await web.close()
        }
      },
    )
  }
}
