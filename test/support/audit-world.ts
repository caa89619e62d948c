/** What tests of the audit share: indices of a source on a target, and the audit between them, without any capture. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { textOf } from '../../src/metadata/json-objects.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import { targetIndexKind, type TargetIndex } from '../../src/state/records.ts'
import type { StateStore } from '../../src/state/store.ts'
import { Accounts } from '../../src/sync/accounts.ts'
import { Applier } from '../../src/sync/applier.ts'
import type { AuditInput } from '../../src/sync/audit-input.ts'
import { auditIndexKind, type AuditIndex, type AuditVerdict } from '../../src/sync/audit-records.ts'
import { Audit } from '../../src/sync/audit.ts'
import { ForeignWatch } from '../../src/sync/foreign-writes.ts'
import { KeptDeletes } from '../../src/sync/kept-deletes.ts'
import { ReadBudget } from '../../src/sync/read-budget.ts'
import { SourceView } from '../../src/sync/source-view.ts'
import { send, type TestEngine } from './engines.ts'

export interface AuditWorld {
  readonly accounts: Accounts
  readonly applier: Applier
  readonly audit: Audit
  readonly foreign: ForeignWatch
  /** One look that puts nothing off; more of them until what it needs has passed. */
  drain(): Promise<AuditVerdict>
  ofIndex(index: string): Promise<AuditIndex>
  /** Ends it as a kill does: nothing is stored that was not. */
  end(): Promise<void>
}

/** A folder for a state, removed in the end. */
export function stateFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-audit-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  return path.join(folder, 'state')
}

/** An index of the source on the target, empty, with its record in the state; as metadata makes it. */
export async function makeTargetIndex(
  state: StateStore,
  { source, target }: { source: TestEngine; target: TestEngine },
  index: string,
  body: JsonObject = {},
): Promise<TargetIndex> {
  const sourceUuid = await uuidOf(source, index)
  const fenceAlias = `osmigrate-${sourceUuid.toLowerCase().replace(/^[-_]+/, '')}-0`
  await send(target, 'PUT', `/${index}`, { ...body, aliases: { [fenceAlias]: {} } })
  const settings = await settingsOf(source, index)
  const shards = Number(settings.number_of_shards)
  const record: TargetIndex = {
    ...{ index, targetIndex: index, sourceUuid, targetUuid: await uuidOf(target, index) },
    ...{ epochBase: 0, fenceAlias, sourceShards: shards, mayHoldRouted: true },
    targetShards: Number((await settingsOf(target, index)).number_of_shards),
    ...{ sourceForm: 'full', sourceDocuments: null, withheld: {} },
  }
  await state.commit([{ op: 'put', kind: targetIndexKind, key: index, value: record }])
  return record
}

async function uuidOf(engine: TestEngine, index: string): Promise<string> {
  return textOf((await settingsOf(engine, index)).uuid)
}

async function settingsOf(engine: TestEngine, index: string): Promise<JsonObject> {
  const answer = await send<Record<string, { settings: { index: JsonObject } }>>(
    engine,
    'GET',
    `/${index}/_settings`,
  )
  return answer[index]!.settings.index
}

/** Everything that the audit needs, over a state that is open. */
export async function openAudit(
  { source, target }: { source: Cluster; target: Cluster },
  { state, include }: { state: StateStore; include: readonly string[] },
  overrides: Partial<AuditInput> = {},
  { lateMs = 0 }: { lateMs?: number } = {},
): Promise<AuditWorld> {
  const stop = new AbortController()
  const { signal } = stop
  const view = await SourceView.open({
    ...{ source, signal, withStreams: false },
    select: { include },
  })
  const accounts = await Accounts.load(state)
  const places = {
    placesOf: async (index: string) => {
      const record = await state.get(targetIndexKind, index)
      return record === undefined ? ('left-out' as const) : [{ target: record.value }]
    },
  }
  const budget = overrides.budget ?? new ReadBudget(1_000_000)
  const applier = new Applier({
    ...{ source, target, state, view, places, accounts, budget, signal },
    kept: await KeptDeletes.open(state),
    options: {
      memoryMax: 16 * 1024 * 1024,
      bulkBytesMax: 1024 * 1024,
      lanes: 2,
      waitMaxMs: 60_000,
    },
    onWait: () => {},
    onDeadLetter: async () => {},
  })
  const foreign = new ForeignWatch({
    ...{ target, signal, ours: applier.ours, otherWriter: () => 'none' },
    ...{ gcDeletesMs: 60_000, lateMs },
  })
  const audit = new Audit({
    ...{ source, target, state, view, places, accounts, applier, budget, foreign, signal },
    log: { ends: async () => ({}), hasPassed: () => true },
    lateMs: 0,
    isFilled: async () => true,
    options: { everyMs: 200, slices: 2 },
    ...overrides,
  })
  return {
    ...{ accounts, applier, audit, foreign },
    drain: async () => {
      const verdict = await audit.pass({ drain: true })
      assert.deepEqual(applier.stopped, [])
      return verdict
    },
    ofIndex: async (index) => (await state.get(auditIndexKind, index))!.value,
    end: async () => {
      stop.abort()
      applier.close()
    },
  }
}

/** A state that is open until the test file ends. */
export async function openState(folder: string): Promise<StateStore> {
  const state = await openSqliteStore(folder, 'write')
  after(() => state.close())
  return state
}

/** Every document of an index, by id and routing, as text. */
export async function documentsOf(engine: TestEngine, index: string): Promise<string[]> {
  await send(engine, 'POST', `/${index}/_refresh`)
  const answer = await send<{ hits: { hits: JsonObject[] } }>(engine, 'POST', `/${index}/_search`, {
    size: 10_000,
    query: { match_all: {} },
  })
  return answer.hits.hits
    .map(({ _id, _routing, _source }) => JSON.stringify([_id, _routing ?? null, _source]))
    .sort()
}
