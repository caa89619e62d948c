import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { BackfillSummary } from '../../src/backfill/run.ts'
import type { Verdict } from '../../src/state/records.ts'
import { assertEqual, backfill, makeReady, makeSnapshot } from '../support/backfill.ts'
import { osmigrate, osmigrateJson } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { connect } from '../support/metadata.ts'
import { testTypes } from '../support/move-types.ts'
import {
  fieldsOf,
  findIds,
  joins,
  makeFew,
  makeForum,
  manyQuestions,
} from '../support/older-types.ts'
import { twinsWithOdd } from '../support/types-by-command.ts'

const target = await useEngine('opensearch', '3', { own: true })
const five = await useEngine('elasticsearch', '5', { own: true })
testTypes('5', five, target)
for (const version of ['2', '1']) {
  testTypes(version, await useEngine('elasticsearch', version, { own: true }), target)
}

test(
  'types kept by the command line: a document that cannot be kept is a dead letter of its index',
  { skip: target.skip },
  async () => {
    const { configured } = await twinsWithOdd(five, target)
    const kept = await configured('types: keep, typeField: kind')
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

test(
  'parents of an index of Elasticsearch 5 that lives on in 6 are in segments of 6',
  { skip: target.skip },
  async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'osmigrate-types-'))
    after(() => rmSync(dir, { recursive: true, force: true }))
    const [forum, few] = [uniqueName('forum'), uniqueName('few')]
    const before = await useEngine('elasticsearch', '5', { dir })
    await makeForum(before, forum, fieldsOf['5']!, { shards: 2, questions: manyQuestions })
    await makeFew(before, few)
    await send(before, 'POST', '/_flush')
    await before.stop()

    const six = await useEngine('elasticsearch', '6', { dir })
    await send(six, 'GET', '/_cluster/health?wait_for_status=yellow&timeout=30s')
    // Written anew by 6: an update of every document, and one segment of all.
    await send(six, 'POST', `/${forum},${few}/_update_by_query?refresh=true&conflicts=proceed`)
    await send(six, 'POST', `/${forum},${few}/_forcemerge?max_num_segments=1`)
    const cluster = await connect('source', six)
    const taken = await makeSnapshot({ cluster, engine: six }, [forum, few])
    const to = await connect('target', target)
    const ready = await makeReady({ ...taken, target: to, indices: [forum, few] })
    assert.equal((await backfill(ready)).deadLetters, 0)
    await assertEqual(ready)
    for (const query of joins) {
      const found = await findIds(six, forum, query)
      assert.ok(found.length > 0)
      assert.deepEqual(await findIds(target, forum, query), found)
    }
    const children = { has_parent: { parent_type: 'question', query: { match_all: {} } } }
    assert.deepEqual(await findIds(target, few, children), await findIds(six, few, children))
  },
)
