/**
 * The fixture of awkward ids, routings and sources is moved to OpenSearch 3: what the target takes is there to the byte,
 * and what it refuses is a dead letter, and no more than that is found to differ. So is the fixture of indices with a
 * history.
 */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { expectedLines } from '../../scripts/fixtures/expected.ts'
import { eachDeadLetter } from '../../src/backfill/dead-letters.ts'
import { openBlobStore } from '../../src/blob/open.ts'
import { compareDocuments } from '../../src/compare/compare-documents.ts'
import { compareOptions } from '../../src/compare/options.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import {
  assertEqual,
  backfill,
  makeReady,
  withState,
  type ReadyMigration,
} from '../support/backfill.ts'
import { send, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'

const engine = await useEngine('opensearch', '3')
const target = engine.skip === false ? await connect('target', engine) : undefined!

const fixture = path.join(import.meta.dirname, '../fixtures/elasticsearch-7.10.2/awkward')
/** Nested more deeply, or a number longer, than OpenSearch allows. */
const refused = ['deeper-arrays', 'deepest-arrays', 'long-number']

test(
  'awkward documents of 7.10 arrive to the byte, but for those that the target refuses',
  { skip: engine.skip },
  async () => {
    const repository = path.join(fixture, 'repository')
    const snapshot = await (await openRepository(openBlobStore(repository))).openSnapshot('s1')
    const { indices } = snapshot
    const ready = await makeReady({ repository, snapshot, target, indices })
    try {
      assert.equal((await backfill(ready)).deadLetters, refused.length)
      assert.deepEqual(await deadIds(ready), refused)
      assert.deepEqual(await foundLines(indices), await wantedLines())
      await assertOnlyRefusedDiffer(ready)
    } finally {
      await send(engine, 'DELETE', `/${indices.join(',')}`)
    }
  },
)

test(
  'indices with a history, and with names of every kind, arrive equal',
  { skip: engine.skip },
  async () => {
    const repository = path.join(fixture, '../history/repository')
    const snapshot = await (await openRepository(openBlobStore(repository))).openSnapshot('fifth')
    // Other tests have an index of that name.
    const indices = snapshot.indices.filter((index) => index !== 'empty')
    const ready = await makeReady({ repository, snapshot, target, indices })
    try {
      assert.equal((await backfill(ready)).deadLetters, 0)
      await assertEqual(ready)
    } finally {
      for (const index of indices) await send(engine, 'DELETE', `/${encodeURIComponent(index)}`)
    }
  },
)

function deadIds({ folder }: ReadyMigration): Promise<string[]> {
  return withState(folder, async (state) => {
    const ids: string[] = []
    for await (const { id } of eachDeadLetter(state)) ids.push(id)
    return ids.sort()
  })
}

/** The source's number is the target's version. */
async function wantedLines(): Promise<string[]> {
  const text = await readFile(path.join(fixture, 's1.ndjson'), 'utf8')
  return text
    .split('\n')
    .filter((line) => !refused.some((id) => line.includes(`"id":"${id}"`)))
    .map((line) =>
      line.replace(/"seqNo":(\d+),"version":\d+/, (_, seqNo) => `"version":${Number(seqNo) + 1}`),
    )
    .sort()
}

async function foundLines(indices: readonly string[]): Promise<string[]> {
  const text = await expectedLines(engine, indices)
  return text
    .split('\n')
    .map((line) => line.replace(/"seqNo":\d+,/, ''))
    .sort()
}

async function assertOnlyRefusedDiffer({ snapshot, indices }: ReadyMigration): Promise<void> {
  const verdicts = await compareDocuments({
    source: { snapshot },
    target,
    indices,
    targetIndexOf: (index) => ({ targetIndex: index, sourceForm: 'full' }),
    options: compareOptions.parse({}),
    signal: new AbortController().signal,
  })
  for (const { index, verdict, note, examples } of verdicts) {
    const expected = index === 'sources' ? 'different' : 'equal'
    assert.equal(verdict, expected, `${index}: ${note} ${JSON.stringify(examples)}`)
    if (index === 'sources') {
      assert.deepEqual(examples.map(({ id }) => id).sort(), refused, JSON.stringify(examples))
    }
  }
}
