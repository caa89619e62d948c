import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import type { AppliedObject } from '../../src/metadata/apply.ts'
import type { MetadataComparison } from '../../src/metadata/compare-metadata.ts'
import { createSnapshot } from '../../src/take/create-snapshot.ts'
import { cliFolder, osmigrate, osmigrateJson } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'

const sourceEngine = await useEngine('elasticsearch', '7')
const targetEngine = await useEngine('opensearch', '3')
const { skip } = targetEngine
const source = await connect('source', sourceEngine)
const target = skip ? source : await connect('target', targetEngine)

interface Result {
  objects: AppliedObject[]
}

test(
  'an index moves under another name, with its documents; what clashes is refused by name',
  { skip },
  async () => {
    const stem = uniqueName('rename')
    const of = (part: string): string => `${stem}-${part}`
    for (const part of ['old', 'one', 'two', 'taken', 'upper', 'held', 'plain']) {
      await send(sourceEngine, 'PUT', `/${of(part)}`, {
        settings: { number_of_shards: 2, number_of_replicas: 0 },
        mappings: { dynamic: false, properties: { n: { type: 'integer' } } },
        aliases: part === 'plain' ? { [of('alias')]: {} } : { [of('read')]: {} },
      })
    }
    const bulk = '{"index":{"_id":"1"}}\n{"n":1}\n{"index":{"_id":"2"}}\n{"n":2,"m":1}\n'
    await send(sourceEngine, 'POST', `/${of('old')}/_bulk?refresh=true`, bulk)
    const { location } = sourceEngine.makeRepository()
    const select = { include: [`${stem}-*`] }
    await createSnapshot(source, {
      migration: stem,
      location,
      name: stem,
      select,
      globalState: false,
    })
    await send(targetEngine, 'PUT', `/${of('elsewhere')}`, { aliases: { [of('taken-new')]: {} } })
    const rename = [
      { from: of('(one|two)'), to: of('both') },
      { from: of('upper'), to: of('UPPER') },
      { from: of('held'), to: of('alias') },
      { from: `${stem}-(old|taken)`, to: `${stem}-$1-new` },
    ]
    const folder = cliFolder()
    const config = {
      version: 1,
      name: stem,
      target: { url: targetEngine.url },
      select: { include: [`${stem}-*`] },
      snapshot: { repository: location, name: stem },
      metadata: { rename, templates: false, pipelines: false },
    }
    writeFileSync(path.join(folder, 'migration.yaml'), JSON.stringify(config))

    const table = await osmigrate(folder, 3, 'metadata', 'evaluate')
    assert.match(table.stdout, new RegExp(`${of('old-new')} \\(renamed from ${of('old')}\\)`))
    const { objects } = await osmigrateJson<Result>(folder, 3, 'metadata', 'migrate')
    const find = (part: string): AppliedObject => objects.find(({ name }) => name === of(part))!
    assert.deepEqual(
      objects.map(({ name, outcome }) => [name.slice(stem.length + 1), outcome]),
      [
        ['held', 'refused'],
        ['old', 'created'],
        ['one', 'refused'],
        ['plain', 'created'],
        ['taken', 'refused'],
        ['two', 'refused'],
        ['upper', 'refused'],
      ],
    )
    assert.equal(find('old').renamedTo, of('old-new'))
    assert.match(
      find('one').reason!,
      new RegExp(`${of('one')} and ${of('two')} would both be ${of('both')}`),
    )
    assert.match(find('upper').reason!, /no upper-case letters/)
    assert.match(
      find('taken').reason!,
      new RegExp(`${of('taken-new')} is the name of an alias on the target`),
    )
    assert.match(find('held').reason!, new RegExp(`alias or data stream of ${of('plain')}`))

    const index = ['--index', of('old')]
    const allow = (dynamic: string): Promise<unknown> =>
      send(targetEngine, 'PUT', `/${of('old-new')}/_mapping`, { dynamic })
    await allow('strict')
    await osmigrate(folder, 3, 'backfill', 'start', ...index)
    await allow('false')
    await osmigrate(folder, 0, 'deadletters', 'retry', ...index)
    await send(targetEngine, 'POST', `/${of('old-new')}/_refresh`)
    const { body } = await target.request('GET', `/${of('old-new')}/_count`)
    assert.equal(body.count, 2)
    await osmigrate(folder, 0, 'compare', 'documents', ...index)
    const compared = await osmigrateJson<MetadataComparison>(
      folder,
      0,
      'compare',
      'metadata',
      ...index,
    )
    assert.deepEqual(
      compared.objects.map(({ name, renamedTo, verdict }) => [name, renamedTo, verdict]),
      [[of('old'), of('old-new'), 'equal']],
    )
    const again = await osmigrateJson<Result>(folder, 0, 'metadata', 'migrate', ...index)
    assert.deepEqual(
      again.objects.map(({ outcome }) => outcome),
      ['unchanged'],
    )

    // A rule that is changed afterwards does not make the index a second time.
    rename.at(-1)!.to = `${stem}-$1-newer`
    writeFileSync(path.join(folder, 'migration.yaml'), JSON.stringify(config))
    const later = await osmigrateJson<Result>(folder, 3, 'metadata', 'migrate', ...index)
    assert.match(
      later.objects[0]!.reason!,
      new RegExp(`${of('old-new')} on the target was made for it before`),
    )
  },
)
