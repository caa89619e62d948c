import assert from 'node:assert/strict'
import test from 'node:test'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect, migrate, newState, snapshotOf } from '../support/metadata.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3', { own: true })
const { skip } = targetEngine
const source = await connect('source', sourceEngine)
const target = skip ? source : await connect('target', targetEngine)

test(
  'ingest pipelines and stored scripts go over; what the target cannot run is refused by name',
  { skip },
  async () => {
    const stem = uniqueName('pipelines')
    const [plain, other, lacking, caller, script] = [
      ...['plain', 'other', 'lacking', 'caller', 'script'].map((part) => `${stem}-${part}`),
    ] as [string, string, string, string, string, string]
    const set = { set: { field: 'stamped', value: true } }
    const pipelines = {
      [plain]: { description: 'stamps', processors: [set, { script: { id: script } }] },
      [other]: { processors: [set] },
      [lacking]: {
        processors: [set],
        on_failure: [{ set_security_user: { field: 'user' } }, { inference: { model_id: 'm' } }],
      },
      [caller]: { processors: [{ pipeline: { name: `${stem}-gone` } }] },
    }
    const stored = { script: { lang: 'painless', source: 'ctx.counted = 1' } }
    await send(sourceEngine, 'PUT', `/_scripts/${script}`, stored)
    // The engine that this runs on may lack what this one shall have: then it is left out.
    const made: string[] = []
    for (const [name, body] of Object.entries(pipelines)) {
      const { status } = await source.request('PUT', `/_ingest/pipeline/${name}`, {
        body,
        accept: 'any',
      })
      if (status === 200) made.push(name)
    }
    await target.request('PUT', `/_ingest/pipeline/${other}`, { body: { processors: [] } })
    const index = `${stem}-index`
    const alias = { [`${stem}-alias`]: { is_hidden: true, filter: { term: { n: 1 } } } }
    await send(sourceEngine, 'PUT', `/${index}`, {
      settings: { number_of_replicas: 0, 'sort.field': ['n', 'k'], 'sort.order': ['desc', 'asc'] },
      mappings: { properties: { n: { type: 'long' }, k: { type: 'keyword' } } },
      aliases: alias,
    })
    const snapshot = await snapshotOf(source, sourceEngine, [index])
    for (const name of made) await send(sourceEngine, 'DELETE', `/_ingest/pipeline/${name}`)
    await send(sourceEngine, 'DELETE', `/_scripts/${script}`)
    const state = await newState()
    const options = { pipelines: true }
    const first = await migrate({ snapshot, target, state, options })
    const outcome = (from: typeof first, name: string) =>
      from.result.objects.find((object) => object.name === name)
    assert.equal(outcome(first, plain)?.outcome, 'created')
    assert.equal(outcome(first, script)?.outcome, 'created')
    assert.equal(outcome(first, caller)?.outcome, 'created')
    const calls = first.plan.pipelines.find(({ name }) => name === caller)!.changes
    assert.match(calls[0]!.reason, new RegExp(`calls the pipeline ${stem}-gone`))
    assert.equal(outcome(first, other)?.outcome, 'different')
    assert.match(outcome(first, other)!.reason!, /processors/)
    if (made.includes(lacking)) {
      assert.match(outcome(first, lacking)!.reason!, /no processor .*(set_security_user|inference)/)
    }
    const run = await target.request('POST', `/_ingest/pipeline/${plain}/_simulate`, {
      body: { docs: [{ _source: { a: 1 } }] },
    })
    assert.match(JSON.stringify(run.body), /"counted":1/)
    const { body } = await target.request('GET', `/${index}`, { query: { flat_settings: true } })
    const { settings, aliases } = body[index] as { settings: object; aliases: object }
    assert.deepEqual(
      { ...settings, ...aliases },
      {
        ...settings,
        ...aliases,
        'index.sort.field': ['n', 'k'],
        'index.sort.order': ['desc', 'asc'],
        ...alias,
      },
    )
    const second = await migrate({ snapshot, target, state, options })
    for (const name of [plain, script]) assert.equal(outcome(second, name)?.outcome, 'unchanged')
  },
)

test('search pipelines of an OpenSearch go over', { skip }, async () => {
  const stem = uniqueName('search')
  const [good, other, index] = [`${stem}-good`, `${stem}-other`, `${stem}-index`] as const
  const body = {
    description: 'only the living',
    request_processors: [{ filter_query: { query: { term: { alive: true } } } }],
    response_processors: [{ rename_field: { field: 'a', target_field: 'b' } }],
  }
  for (const name of [good, other])
    await send(targetEngine, 'PUT', `/_search/pipeline/${name}`, body)
  await send(targetEngine, 'PUT', `/${index}`, {
    settings: { number_of_replicas: 0, 'index.search.default_pipeline': good },
  })
  const orphan = `${stem}-orphan`
  await send(targetEngine, 'PUT', `/${orphan}`, {
    settings: { number_of_replicas: 0, 'index.search.default_pipeline': `${stem}-gone` },
  })
  // The target of this file is its own source here.
  const snapshot = await snapshotOf(target, targetEngine, [index, orphan])
  await send(targetEngine, 'DELETE', `/${index},${orphan}`)
  await send(targetEngine, 'DELETE', `/_search/pipeline/${good}`)
  await send(targetEngine, 'PUT', `/_search/pipeline/${other}`, {})
  const state = await newState()
  const options = { pipelines: true }
  const first = await migrate({ snapshot, target, state, options })
  const outcomes = (from: typeof first) =>
    from.result.objects
      .filter(({ kind }) => kind === 'search-pipeline')
      .map(({ name, outcome }) => [name, outcome])
  assert.deepEqual(outcomes(first), [
    [good, 'created'],
    [other, 'different'],
  ])
  const made = await target.request('GET', `/_search/pipeline/${good}`)
  assert.deepEqual(made.body, { [good]: body })
  assert.deepEqual(outcomes(await migrate({ snapshot, target, state, options }))[0], [
    good,
    'unchanged',
  ])
  const settings = await target.request('GET', `/${index}/_settings/index.search.default_pipeline`)
  assert.match(JSON.stringify(settings.body), new RegExp(good))
  const left = first.plan.indices.find(({ name }) => name === orphan)!.changes
  assert.deepEqual(
    left.filter(({ loss }) => loss).map(({ path, what }) => [path, what]),
    [['settings.index.search.default_pipeline', 'dropped']],
  )
  await send(targetEngine, 'POST', `/${orphan}/_search`, {})
})
