/** Properties that hold of any content: put together at random from all kinds of fields and settings, by a printed seed. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { kindsOfFields } from '../../../test/support/kinds-of-fields.ts'
import { kindsOfIndices } from '../../../test/support/kinds-of-indices.ts'
import { randomForm, shuffled } from '../../../test/support/random-form.ts'
import { randomSource } from '../../../test/support/random-json.ts'
import type { JsonObject } from '../../base/json.ts'
import { parseVersion } from '../../cluster/version.ts'
import { flattenSettings } from '../settings.ts'
import { defaultChoices } from './rule.ts'
import { translateContent, type Content, type Translated } from './translate.ts'

const seed = Number(process.env.OSMIGRATE_TEST_SEED ?? Date.now() % 2 ** 31)
const random = randomSource(seed)
const below = (limit: number): number => Math.floor(random() * limit)
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!

const sources = [
  ...['1.7.5', '2.4.6', '5.6.16', '6.8.23', '7.10.2', '7.17.28', '8.19.0', '9.2.0'].map((text) =>
    parseVersion('elasticsearch', text),
  ),
  ...['1.3.20', '2.19.4', '3.6.0'].map((text) => parseVersion('opensearch', text)),
].map((version) => version!)
const targets = ['1.3.20', '2.4.0', '2.19.4', '3.0.0', '3.6.0'].map((text) =>
  parseVersion('opensearch', text)!,
)

function randomFacts() {
  const source = pick(sources)
  return {
    source,
    created: source,
    target: pick(targets),
    choices: {
      ...defaultChoices,
      stringKeyword: random() < 0.5,
      flattened: pick(['refuse', 'object', 'unsearchable'] as const),
    },
    awarenessCopies: pick([1, 1, 3]),
    searchPipelines: new Set(pick([[], ['filtered']])),
  }
}

/** Fields of the kinds, some of them within objects, some as sub-fields; settings and roots of others. */
function randomContent(): Content {
  const fields = (depth: number): JsonObject =>
    Object.fromEntries(
      Array.from({ length: 1 + below(6) }, (_, i): [string, JsonObject] => {
        if (depth > 0 && random() < 0.2) {
          const type = random() < 0.5 ? { type: pick(['object', 'nested']) } : {}
          return [`o${i}`, { ...type, properties: fields(depth - 1) }]
        }
        const field = pick(kindsOfFields).properties!.f as JsonObject
        const fields_ = random() < 0.2 && !('fields' in field) ? { fields: fields(0) } : {}
        return [`f${i}`, { ...field, ...fields_ }]
      }),
    )
  const parts = Array.from({ length: below(6) }, () => pick(kindsOfIndices))
  const mapping = Object.assign({}, ...parts.map((part) => part.mapping ?? {})) as JsonObject
  const settings = Object.assign(
    {},
    ...parts.map((part) => flattenSettings(part.settings ?? {})),
  ) as JsonObject
  const properties = { ...(mapping.properties as JsonObject), ...fields(2) }
  return { settings, mappings: { doc: { ...mapping, properties } } }
}

/** The lines in any order, since they follow that of the keys. */
function linesOf({ changes }: Translated): string[] {
  return changes.map(({ path, what, loss, rule }) => `${path} ${what} ${loss} ${rule}`).sort()
}

test(`however content is written down, the same becomes of it (seed ${seed})`, () => {
  for (let run = 0; run < 500; run++) {
    const content = randomContent()
    const facts = randomFacts()
    const straight = translateContent(content, facts)
    const other = translateContent(
      {
        settings: flattenSettings(randomForm(random, content.settings)),
        mappings: shuffled(random, content.mappings) as Content['mappings'],
      },
      facts,
    )
    const about = `run ${run}: ${JSON.stringify({ content, facts })}`
    assert.deepEqual(other.settings, straight.settings, about)
    assert.deepEqual(other.mapping, straight.mapping, about)
    assert.deepEqual(linesOf(other), linesOf(straight), about)
    assert.equal(other.refused === undefined, straight.refused === undefined, about)
  }
})

test(`what the rules have made they leave as it is (seed ${seed})`, () => {
  for (let run = 0; run < 500; run++) {
    const content = randomContent()
    const facts = randomFacts()
    const { settings, mapping, refused } = translateContent(content, facts)
    if (refused !== undefined) continue
    const again = translateContent({ settings, mappings: { _doc: mapping } }, facts)
    const about = `run ${run}: ${JSON.stringify({ content, facts })}`
    assert.deepEqual([again.settings, again.mapping], [settings, mapping], about)
    assert.equal(again.refused, undefined, about)
  }
})
