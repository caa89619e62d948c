import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BackfillSummary } from '../../src/backfill/run.ts'
import type { MetadataPlan } from '../../src/metadata/plan.ts'
import type { Verdict } from '../../src/state/records.ts'
import { makeSnapshot } from '../support/backfill.ts'
import { cliFolder, osmigrate, osmigrateJson } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import { testTypes } from '../support/move-types.ts'
import { makeTwins } from '../support/older-types.ts'

/** Elasticsearch 5 keeps the ids of parents in doc values alone; what is older is in older-types.soak.ts. */
const source = await useEngine('elasticsearch', '5', { own: true })
const target = await useEngine('opensearch', '3')
testTypes('5', source, target)

test(
  'types by the command line: each part has its line, its verdict and its dead letters',
  { skip: target.skip },
  async () => {
    const index = uniqueName('cli')
    await makeTwins(source, index, 2)
    // A field that no mapping knows, of the name that the type will have.
    const odd = { index: { _index: index, _type: 'order', _id: 'odd' } }
    const lines = [odd, { kind: 'there already' }].map((line) => `${JSON.stringify(line)}\n`)
    await send(source, 'POST', '/_bulk?refresh=true', lines.join(''))
    const cluster = await connect('source', source)
    const { repository, snapshot } = await makeSnapshot({ cluster, engine: source }, [index])
    const configured = async (metadata: string, transform = ''): Promise<string> => {
      const folder = cliFolder()
      const yaml = `version: 1
name: ${uniqueName('types')}
target: { url: ${target.url} }
select: { include: ['${index}'] }
snapshot: { repository: ${repository}, name: ${snapshot.name} }
metadata: { templates: false, pipelines: false, ${metadata} }
${transform}
`
      await writeFile(join(folder, 'migration.yaml'), yaml)
      return folder
    }

    const divided = await configured(
      "rename: [{ from: '(.*)-invoice', to: '$1-bills' }]",
      'transform: { splitTypes: true }',
    )
    const plan = await osmigrateJson<MetadataPlan>(divided, 0, 'metadata', 'evaluate')
    const names = plan.indices.map(({ name, targetIndex }) => `${name} ${targetIndex}`)
    assert.deepEqual(names.sort(), [
      `${index}#Invoice ${index}-bills`,
      `${index}#order ${index}-order`,
    ])
    await osmigrate(divided, 0, 'metadata', 'migrate')
    const done = await osmigrateJson<BackfillSummary>(
      divided,
      0,
      'backfill',
      'start',
      '--threads',
      '2',
    )
    assert.equal(done.totals.written, 111)
    const { verdicts } = await osmigrateJson<{ verdicts: Verdict[] }>(
      divided,
      0,
      'compare',
      'documents',
    )
    const equal = verdicts.map(({ index, verdict, equal }) => `${index} ${verdict} ${equal}`)
    assert.deepEqual(equal.sort(), [`${index}#Invoice equal 50`, `${index}#order equal 61`])
    await osmigrate(divided, 0, 'compare', 'metadata')

    // Divided otherwise it is refused while the parts are there.
    const kept = await configured('types: keep, typeField: kind')
    const refused = await osmigrateJson<MetadataPlan>(kept, 3, 'metadata', 'evaluate')
    assert.match(refused.indices[0]!.reason!, /by another metadata.types/)
    await send(target, 'DELETE', `/${index}-bills,${index}-order`)

    await osmigrate(kept, 0, 'metadata', 'migrate')
    const most = await osmigrateJson<BackfillSummary>(kept, 3, 'backfill', 'start')
    assert.deepEqual([most.totals.written, most.deadLetters], [110, 1])
    const listed = await osmigrate(kept, 3, 'deadletters', 'list', '--each')
    assert.match(listed.stdout, /order#odd/)
    await osmigrate(kept, 3, 'deadletters', 'retry')
    const compared = await osmigrateJson<{ verdicts: Verdict[] }>(kept, 3, 'compare', 'documents')
    const [verdict] = compared.verdicts
    assert.deepEqual([verdict!.equal, verdict!.missing, verdict!.different], [110, 1, 0])
    assert.match(verdict!.note, /kind holds the mapping type, and the id begins with it/)
  },
)
