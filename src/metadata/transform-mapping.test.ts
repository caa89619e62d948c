import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parseVersion } from '../cluster/version.ts'
import { noGlobalMetadata } from '../snapshot/snapshot.ts'
import { Transform } from '../usercode/transform.ts'
import type { EvaluateInput } from './evaluate-input.ts'
import { metadataOptions } from './options.ts'
import { planTemplates } from './plan-templates.ts'
import { defaultChoices } from './rules/rule.ts'

const version = parseVersion('opensearch', '3.1')!
const source = parseVersion('elasticsearch', '7.17')!

function inputOf(t: TestContext, module: string, indices: string[]): EvaluateInput {
  const folder = mkdtempSync(join(tmpdir(), 'osmigrate-mapping-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'shop.mjs')
  writeFileSync(path, module)
  const step = { name: 'shop.mjs', indices, allowDrop: false, options: {}, digest: '' }
  const transform = new Transform({
    deadlineMs: 5000,
    steps: [{ ...step, action: { kind: 'module', path } }],
  })
  t.after(() => transform.close())
  const options = metadataOptions.parse({})
  return { target: { version }, select: {}, options, transform } as unknown as EvaluateInput
}

const facts = {
  source,
  created: source,
  target: version,
  choices: defaultChoices,
  awarenessCopies: 1,
  searchPipelines: new Set<string>(),
}
const mappings = { properties: { name: { type: 'text' } } }
const global = {
  ...noGlobalMetadata,
  componentTemplates: { fields: { template: { mappings } }, others: { template: { mappings } } },
  legacyTemplates: { old: { index_patterns: ['shop-*'], mappings } },
  indexTemplates: {
    shop: { index_patterns: ['a', 'shop-*'], composed_of: ['fields'], template: { mappings } },
    logs: { index_patterns: ['logs-*'], composed_of: ['others'], template: { mappings } },
    bare: { index_patterns: ['shop-*'], template: {} },
  },
}

test('the mappings of templates are changed as those of the indices that they are for', async (t) => {
  const module = `export const mapping = (m, { index, template }) =>
    ({ properties: { ...m.properties, by: { type: 'keyword', meta: { at: index + ' ' + template } } } })`
  const plan = await planTemplates(inputOf(t, module, ['shop-*']), global, { facts })
  const all = [...plan.componentTemplates, ...plan.legacyTemplates, ...plan.indexTemplates]
  const said = all.map(({ name, body, changes }) => {
    const text = JSON.stringify(body)
    const told = changes.some(
      ({ path, what }) => path === 'mappings.properties.by' && what === 'added',
    )
    assert.equal(told, text.includes('"by"'), name)
    return `${name}: ${/"at":"([^"]*)"/.exec(text)?.[1] ?? '-'}`
  })
  assert.deepEqual(said, [
    'fields: a fields',
    'others: -',
    'old: shop-* old',
    'bare: -',
    'logs: -',
    'shop: a shop',
  ])
})

test('a template whose mapping the module does not take is refused, by name', async (t) => {
  const module = `export function mapping() { throw new Error('not this one') }`
  const { legacyTemplates } = await planTemplates(inputOf(t, module, ['shop-*']), global, { facts })
  assert.equal(legacyTemplates[0]!.action, 'refused')
  assert.match(legacyTemplates[0]!.reason!, /mapping of template old: .*not this one/)
})
