import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseVersion, requireSource, requireTarget } from './version.ts'
import type { Flavour } from './cluster.ts'

const cluster = (flavour: Flavour, text: string) => ({
  url: 'http://h:9200',
  version: parseVersion(flavour, text)!,
})

test('parseVersion() reads what engines call themselves', () => {
  assert.deepEqual(parseVersion('opensearch', '3.6.0-SNAPSHOT'), {
    flavour: 'opensearch',
    text: '3.6.0-SNAPSHOT',
    major: 3,
    minor: 6,
    patch: 0,
  })
  assert.equal(parseVersion('elasticsearch', '0.90.13')?.minor, 90)
  for (const text of ['', '7', 'x.1.2', '7.10.2 beta', undefined, 7]) {
    assert.equal(parseVersion('elasticsearch', text), undefined)
  }
})

test('requireTarget() takes OpenSearch 1 to 3 and names what else it found', () => {
  for (const text of ['1.3.20', '2.19.4', '3.6.0']) requireTarget(cluster('opensearch', text))
  assert.throws(() => requireTarget(cluster('opensearch', '4.0.0')), { code: 'MA_CLUSTER_KIND' })
  assert.throws(() => requireTarget(cluster('elasticsearch', '7.10.2')), {
    code: 'MA_CLUSTER_KIND',
    message: /is Elasticsearch 7\.10\.2; .* mixed up/,
  })
})

test('requireSource() takes Elasticsearch 1 to 9 and OpenSearch 1 to 3', () => {
  requireSource(cluster('elasticsearch', '1.7.5'))
  requireSource(cluster('elasticsearch', '9.2.0'))
  requireSource(cluster('opensearch', '2.19.4'))
  for (const other of [cluster('elasticsearch', '0.90.13'), cluster('opensearch', '4.0.0')]) {
    assert.throws(() => requireSource(other), { code: 'MA_CLUSTER_KIND' })
  }
})
