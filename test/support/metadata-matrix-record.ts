/** What runs of the matrix of versions have found, one row a pair: kept in a file, by whoever runs it. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { MadeKinds } from './kinds.ts'
import type { MatrixRow } from './metadata-matrix.ts'

/** Counts of objects, as in MatrixRow. */
export interface RecordedRow {
  readonly source: string
  readonly target: string
  readonly objects: number
  readonly equal: number
  readonly announced: number
  readonly refused: number
  readonly documents: number
  readonly searched: number
  readonly inStreams: number
  readonly surprises: number
}

export interface MatrixRecord {
  readonly rows: readonly RecordedRow[]
  /** Names of the kinds that the source was asked to make and has refused, with spaces between. */
  readonly notMade: { readonly [source: string]: string }
}

const file = new URL('../system/metadata-matrix.json', import.meta.url)

export function readMatrixRecord(): MatrixRecord {
  return JSON.parse(readFileSync(file, 'utf8')) as MatrixRecord
}

/** Notes a row in the place of what was noted of the same pair. */
export function recordMatrix(found: MatrixRow, { notMade }: MadeKinds): void {
  const record = readMatrixRecord()
  const { source, target } = found
  const others = record.rows.filter((row) => row.source !== source || row.target !== target)
  const rows = [...others, recordedRow(found)]
  const names = notMade.map(({ name }) => name).sort()
  const bySource = Object.entries({ ...record.notMade, [source]: names.join(' ') })
  const next: MatrixRecord = {
    rows: rows.sort((a, b) => order(a) - order(b)),
    notMade: Object.fromEntries(bySource.sort(([a], [b]) => rank(a) - rank(b))),
  }
  writeFileSync(file, `${JSON.stringify(next, null, 2)}\n`)
}

function recordedRow(row: MatrixRow): RecordedRow {
  const { source, target, objects, equal, announced, refused, documents, searched } = row
  const { inStreams, surprises } = row
  return {
    ...{ source, target, objects, equal, announced, refused, documents, searched, inStreams },
    surprises: surprises.length,
  }
}

/** Elasticsearch before OpenSearch, by version. */
function order({ source, target }: RecordedRow): number {
  return rank(source) * 1_000_000 + rank(target)
}

function rank(engine: string): number {
  const [kind, version = ''] = engine.split(' ')
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return (
    (kind === 'opensearch' ? 100_000 : 0) +
    major * 1000 +
    minor * 10 +
    (version.includes('-') ? 1 : 0)
  )
}
