import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BackfillSummary } from '../../src/backfill/run.ts'
import type { MetadataPlan } from '../../src/metadata/plan.ts'
import type { Verdict } from '../../src/state/records.ts'
import { osmigrate, osmigrateJson } from '../support/cli.ts'
import { useEngine } from '../support/engines.ts'
import { testTypes } from '../support/move-types.ts'
import { twinsWithOdd } from '../support/types-by-command.ts'

/** Elasticsearch 5 keeps the ids of parents in doc values alone; more, and what is older, is in older-types.soak.ts. */
const source = await useEngine('elasticsearch', '5', { own: true })
const target = await useEngine('opensearch', '3')
testTypes('5', source, target, 300)

test(
  'types by the command line: each part has its line and its verdict',
  { skip: target.skip },
  async () => {
    const { index, configured } = await twinsWithOdd(source, target)
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
  },
)
