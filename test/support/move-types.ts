/** What becomes of mapping types on the way from an engine that had them, tried on real ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { targetIndexKind } from '../../src/state/records.ts'
import { assertEqual, backfill, makeReady, makeSnapshot, withState } from './backfill.ts'
import { send, uniqueName, type TestEngine } from './engines.ts'
import { connect, evaluate, newState } from './metadata.ts'
import {
  fieldsOf,
  findIds,
  joins,
  makeFew,
  makeForum,
  makeTwins,
  manyQuestions,
} from './older-types.ts'

/** One shard where engines before 2 spread routed documents by another hash. */
const shardsOf = (version: string): number => (version === '1' ? 1 : 3)

/** Tests of `source`, an engine of this version of Elasticsearch, to `engine`; united with so many questions. */
export function testTypes(
  version: string,
  source: TestEngine,
  engine: TestEngine,
  united: number = manyQuestions,
): void {
  const { skip } = engine
  const both = async () => ({
    cluster: await connect('source', source),
    target: await connect('target', engine),
  })

  for (const types of ['union', 'keep', 'split'] as const) {
    test(
      `Elasticsearch ${version}, ${types}: parents and children are joined, and found as on the source`,
      { skip },
      async () => {
        const { cluster, target } = await both()
        const index = uniqueName('forum')
        const questions = types === 'union' ? united : 300
        await makeForum(source, index, fieldsOf[version]!, { shards: shardsOf(version), questions })
        const taken = await makeSnapshot({ cluster, engine: source }, [index])
        const ready = await makeReady({ ...taken, target, indices: [index], options: { types } })
        assert.equal((await backfill(ready)).deadLetters, 0)
        await assertEqual(ready)
        const there = types === 'split' ? `${index}-question` : index
        for (const query of joins) {
          const before = await findIds(source, index, query)
          const after = await findIds(engine, there, query)
          assert.ok(before.length > 0)
          const plain = after.map((id) => id.replace(/^\w+#/, '')).sort()
          assert.deepEqual(plain, before, JSON.stringify(query))
        }
        if (types === 'split') {
          assert.equal(
            (await findIds(engine, `${index}-user`, { match_all: {} })).length,
            questions / 50,
          )
        }
      },
    )
  }

  test(`Elasticsearch ${version}: a few children among many documents`, { skip }, async () => {
    const { cluster, target } = await both()
    const index = uniqueName('few')
    await makeFew(source, index)
    const taken = await makeSnapshot({ cluster, engine: source }, [index])
    const ready = await makeReady({ ...taken, target, indices: [index] })
    assert.equal((await backfill(ready)).deadLetters, 0)
    await assertEqual(ready)
    const query = { has_parent: { parent_type: 'question', query: { match_all: {} } } }
    assert.deepEqual(await findIds(engine, index, query), ['a1405', 'a5', 'a705'])
  })

  test(`Elasticsearch ${version}: two types with the same ids`, { skip }, async () => {
    const { cluster, target } = await both()
    const index = uniqueName('twins')
    await makeTwins(source, index, shardsOf(version))
    const taken = await makeSnapshot({ cluster, engine: source }, [index])
    const plan = await evaluate({ ...taken, target, state: await newState() })
    assert.equal(plan.indices[0]!.action, 'refused')
    assert.match(plan.indices[0]!.reason!, /50 ids are those of documents of several types/)

    const kept = await makeReady({
      ...taken,
      target,
      indices: [index],
      options: { types: 'keep', typeField: 'kind' },
    })
    const done = await backfill(kept)
    assert.deepEqual([done.deadLetters, done.totals.written], [0, 110])
    await assertEqual(kept)
    const orders = `${index}-by-type`
    assert.equal((await findIds(engine, orders, { match_all: {} })).length, 60)
    await send(engine, 'DELETE', `/${index}`)

    const divided = await makeReady({
      ...taken,
      target,
      indices: [index],
      options: { types: 'split', rename: [{ from: '(.*)-invoice', to: '$1-bills' }] },
    })
    assert.equal((await backfill(divided)).totals.written, 110)
    await assertEqual(divided)
    assert.equal((await findIds(engine, orders, { match_all: {} })).length, 60)
    assert.equal((await findIds(engine, `${index}-order`, { match_all: {} })).length, 60)
    assert.equal((await findIds(engine, `${index}-bills`, { match_all: {} })).length, 50)

    await assert.rejects(
      withState(divided.folder, async (state) => {
        // As where metadata came from the live source, which cannot tell.
        const { value } = (await state.get(targetIndexKind, `${index}#order`))!
        const { types, ...whole } = value
        assert.deepEqual(types?.only, ['order'])
        await state.commit([
          { op: 'delete', kind: targetIndexKind, key: `${index}#Invoice` },
          {
            op: 'put',
            kind: targetIndexKind,
            key: `${index}#order`,
            value: { ...whole, distinctIn: null },
          },
        ])
      }).then(() => backfill(divided)),
      /50 ids are those of documents of several mapping types.*Delete/s,
    )
  })
}
