import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomSource } from '../../test/support/random-json.ts'
import { Buckets } from './buckets.ts'
import type { Side } from '../cluster/cluster.ts'
import { CanonicalDigest } from './canonical.ts'
import { DifferencePass, entriesMax, planPasses } from './differences.ts'
import type { Difference } from './differences.ts'
import { ScannedDocument } from './scanned-document.ts'

interface Plain {
  id: string
  routing?: string
  source: string
}

const digest = new CanonicalDigest({ half1: 7, half2: 9 })

function scanned(plain: Plain): ScannedDocument {
  const bytes = Buffer.from(`${plain.id}\n${plain.routing ?? ''}\n${plain.source}`)
  const document = new ScannedDocument()
  digest.use(bytes, 'test')
  digest.raw(0, Buffer.byteLength(plain.id))
  document.id1 = digest.half1
  document.id2 = digest.half2
  digest.raw(0, bytes.length)
  document.whole1 = digest.half1
  document.whole2 = digest.half2
  document.name = () => ({
    id: plain.id,
    ...(plain.routing !== undefined && { routing: plain.routing }),
  })
  return document
}

function compare(sides: { [side in Side]: Plain[] }) {
  const buckets = new Buckets(sides.source.length)
  const all = (add: (side: Side, document: ScannedDocument) => void): void => {
    for (const side of ['source', 'target'] as const)
      for (const plain of sides[side]) add(side, scanned(plain))
  }
  all((side, document) => buckets.add(side, document))
  const differing = buckets.differing()
  const counts = { equal: 0, different: 0, missing: 0, extra: 0 }
  const examples: Difference[] = []
  for (let bucket = 0; bucket < buckets.count; bucket++)
    if (!differing.includes(bucket)) counts.equal += buckets.source[bucket]!
  for (const chosen of planPasses(buckets, differing)) {
    const pass = new DifferencePass(buckets, chosen)
    const slices = { source: pass.begin(), target: pass.begin() }
    all((side, document) => slices[side].add(document))
    for (const side of ['source', 'target'] as const) pass.take(side, slices[side])
    assert.equal(
      pass.pairUp(counts, (example) => examples.push(example)),
      false,
    )
  }
  return { counts, examples, differing }
}

const documents = (count: number): Plain[] =>
  Array.from({ length: count }, (_, i) => ({ id: `d${i}`, source: `{"n":${i}}` }))

test('the same documents in another order leave no bucket to look into', () => {
  const source = documents(5000)
  const { counts, differing } = compare({ source, target: source.toReversed() })
  assert.deepEqual(differing, [])
  assert.deepEqual(counts, { equal: 5000, different: 0, missing: 0, extra: 0 })
})

test('missing, extra and changed documents are counted and named', () => {
  const source = documents(5000)
  const target = source.toSpliced(17, 1).concat({ id: 'new', source: '{}' })
  target[4000] = { ...target[4000]!, source: '{"n":-1}' }
  const { counts, examples } = compare({ source, target })
  assert.deepEqual(counts, { equal: 4998, different: 1, missing: 1, extra: 1 })
  assert.deepEqual(
    examples.map(({ kind, source, target }) => [kind, source?.id, target?.id]).sort(),
    [
      ['different', target[4000].id, target[4000].id],
      ['extra', undefined, 'new'],
      ['missing', 'd17', undefined],
    ],
  )
})

test('one id under several routings is several documents', () => {
  const routed = (routing: string, source = '{}'): Plain => ({ id: 'x', routing, source })
  const of = (source: Plain[], target: Plain[]) => compare({ source, target }).counts
  const none = { equal: 0, different: 0, missing: 0, extra: 0 }
  assert.deepEqual(of([routed('a'), routed('b')], [routed('b'), routed('a')]), {
    ...none,
    equal: 2,
  })
  assert.deepEqual(of([routed('a'), routed('b')], [routed('b')]), { ...none, equal: 1, missing: 1 })
  assert.deepEqual(of([routed('a')], [routed('b')]), { ...none, different: 1 })
  assert.deepEqual(of([routed('a'), routed('a')], []), { ...none, missing: 2 })
  assert.deepEqual(of([routed('a')], [routed('a'), routed('a')]), { ...none, equal: 1, extra: 1 })
  assert.deepEqual(of([routed('a'), routed('b')], [routed('a', '{"c":1}'), routed('b')]), {
    ...none,
    equal: 1,
    different: 1,
  })
})

test('any mix of changes is counted as a plain comparison counts it', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomSource(seed)
    const source = documents(2000)
    const target: Plain[] = []
    const expected = { equal: 0, different: 0, missing: 0, extra: 0 }
    for (const plain of source) {
      const dice = random()
      if (dice < 0.1) expected.missing++
      else if (dice < 0.2) {
        expected.different++
        target.push({ ...plain, source: '{"other":true}' })
      } else {
        expected.equal++
        target.push(plain)
        if (dice > 0.95) {
          expected.extra++
          target.push({ ...plain, id: `extra-${plain.id}` })
        }
      }
    }
    assert.deepEqual(compare({ source, target }).counts, expected, `seed ${seed}`)
  }
})

test('passes hold a bounded number of documents and together every differing bucket', () => {
  const buckets = new Buckets(256 * 32)
  buckets.source.fill(entriesMax / 8)
  const all = Array.from({ length: buckets.count }, (_, bucket) => bucket)
  const passes = planPasses(buckets, all)
  assert.deepEqual(passes.flat(), all)
  assert.equal(passes.length, buckets.count / 8)
})

test('a document that came or went since the first scan is noticed', () => {
  const buckets = new Buckets(10)
  const [one, two] = [scanned({ id: 'a', source: '1' }), scanned({ id: 'a', source: '2' })]
  buckets.add('source', one)
  const chosen = buckets.differing()
  const counts = { equal: 0, different: 0, missing: 0, extra: 0 }
  const more = new DifferencePass(buckets, chosen)
  const slice = more.begin()
  slice.add(one)
  slice.add(two)
  more.take('source', slice)
  assert.equal(
    more.pairUp(counts, () => {}),
    true,
  )
  const fewer = new DifferencePass(buckets, chosen)
  assert.equal(
    fewer.pairUp(counts, () => {}),
    true,
  )
})
