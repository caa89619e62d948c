import { sourceIndexOf } from '../base/document-types.ts'
import { MigrationError } from '../base/errors.ts'
import { selectNames, type Selection } from '../base/select.ts'
import { performanceVerdictKind } from '../compare/performance/record.ts'
import type { CompareRecords } from '../compare/report/compare-records.ts'
import { buildReport, type CompareReport } from '../compare/report/compare-report.ts'
import { evaluateGates, type GateVerdict } from '../compare/report/gates.ts'
import { searchVerdictKind } from '../compare/searches/search-verdict.ts'
import { shadowRunKind } from '../shadow/records.ts'
import { metadataVerdictKind } from '../state/metadata-verdict.ts'
import { syncRunKind, targetIndexKind, verdictKind, type Verdict } from '../state/records.ts'
import type { Kind, StateStore } from '../state/store.ts'
import type { Json } from '../base/json.ts'
import { overallVerdict } from './compare-verdict.ts'
import type { Migration } from './migration.ts'
import { selectionOf } from './open-snapshot.ts'

/** All that is known of comparisons, from the state alone: no cluster is asked. */
export async function readCompareReport(migration: Migration, now: Date): Promise<CompareReport> {
  const { config } = migration
  return buildReport(await readRecords(migration), {
    migration: config.name,
    source: config.source?.url[0],
    target: config.target?.url[0],
    gates: config.gates.compare,
    now,
  })
}

/**
 * How `gates.compare` stands by what was compared. Both sides are asked whether they were written to since, but while sync
 * runs: it follows what is written, and its audit accounts for it.
 */
export async function evaluateConfiguredGates(
  migration: Migration,
  now: Date,
): Promise<GateVerdict> {
  const records = await readRecords(migration)
  const outdated = await findOutdated(migration, records)
  const gates = migration.config.gates.compare
  return evaluateGates({ ...records, outdated }, gates, now)
}

const staleTexts = {
  age: 'stale: it is older than compare.freshFor',
  writes: 'stale: it was written to since',
} as const

async function findOutdated(
  migration: Migration,
  { documents }: CompareRecords,
): Promise<ReadonlyMap<string, string>> {
  const { gates, target } = migration.config
  if (gates.compare.documents === 'any' || documents.length === 0 || !target) return new Map()
  const sync = await (await migration.state('read')).get(syncRunKind, 'run')
  if (sync?.value.state === 'running') return new Map()
  const { indices } = await overallVerdict(migration)
  return new Map(
    indices.flatMap(({ index, stale }) =>
      stale === null ? [] : [[index, staleTexts[stale]] as const],
    ),
  )
}

async function readRecords(migration: Migration): Promise<CompareRecords> {
  if (!migration.hasState)
    throw new MigrationError(
      'MA_STATE',
      `nothing is known of the migration "${migration.config.name}": there is no state in ${migration.loaded.stateFolder}. Compare first (osmigrate compare documents), or say which it is: --config, --name.`,
    )
  const state = await migration.state('read')
  const select = selectionOf(migration.config)
  const isSelected = selectedBy(select)
  const indices: string[] = []
  for await (const { value } of state.each(targetIndexKind))
    if (isSelected(value.index, value.dataStream)) indices.push(value.index)
  const documents: Verdict[] = []
  for await (const { value } of state.each(verdictKind))
    if (indices.includes(value.index) || isSelected(value.index)) documents.push(value)
  const shadow = await state.get(shadowRunKind, 'run')
  return {
    indices,
    documents,
    metadata: await all(state, metadataVerdictKind),
    selected: {
      include: [...(select.include ?? ['*'])],
      exclude: select.exclude ? [...select.exclude] : null,
    },
    searches: await all(state, searchVerdictKind),
    speed: await all(state, performanceVerdictKind),
    shadow: shadow?.value,
  }
}

function selectedBy(select: Selection): (index: string, dataStream?: string) => boolean {
  return (index, dataStream) =>
    selectNames([sourceIndexOf(index), ...(dataStream === undefined ? [] : [dataStream])], select)
      .length > 0
}

/** Of kinds of which the newest twenty are kept. */
async function all<T extends Json>(state: StateStore, kind: Kind<T>): Promise<T[]> {
  return (await state.list(kind)).map(({ value }) => value)
}
