import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { DocumentTypes } from '../base/document-types.ts'
import type { TargetIndex } from '../state/records.ts'
import { Transform } from '../usercode/transform.ts'
import type { Change } from './change.ts'
import { IndexFlow } from './index-flow.ts'
import { pendingOf } from './pending-document.ts'
import { DocumentPlacer } from './place-documents.ts'
import { presentOf, type PresentDocument } from './present-document.ts'
import type { SourceIndex } from './source-index.ts'

const index: SourceIndex = {
  ...{ name: 'i', uuid: 'u', isOpen: true, numberOfShards: 1, numberOfRoutingShards: 1 },
  ...{ routingPartitionSize: 1, runsPipeline: false, mayRoute: false, aliases: new Map() },
  shards: [],
}
const target: TargetIndex = {
  ...{ index: 'i', targetIndex: 'i', sourceUuid: 'u', targetUuid: 't', epochBase: 0 },
  ...{ fenceAlias: 'osmigrate-u-0', sourceShards: 1, targetShards: 1, mayHoldRouted: true },
  ...{ sourceForm: 'full', sourceDocuments: null, withheld: {} },
}
const old = { numbered: false, typed: true }
const numbered = { numbered: true, typed: false }

function present(change: Partial<Change>, kind = numbered, flow = new IndexFlow(index)) {
  const whole = { index: 'i', id: 'a', routing: null, what: 'write', ...change } as const
  return presentOf(pendingOf(whole, flow, kind))
}

async function itemsOf(
  documents: readonly PresentDocument[],
  { kind = numbered, of = target }: { kind?: typeof numbered; of?: TargetIndex } = {},
) {
  const { items, unwritable, left } = await new DocumentPlacer(kind, undefined).place(documents, of)
  const written = items.map(({ id, routing, version, source }) => {
    return [id, routing, version, source === null ? null : source.toString()]
  })
  return { written, causes: unwritable.map(({ cause }) => cause), left: left.length }
}

const source = Buffer.from('{"n":1}')

test('the version is the number of the source above the base of the epoch', async () => {
  const of = { ...target, epochBase: 2 ** 40 }
  const documents = [
    present({ source, seqNo: 7 }),
    { ...present({ source, seqNo: 7 }), number: -1 },
  ]
  const { written } = await itemsOf(documents, { of })
  assert.deepEqual(
    written.map(([, , version]) => version),
    [2 ** 40 + 8, 2 ** 40],
  )
  const before = await itemsOf([present({ source, version: 3, type: 't' }, old)], { kind: old, of })
  assert.equal(before.written[0]![2], 2 ** 40 + 3)
})

test('the version that clients give is that; where it is not told the document is left', async () => {
  const flow = new IndexFlow(index)
  flow.hasClientVersions = true
  const known = present({ source, seqNo: 7, version: 1e12 }, numbered, flow)
  const { written, left } = await itemsOf([known, { ...known, version: undefined }])
  assert.deepEqual(written, [['a', null, 1e12, '{"n":1}']])
  assert.equal(left, 1)
})

const types: DocumentTypes = {
  ...{ only: null, keepIn: 'kind', routeById: true },
  join: { field: 'join', parents: { answer: 'post' } },
}

test('mapping types are kept in field, id and join; a delete goes to the same id', async () => {
  const of = { ...target, types }
  const child = {
    ...present({ source, version: 2, type: 'answer', routing: 'p' }, old),
    parent: 'p',
  }
  const gone = present({ what: 'delete', version: 3, type: 'post' }, old)
  const { written } = await itemsOf([child, gone], { kind: old, of })
  assert.deepEqual(written.toSorted(), [
    ['answer#a', 'p', 2, '{"kind":"answer","join":{"name":"answer","parent":"post#p"},"n":1}'],
    ['post#a', 'a', 3, null],
  ])
})

test('a part takes documents of its types alone, and deletes that may be of them', async () => {
  const of = { ...target, types: { only: ['b', 'c'], keepIn: null, routeById: false, join: null } }
  const documents = [
    present({ source, version: 1, type: 'a', id: '1' }, old),
    present({ source, version: 2, type: 'b', id: '2' }, old),
    present({ what: 'delete', version: 3, type: 'a', id: '3' }, old),
    present({ what: 'delete', version: 4, type: 'c', id: '4' }, old),
    present({ what: 'delete', version: 5, id: '5' }, old),
  ]
  const { written } = await itemsOf(documents, { kind: old, of })
  assert.deepEqual(written.map(([id]) => id).toSorted(), ['2', '4', '5'])
})

test('a document without _source is named, unless its index is known to keep none', async () => {
  const lacking = { ...present({ source, seqNo: 1 }), lacksSource: true } as const
  assert.deepEqual((await itemsOf([lacking])).causes, ['source_missing'])
  const of = { ...target, sourceForm: 'disabled' } as const
  assert.deepEqual(await itemsOf([lacking], { of }), { written: [], causes: [], left: 0 })
})

test('several lanes may have documents changed at once, each gets its own', async (t) => {
  const action = { kind: 'rename', rename: { n: 'm' } } as const
  const step = { name: 'rename', allowDrop: false, options: {}, digest: 'd', action }
  const transform = new Transform({ steps: [step], deadlineMs: 5000 })
  t.after(() => transform.close())
  const placer = new DocumentPlacer(numbered, transform)
  const placed = await Promise.all(
    Array.from({ length: 8 }, (_, n) => {
      const text = Buffer.from(`{"n":${n}}`)
      return placer.place([present({ id: `id${n}`, source: text, seqNo: n })], target)
    }),
  )
  placed.forEach(({ items }, n) => {
    assert.deepEqual([items[0]!.id, items[0]!.source!.toString()], [`id${n}`, `{"m":${n}}`])
  })
})

test('what a transform drops is deleted at its number, what it fails on is named', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-placer-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'rules.mjs')
  writeFileSync(
    file,
    `export function document(one, api) {
      if (one.source.n === 1) return api.drop('no ones')
      if (one.source.n === 2) throw new Error('no twos')
      return one
    }`,
  )
  const action = { kind: 'module', path: file } as const
  const step = { name: 'rules', allowDrop: true, options: {}, digest: 'd', action }
  const transform = new Transform({ steps: [step], deadlineMs: 5000 })
  t.after(() => transform.close())
  const documents = [1, 2, 3].map((n) =>
    present({ id: `id${n}`, source: Buffer.from(`{"n":${n}}`), seqNo: n }),
  )
  const { items, unwritable } = await new DocumentPlacer(numbered, transform).place(
    documents,
    target,
  )
  assert.deepEqual(
    items.map(({ id, version, source }) => [id, version, source?.toString()]),
    [
      ['id1', 2, undefined],
      ['id3', 4, '{"n":3}'],
    ],
  )
  assert.deepEqual(
    unwritable.map(({ cause, document }) => [cause, document.pending.id]),
    [['transform_failed', 'id2']],
  )
})
