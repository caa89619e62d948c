import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertEqual, backfill, makeReady, makeSnapshot } from '../support/backfill.ts'
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

const target = await useEngine('opensearch', '3', { own: true })
for (const version of ['2', '1']) {
  testTypes(version, await useEngine('elasticsearch', version, { own: true }), target)
}

test(
  'parents of an index of Elasticsearch 5 that lives on in 6 are in segments of 6',
  { skip: target.skip },
  async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'osmigrate-types-'))
    after(() => rmSync(dir, { recursive: true, force: true }))
    const [forum, few] = [uniqueName('forum'), uniqueName('few')]
    const five = await useEngine('elasticsearch', '5', { dir })
    await makeForum(five, forum, fieldsOf['5']!, { shards: 2, questions: manyQuestions })
    await makeFew(five, few)
    await send(five, 'POST', '/_flush')
    await five.stop()

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
