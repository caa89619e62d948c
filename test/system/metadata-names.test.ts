/** Names in many writing systems, and with all that URLs and shells give a meaning to, get over as they are. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import type { MetadataResult } from '../../src/metadata/apply.ts'
import type { Verdict } from '../../src/state/records.ts'
import { cliFolder, osmigrate, osmigrateJson } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target
const stem = uniqueName('named')

/** Small letters, as names of indices are. */
const words = [
  'журнал',
  'ελληνικά',
  '日本語のログ',
  '日志-归档',
  '한국어',
  'บันทึก',
  'हिन्दी',
  'سجلات',
  'יומן',
  'ქართული',
  'հայերեն',
  'emoji-😀🏳️‍🌈',
  'caf\u00e9',
  'cafe\u0301',
  'a%2fb',
  'a+b&c=d;e',
  "quote'd(1)~!@$^[]{}",
  '𝄞-beyond-16-bits',
  'right\u200fto\u202eleft',
  'constructor',
  '__proto__',
  `long-${'ж'.repeat(90)}`,
]
/** Of fields, aliases and pipelines also these. */
const freer = [...words, 'Großes Maß', 'with space', 'tab\tand"quote"', '\\back\\slash']
const fields = freer.map((name) => name.replaceAll('.', '_'))
/** Names of aliases obey the rules of indices, save for capital letters; ids of pipelines none. */
const aliases = words.map((word) => `${stem}-alias-${word.slice(0, 40)}-Ä`)
const pipelines = [...freer, 'a/b', '*', 'a,b', '?x=1#y'].map((word) => `${stem}-${word}`)

test('names in many writing systems', { skip }, async () => {
  // Half of them, for the time that an index takes.
  const indices = words.filter((_, i) => i % 2 === 0).map((word) => `${stem}-${word}`)
  for (const [i, index] of indices.entries()) {
    const settings = { number_of_shards: 1, number_of_replicas: 0 }
    const properties = Object.fromEntries(fields.map((name) => [name, { type: 'keyword' }]))
    const whole = i === 0 ? { mappings: { properties } } : {}
    await send(source, 'PUT', `/${encodeURIComponent(index)}`, {
      settings,
      ...whole,
      aliases: { [aliases[i]!]: { filter: { term: { [words[i]!]: 'x' } } } },
    })
    const id = encodeURIComponent(words[i]!)
    const place = `/${encodeURIComponent(index)}/_doc/${id}?refresh=true&routing=${id}`
    const document = Object.fromEntries([...fields, '__proto__'].map((name) => [name, name]))
    await send(source, 'PUT', place, document)
  }
  const processors = [{ set: { field: 'a', value: 1 } }]
  for (const name of pipelines) {
    await send(source, 'PUT', `/_ingest/pipeline/${encodeURIComponent(name)}`, { processors })
  }
  const { location } = source.makeRepository()
  const folder = cliFolder()
  const config = {
    version: 1,
    source: { url: source.url },
    target: { url: target.url },
    select: { include: [`${stem}-*`], exclude: [`regex:(?!${stem}-).*`] },
    snapshot: { repository: location },
  }
  writeFileSync(path.join(folder, 'migration.yaml'), JSON.stringify(config))
  await osmigrate(folder, 0, 'snapshot', 'create')
  // Of itself the API has a pattern for a name that contains a star.
  await send(source, 'DELETE', `/_ingest/pipeline/${stem}-*`)

  const made = await osmigrateJson<MetadataResult>(folder, 0, 'metadata', 'migrate')
  const expected = [...indices, ...pipelines].sort()
  assert.deepEqual(made.objects.map(({ name }) => name).sort(), expected)
  assert.deepEqual(
    made.objects.filter(({ outcome }) => outcome !== 'created'),
    [],
  )
  const again = await osmigrateJson<MetadataResult>(folder, 0, 'metadata', 'migrate')
  assert.deepEqual(
    again.objects.filter(({ outcome }) => outcome !== 'unchanged'),
    [],
  )
  await osmigrate(folder, 0, 'compare', 'metadata')
  await osmigrate(folder, 0, 'backfill', 'start')
  const { verdicts } = await osmigrateJson<{ verdicts: Verdict[] }>(
    folder,
    0,
    ...['compare', 'documents'],
  )
  assert.deepEqual(verdicts.map(({ index }) => index).sort(), [...indices].sort())

  for (const [i, index] of indices.entries()) {
    const found = await send<{ [index: string]: { mappings: JsonObject; aliases: JsonObject } }>(
      target,
      'GET',
      `/${encodeURIComponent(index)}`,
    )
    const { mappings, aliases: has } = found[index]!
    const names = Object.keys(mappings.properties as JsonObject)
    for (const name of fields) assert.ok(names.includes(name), `${index} lacks ${name}`)
    assert.ok(aliases[i]! in has)
    await send(target, 'POST', `/${encodeURIComponent(index)}/_refresh`)
    const query = { query: { match: { [words[i]!]: words[i]! } } }
    const answer = await send<{ count: number }>(
      target,
      'POST',
      `/${encodeURIComponent(index)}/_count`,
      query,
    )
    assert.equal(answer.count, 1, index)
  }
  await osmigrate(folder, 0, 'close')
  await send(target, 'DELETE', `/_ingest/pipeline/${stem}-*`)
})
