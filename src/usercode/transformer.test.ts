import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { documentBlock } from '../../test/support/document-block.ts'
import type { TransformedBlock } from '../transform/packed-documents.ts'
import { Transformer } from './transformer.ts'

/** Modules of users, each in a thread as in a migration. */

async function open(
  t: TestContext,
  module: string,
  { deadlineMs = 5000, file = 'shop.ts' } = {},
): Promise<Transformer> {
  const folder = mkdtempSync(join(tmpdir(), 'osmigrate-usercode-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, file)
  writeFileSync(path, module)
  const common = { name: file, options: { unit: 'EUR' }, allowDrop: false, digest: '' }
  const transformer = await Transformer.open({
    deadlineMs,
    steps: [{ ...common, action: { kind: 'module', path } }],
  })
  t.after(() => transformer.close())
  return transformer
}

async function run(
  transformer: Transformer,
  sources: readonly string[],
  mayRename = false,
): Promise<TransformedBlock[]> {
  const blocks: TransformedBlock[] = []
  const stored = [documentBlock(sources.map((source, doc) => ({ doc, id: `d${doc}`, source })))]
  const task = { index: 'shop', mayRename }
  for await (const block of transformer.blocks(asyncOf(stored), task)) blocks.push(block)
  return blocks
}

function sourcesOf({ count, bytes, sourceStart, sourceEnd }: TransformedBlock): unknown[] {
  return Array.from({ length: count }, (_, i) => {
    const start = sourceStart[i]!
    return start < 0 ? undefined : bytes.toString('utf8', start, sourceEnd[i])
  })
}

async function* asyncOf<T>(list: readonly T[]): AsyncIterable<T> {
  yield* list
}

const three = ['{"n":1}', '{"n":2}', '{"n":3}']

test('what is asked at once waits for its turn, also while a thread is ended', async (t) => {
  const transformer = await open(
    t,
    `export function document(d) {
       while (d.source.n === 2);
       d.source.n *= 10
       return d
     }`,
    { deadlineMs: 300 },
  )
  const asked = [three, ['{"n":4}'], three, ['{"n":5}', '{"n":6}']]
  const answers = await Promise.all(asked.map((sources) => run(transformer, sources)))
  const found = answers.map((blocks) => blocks.flatMap(sourcesOf))
  assert.deepEqual(
    found.map((sources) => sources.filter((_, i) => !(sources.length === 3 && i === 1))),
    [['{"n":10}', '{"n":30}'], ['{"n":40}'], ['{"n":10}', '{"n":30}'], ['{"n":50}', '{"n":60}']],
  )
})

test('a module changes each document, and what it throws is of that document alone', async (t) => {
  const transformer = await open(
    t,
    `export function document(d, ctx) {
       if (d.source.n === 2) throw new TypeError('two')
       d.source.unit = ctx.options.unit + ctx.index
       return d
     }`,
  )
  const [block] = await run(transformer, three)
  assert.deepEqual(sourcesOf(block!), [
    '{"n":1,"unit":"EURshop"}',
    undefined,
    '{"n":3,"unit":"EURshop"}',
  ])
  assert.deepEqual(block!.unsent.get(1), {
    why: 'failed',
    reason: 'shop.ts: TypeError: two (shop.ts:2)',
  })
})

test('many large documents come back in pieces that cover the stretch without a gap', async (t) => {
  const transformer = await open(t, 'export const document = (d) => d')
  const sources = Array.from({ length: 40 }, (_, i) => `{"n":${i},"x":"${'x'.repeat(100_000)}"}`)
  const blocks = await run(transformer, sources)
  assert.ok(blocks.length > 1)
  assert.deepEqual(blocks.flatMap(sourcesOf), sources)
  for (const [i, block] of blocks.slice(1).entries()) assert.equal(block.fromDoc, blocks[i]!.toDoc)
  assert.equal(blocks.at(-1)!.toDoc, sources.length)
})

for (const [what, body, reason] of [
  ['an endless loop', 'for (;;);', /document took longer than the deadline of 300 ms/],
  ['process.exit()', 'process.exit(3)', /its thread ended by itself \(exit code 3\)/],
  ['memory without end', 'const a = []; for (;;) a.push(new Array(1e6).fill(1.5))', /ended|longer/],
] as const) {
  test(`${what} ends its thread, names the document, and the others go on`, async (t) => {
    const deadlineMs = what === 'memory without end' ? 20_000 : 300
    const module = `export function document(d) { if (d.source.n === 2) { ${body} }; return d }`
    const transformer = await open(t, module, { deadlineMs })
    const [block] = await run(transformer, three)
    assert.deepEqual(sourcesOf(block!), [three[0], undefined, three[2]])
    const unsent = block!.unsent.get(1)!
    assert.equal(unsent.why, 'failed')
    assert.match(unsent.reason, reason)
  })
}

test('a module that ends its thread between documents costs none of them', async (t) => {
  const module = `export function document(d) {
    if (d.source.n === 3) setImmediate(() => process.exit(4))
    return d
  }`
  const transformer = await open(t, module)
  for (let i = 0; i < 4; i++) {
    const [block] = await run(transformer, three)
    assert.deepEqual(sourcesOf(block!), three)
  }
})

test('a module that ends its thread again and again ends the index, by name', async (t) => {
  const module = 'export function document() { process.exit(1) }'
  const transformer = await open(t, module)
  await assert.rejects(
    run(
      transformer,
      Array.from({ length: 20 }, () => '{}'),
    ),
    {
      code: 'MA_TRANSFORM',
      message: /ended its thread or overrun its deadline 11 times, .* index shop/,
    },
  )
})

test('a changed id or routing is refused by name where the index has several shards', async (t) => {
  for (const change of [`d.id = 'x' + d.id`, `d.routing = 'x'`]) {
    const transformer = await open(t, `export function document(d) { ${change}; return d }`)
    await assert.rejects(run(transformer, three), {
      code: 'MA_TRANSFORM',
      message: /shop.ts changes the (id|routing) of document "d0" in index shop, .* several shards/,
    })
    const [block] = await run(transformer, three, true)
    assert.equal(block!.unsent.size, 0)
  }
})

for (const [what, value, reason] of [
  ['nothing', 'undefined', /returned undefined; return the document, or ctx.drop/],
  ['null', 'null', /returned null/],
  ['a promise', 'Promise.resolve(d)', /returned a promise; nobody waits/],
  ['a document without source', '{ id: d.id }', /has no source/],
  ['an empty id', '{ ...d, id: "" }', /id that it returned is no text/],
  ['NaN in it', '{ ...d, source: { n: NaN } }', /source.n is NaN, which JSON cannot hold/],
] as const) {
  test(`a module that returns ${what} does not have the document sent as it was`, async (t) => {
    const transformer = await open(t, `export const document = (d) => (${value})`)
    const [block] = await run(transformer, ['{"n":1}'])
    assert.deepEqual(sourcesOf(block!), [undefined])
    assert.match(block!.unsent.get(0)!.reason, reason)
  })
}

for (const [what, module, message] of [
  ['a syntax error', 'export function {', /shop.ts cannot be loaded: SyntaxError/],
  ['none of the functions', 'export const a = 1', /shop.ts exports none of mapping, document/],
  ['a function that is none', 'export const document = 1', /export document is no function/],
  ['an inverse alone', 'export const documentBack = (d) => d', /documentBack without document/],
  ['an error of its own', 'throw new Error("no table")', /cannot be loaded: Error: no table/],
  ['an end of its own', 'process.exit(0)', /its thread ended by itself/],
] as const) {
  test(`a module with ${what} is wrong configuration`, async (t) => {
    await assert.rejects(open(t, module), { code: 'MA_CONFIG', message })
  })
}

test('a mapping that takes too long, or is none, is an error that names the index', async (t) => {
  const loop = await open(t, 'export function mapping() { for (;;); }', { deadlineMs: 200 })
  await assert.rejects(loop.mapping({ index: 'shop' }, {}), {
    code: 'MA_TRANSFORM',
    message: /mapping of index shop: the mapping took longer than the deadline of 200 ms/,
  })
  await assert.rejects(loop.mapping({ index: 'logs' }, {}), {
    message: /index logs: the mapping took/,
  })
  const none = await open(t, 'export function mapping() {}')
  await assert.rejects(none.mapping({ index: 'shop' }, {}), { message: /returned no mapping/ })
})

test('modules in JavaScript and TypeScript load, with imports of their own', async (t) => {
  const script = `import { posix } from 'node:path'
    type D = { source: Record<string, unknown> }
    export function document(d: D): D { d.source['p'] = posix.join('a', 'b'); return d }`
  const [block] = await run(await open(t, script), ['{}'])
  assert.deepEqual(sourcesOf(block!), ['{"p":"a/b"}'])
  const plain = await open(t, 'export const document = (d) => d', { file: 'shop.js' })
  assert.ok(plain.changesDocuments('shop'))
})
