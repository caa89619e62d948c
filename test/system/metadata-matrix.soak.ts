/**
 * Metadata of every kind, from every version that can be started here to OpenSearch 1, 2 and 3, both live and from a
 * snapshot; then its documents. `MATRIX_SOURCES` and `MATRIX_TARGETS` (versions, with commas between) narrow it.
 * With `MATRIX_RECORD` set what came of it is noted in metadata-matrix.json, of which scripts/build-reference.ts makes
 * docs/reference/metadata-matrix.md.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { EngineKind } from '../../src/engines/engine.ts'
import { useEngine, type TestEngine } from '../support/engines.ts'
import { makeKinds, writeAnalysisFiles } from '../support/kinds.ts'
import { makeSnapshot } from '../support/backfill.ts'
import { connect } from '../support/metadata.ts'
import { recordMatrix } from '../support/metadata-matrix-record.ts'
import { nameOf, tryPair, type MatrixRow, type MatrixSource } from '../support/metadata-matrix.ts'

const chosen = (variable: string, all: readonly (readonly [EngineKind, string])[]) => {
  const wanted = process.env[variable]?.split(',')
  return all.filter(([, version]) => wanted === undefined || wanted.includes(version))
}
const sources = chosen('MATRIX_SOURCES', [
  ['elasticsearch', '1.7.5'],
  ['elasticsearch', '2.4.6'],
  ['elasticsearch', '5.6.16'],
  ['elasticsearch', '6.2.4'],
  ['elasticsearch', '6.8.23'],
  ['elasticsearch', '7.10.2'],
  ['elasticsearch', '7.17.28'],
  ['elasticsearch', '8.19.0'],
  ['elasticsearch', '9.2.0'],
  ['opensearch', '1.3.20'],
  ['opensearch', '2.19.4'],
  ['opensearch', '3.6.0'],
])
/** With the plugin k-NN: gets vectors alone, since all else is as on the target without it. */
const vectorsVersion = '3.6.0-knn'
const vectors = { include: ['field-dense-vector*'] }
const targets: TestEngine[] = []
for (const [kind, version] of chosen('MATRIX_TARGETS', [
  ['opensearch', '1.3.20'],
  ['opensearch', '2.19.4'],
  ['opensearch', '3.6.0'],
  ['opensearch', vectorsVersion],
])) {
  const plugin = version === vectorsVersion && { plugin: 'opensearch-knn' }
  const target = await useEngine(kind, version, { own: true, ...plugin })
  if (target.skip === false) targets.push(target)
}
for (const target of targets) writeAnalysisFiles(target)

const rows: MatrixRow[] = []

for (const [kind, version] of sources) {
  test(`${kind} ${version}: metadata of every kind gets to each target as announced`, async (t) => {
    const engine = await useEngine(kind, version, { own: true })
    if (engine.skip !== false) return t.skip(engine.skip)
    const source = await madeSource(engine)
    const found: MatrixRow[] = []
    for (const target of targets) {
      const isForVectors = target.version === vectorsVersion
      if (isForVectors && !hasVectors(source)) continue
      const row = await tryPair(source, target, isForVectors ? vectors : {})
      if (process.env.MATRIX_RECORD) recordMatrix(row, source.made)
      found.push(row)
    }
    rows.push(...found)
    await engine.stop()
    for (const { target, refusals } of found) {
      print(`\n${nameOf(engine)} → ${target}, refused as planned:`)
      for (const line of refusals) print(`  ${line}`)
    }
    const { notMade } = source.made
    print(`\n${nameOf(engine)} cannot make, so that it is not proven (${notMade.length}):`)
    print(`  ${notMade.map(({ name }) => name).join(' ')}`)
    if (process.env.MATRIX_REASONS) for (const one of notMade) print(`  ${one.name}: ${one.reason}`)
    const surprises = found.flatMap(({ target, surprises }) =>
      surprises.map((one) => `${nameOf(engine)} → ${target}: ${one}`),
    )
    for (const one of surprises) print(one)
    assert.equal(surprises.length, 0, surprises.slice(0, 20).join('\n'))
  })
}

after(() => {
  const columns = [
    ...(['source', 'target', 'objects', 'equal', 'announced', 'refused'] as const),
    ...(['notCarried', 'documents', 'searched', 'inStreams', 'seconds'] as const),
  ]
  print(`\n| ${columns.join(' | ')} | surprises |\n|${' --- |'.repeat(columns.length + 1)}`)
  for (const row of rows) {
    print(`| ${columns.map((column) => row[column]).join(' | ')} | ${row.surprises.length} |`)
  }
})

function hasVectors({ made }: MatrixSource): boolean {
  return made.indices.some(({ name }) => name.startsWith('field-dense-vector'))
}

async function madeSource(engine: TestEngine): Promise<MatrixSource> {
  writeAnalysisFiles(engine)
  const made = await makeKinds(engine)
  const cluster = await connect('source', engine)
  return { engine, made, ...(await makeSnapshot({ cluster, engine }, ['*'])) }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
