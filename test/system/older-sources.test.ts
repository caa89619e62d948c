/**
 * Snapshots of old engines, from the fixtures that those engines made, are moved to OpenSearch and compared: all
 * indices but those that are refused by name.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { openBlobStore } from '../../src/blob/open.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import { assertEqual, backfill, makeReady } from '../support/backfill.ts'
import { cliFolder, osmigrate } from '../support/cli.ts'
import { send, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'

// The indices have the names of the fixtures, so nobody else may be there.
const engine = await useEngine('opensearch', '3', { own: true })
const target = engine.skip === false ? await connect('target', engine) : undefined!

/** By engine: whether the target's version is the source's `_version`, what is refused, how many have a `_timestamp`. */
const sources = [
  { version: '6.2.4', versionFrom: 'seqNo', left: [], timed: 0 },
  { version: '5.6.16', versionFrom: 'version', left: [], timed: 0 },
  { version: '2.4.6', versionFrom: 'version', left: [], timed: 7 },
  // Routed documents lie in other shards than an engine since 2.0 would have put them into.
  { version: '1.7.5', versionFrom: 'version', left: ['children', 'orphans', 'routed'], timed: 7 },
] as const

for (const { version, versionFrom, left, timed } of sources) {
  test(
    `Elasticsearch ${version}: every document arrives, once`,
    { skip: engine.skip },
    async () => {
      const folder = path.join(
        import.meta.dirname,
        `../fixtures/elasticsearch-${version}/compressed`,
      )
      const repository = path.join(folder, 'repository')
      const snapshot = await (await openRepository(openBlobStore(repository))).openSnapshot('s1')
      const indices = snapshot.indices.filter((index) => !left.some((other) => other === index))
      const ready = await makeReady({ repository, snapshot, target, indices })
      try {
        const first = await backfill(ready)
        assert.equal(first.deadLetters, 0)
        assert.equal(first.totals.withTimestamp, timed)
        await assertEqual(ready)
        const versions = await versionsOf('plain')
        for (const line of readFileSync(path.join(folder, 's1.ndjson'), 'utf8').split('\n')) {
          if (line === '') continue
          const document = JSON.parse(line) as Line
          if (document.index !== 'plain') continue
          const expected = versionFrom === 'version' ? document.version : document.seqNo! + 1
          assert.equal(versions.get(document.id), expected, document.id)
        }
      } finally {
        await send(engine, 'DELETE', `/${indices.join(',')}`)
      }
    },
  )
}

test(
  'a _timestamp that stays behind is told, by exit code too',
  { skip: engine.skip },
  async () => {
    const folder = cliFolder()
    const flags = [
      '--target-url',
      engine.url,
      '--repository',
      path.join(import.meta.dirname, '../fixtures/elasticsearch-2.4.6/compressed/repository'),
      ...['--snapshot', 's1', '--index', 'stored'],
    ]
    const { stdout } = await osmigrate(
      folder,
      3,
      ...['metadata', 'migrate', '--keep-going', ...flags],
    )
    assert.match(stdout, /_timestamp +dropped, lost/)
    try {
      const written = await osmigrate(folder, 3, 'backfill', 'start', ...flags)
      assert.match(written.stdout, /stored: _timestamp and _ttl are not carried over; 7 documents/)
      await osmigrate(folder, 3, 'backfill', 'status')
    } finally {
      await send(engine, 'DELETE', '/stored')
    }
  },
)

interface Line {
  index: string
  id: string
  version: number
  seqNo?: number
}

async function versionsOf(index: string): Promise<Map<string, number>> {
  interface Hits {
    hits: { hits: { _id: string; _version: number }[] }
  }
  const url = `/${index}/_search?size=1000&version=true&_source=false`
  const answer = await send<Hits>(engine, 'GET', url)
  return new Map(answer.hits.hits.map((hit) => [hit._id, hit._version]))
}
