/** The official Python clients, unchanged, through the proxy. Needs python3 with venv, and the Python package index. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { startEngine, type EngineKind } from '../../src/engines/engine.ts'
import { documents, throughProxy } from '../support/capture-clients.ts'

interface PythonClient {
  readonly requirement: string
  readonly kind: EngineKind
  readonly version: string
  /** Makes `client`, and imports `helpers`. */
  readonly prelude: string
  /** What only this client and its engine have. */
  readonly more: string
}

const clients: readonly PythonClient[] = [
  {
    requirement: 'elasticsearch==6.8.2',
    kind: 'elasticsearch',
    version: '6.8.23',
    prelude: 'from elasticsearch import Elasticsearch, helpers\nclient = Elasticsearch([url])',
    more: '',
  },
  {
    requirement: 'elasticsearch==7.13.4',
    kind: 'elasticsearch',
    version: '7.10.2',
    prelude:
      'from elasticsearch import Elasticsearch, helpers\nclient = Elasticsearch([url], http_compress=True, sniff_on_start=True)',
    more: '',
  },
  {
    requirement: 'elasticsearch==8.19.0',
    kind: 'elasticsearch',
    version: '8.19.0',
    prelude: 'from elasticsearch import Elasticsearch, helpers\nclient = Elasticsearch(url)',
    more: `
pit = client.open_point_in_time(index=index, keep_alive="1m")["id"]
assert len(client.search(pit={"id": pit}, size=100, sort=["n"])["hits"]["hits"]) == 100
client.close_point_in_time(id=pit)`,
  },
  {
    requirement: 'opensearch-py==3.2.0',
    kind: 'opensearch',
    version: '3.6.0',
    prelude: 'from opensearchpy import OpenSearch, helpers\nclient = OpenSearch([url])',
    more: `
pit = client.create_pit(index=index, params={"keep_alive": "1m"})["pit_id"]
body = {"pit": {"id": pit}, "size": 100, "sort": ["n"]}
assert len(client.search(body=body)["hits"]["hits"]) == 100
client.delete_pit(body={"pit_id": [pit]})`,
  },
]

function script({ prelude, more, version }: PythonClient): string {
  const typed = version.startsWith('6.')
  const type = typed ? ', doc_type="_doc"' : ''
  const actionType = typed ? ', "_type": "_doc"' : ''
  const isNew = version.startsWith('8.')
  return `
import sys, json
url, index = sys.argv[1], sys.argv[2]
documents = json.load(sys.stdin)
${prelude}
actions = [{"_index": index, "_id": d["id"], "_source": d${actionType}} for d in documents]
done, errors = helpers.bulk(client, actions, chunk_size=50)
assert done == len(documents) and not errors
for ok, item in helpers.parallel_bulk(client, actions, thread_count=4, chunk_size=20):
    assert ok, item
client.update(index=index, id="d0"${type}, ${isNew ? 'doc={"n": -1}' : 'body={"doc": {"n": -1}}'})
client.delete(index=index, id="d1"${type})
client.indices.refresh(index=index)
assert sum(1 for _ in helpers.scan(client, index=index, size=100)) == len(documents) - 1
${more}
print("done")
`
}

for (const client of clients) {
  test(`the Python client ${client.requirement}`, async (context) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-python-'))
    after(() => rmSync(folder, { recursive: true, force: true }))
    execFileSync('python3', ['-m', 'venv', folder])
    execFileSync(path.join(folder, 'bin/pip'), ['install', '-q', client.requirement])
    const engine = await startEngine({ kind: client.kind, version: client.version })
    context.after(() => engine.stop())
    await throughProxy(engine, async ({ url }, index) => {
      const python = spawn(path.join(folder, 'bin/python'), ['-c', script(client), url, index], {
        stdio: ['pipe', 'inherit', 'inherit'],
      })
      python.stdin.end(JSON.stringify(documents))
      const [code] = (await once(python, 'exit')) as [number]
      assert.equal(code, 0)
    })
  })
}
