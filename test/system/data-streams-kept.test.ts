/**
 * Data streams of Elasticsearch 8 and 9 and of OpenSearch 2 are moved to OpenSearch 3 as data streams: as many indices, each
 * with its settings, fields and documents, and clients go on writing and rolling over by the name.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { openBlobStore } from '../../src/blob/open.ts'
import { shardLook } from '../../src/document/source-sample.ts'
import { applyMetadata } from '../../src/metadata/apply.ts'
import { closeMigration } from '../../src/metadata/close.ts'
import { compareMetadata } from '../../src/metadata/compare-metadata.ts'
import { evaluateMetadata } from '../../src/metadata/evaluate.ts'
import { fromSnapshot, type EvaluateInput } from '../../src/metadata/evaluate-input.ts'
import { metadataOptions } from '../../src/metadata/options.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import type { Snapshot } from '../../src/snapshot/snapshot.ts'
import { targetIndexKind } from '../../src/state/records.ts'
import { assertEqual, backfill, withState } from '../support/backfill.ts'
import { send, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'

// Its own: action.auto_create_index is turned and put back here.
const engine = await useEngine('opensearch', '3', { own: true })
const target = engine.skip === false ? await connect('target', engine) : undefined!

for (const name of ['elasticsearch-8.19.0', 'elasticsearch-9.2.0', 'opensearch-2.19.4']) {
  const repository = path.join(import.meta.dirname, `../fixtures/${name}/history/repository`)

  test(`a data stream of ${name} stays one`, { skip: engine.skip }, async () => {
    const snapshot = await (await openRepository(openBlobStore(repository))).openSnapshot('fifth')
    const input = planned(repository, snapshot)
    const folder = path.join(mkdtempSync(path.join(tmpdir(), 'osmigrate-streams-')), 'state')
    after(() => rmSync(path.dirname(folder), { recursive: true }))
    const indices = snapshot.indices.filter((index) => index.startsWith('.ds-stream-'))
    const ready = { folder, repository, snapshot, target, indices }
    try {
      await migrate(input, folder)
      await assertListed(['.ds-stream-000001', '.ds-stream-000002'])
      assert.equal((await backfill(ready)).deadLetters, 0)
      await assertEqual(ready)
      await assertPlannedAgain(input, folder)
      await assertTakesWrites()
      await assertPlannedAgain(input, folder)
      await assertNothingLeft(folder)
    } finally {
      await target.request('DELETE', '/_data_stream/stream', { accept: [404] })
      await target.request('DELETE', '/_index_template/stream', { accept: [404] })
    }
  })
}

function planned(repository: string, snapshot: Snapshot): EvaluateInput {
  return {
    ...fromSnapshot(repository, snapshot, shardLook),
    target,
    select: { include: ['stream'] },
    options: metadataOptions.parse({}),
    allowPartialSource: false,
  }
}

async function migrate(input: EvaluateInput, folder: string): Promise<void> {
  await withState(folder, async (state) => {
    const plan = await evaluateMetadata({ ...input, state })
    const { objects } = await applyMetadata(plan, { target, state })
    assert.deepEqual(
      objects.map(({ kind, name, renamedTo, outcome }) => [kind, renamedTo ?? name, outcome]),
      [
        ['index-template', 'stream', 'created'],
        ['index', '.ds-stream-000001', 'created'],
        ['index', '.ds-stream-000002', 'created'],
      ],
      JSON.stringify(objects),
    )
    const again = await evaluateMetadata({ ...input, state })
    const { objects: compared } = await compareMetadata(again, { target, changedMeanwhile: [] })
    for (const { kind, differences, verdict } of compared) {
      assert.deepEqual(differences, [])
      // Its lifecycle, which OpenSearch has not.
      if (kind === 'index') assert.match(verdict, /equal|announced/)
    }
  })
}

async function assertListed(indices: readonly string[]): Promise<void> {
  const { data_streams: streams } = await send<{
    data_streams: { indices: { index_name: string }[]; template: string }[]
  }>(engine, 'GET', '/_data_stream/stream')
  assert.deepEqual(
    streams[0]?.indices.map(({ index_name: index }) => index),
    indices,
  )
  assert.equal(streams[0]?.template, 'stream')
}

async function assertPlannedAgain(input: EvaluateInput, folder: string): Promise<void> {
  const again = await withState(folder, (state) => evaluateMetadata({ ...input, state }))
  assert.deepEqual(
    [...again.indexTemplates, ...again.indices].map(({ action }) => action),
    ['exists-equal', 'exists-equal', 'exists-equal'],
  )
}

/** As clients of a data stream write: `create` alone, by its name; and a rollover. */
async function assertTakesWrites(): Promise<void> {
  const { count } = await send(engine, 'GET', '/str*/_count')
  assert.equal(count, 15)
  const lines = `{"create":{"_id":"later"}}\n{"@timestamp":${1.8e12},"n":99}\n`
  await send(engine, 'POST', '/stream/_bulk?refresh=true', lines)
  const { new_index: next } = await send<{ new_index: string }>(engine, 'POST', '/stream/_rollover')
  assert.equal(next, '.ds-stream-000003')
}

/** The fences are gone after close, and the cluster's setting is as it was. */
async function assertNothingLeft(folder: string): Promise<void> {
  const pipelines = await withState(folder, async (state) => {
    const { fences } = await closeMigration({ target, state, setWithheld: true })
    const records = (await state.list(targetIndexKind)).map(({ value }) => value)
    assert.deepEqual(
      fences,
      records.map(({ stream }) => stream?.pipeline),
    )
    return fences
  })
  assert.equal(pipelines.length, 2)
  const { body } = await target.request('GET', '/_ingest/pipeline', { accept: [404] })
  assert.deepEqual(body, {})
  const templates = await target.request('GET', '/_index_template/osmigrate-*', { accept: [404] })
  assert.deepEqual(templates.body.index_templates ?? [], [])
}
