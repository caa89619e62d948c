/** What tests of metadata share: a snapshot made and opened, a plan made and applied, with a state of their own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { openBlobStore } from '../../src/blob/open.ts'
import { connectCluster } from '../../src/cluster/connect.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { shardLook } from '../../src/document/source-sample.ts'
import { applyMetadata, type MetadataResult } from '../../src/metadata/apply.ts'
import { createSnapshot } from '../../src/take/create-snapshot.ts'
import { evaluateMetadata } from '../../src/metadata/evaluate.ts'
import { fromSnapshot } from '../../src/metadata/evaluate-input.ts'
import { metadataOptions } from '../../src/metadata/options.ts'
import type { MetadataPlan } from '../../src/metadata/plan.ts'
import { openRepository } from '../../src/snapshot/repository.ts'
import type { Snapshot } from '../../src/snapshot/snapshot.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import type { StateStore } from '../../src/state/store.ts'
import { send, uniqueName, type TestEngine } from './engines.ts'

/** Connects to an engine of the test, and closes the connection when the file is done. */
export async function connect(side: 'source' | 'target', engine: TestEngine): Promise<Cluster> {
  const cluster = await connectCluster(side, { url: [engine.url] })
  after(() => cluster.close())
  return cluster
}

/**
 * Connects to an OpenSearch with security as a user with this role; the password is in an environment variable. Closes
 * the connection when the file is done.
 */
export async function connectWith(
  side: 'source' | 'target',
  engine: TestEngine,
  role: JsonObject,
): Promise<Cluster> {
  const name = uniqueName('user')
  const password = 'Quiet-Harbour-27-Lantern'
  const variable = `TEST_${name.replaceAll('-', '_').toUpperCase()}`
  process.env[variable] = password
  await send(engine, 'PUT', `/_plugins/_security/api/roles/${name}`, role)
  await send(engine, 'PUT', `/_plugins/_security/api/internalusers/${name}`, {
    password,
    opendistro_security_roles: [name],
  })
  const cluster = await connectCluster(side, {
    url: [engine.url],
    auth: { username: name, password: `env:${variable}` },
    tls: { ca: `file:${engine.caFile}` },
  })
  after(() => cluster.close())
  return cluster
}

/** A new, empty state in a folder of its own, which goes when the file is done. */
export async function newState(): Promise<StateStore> {
  const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-state-'))
  const state = await openSqliteStore(folder, 'write')
  after(async () => {
    await state.close()
    rmSync(folder, { recursive: true })
  })
  return state
}

/** Makes a snapshot of these indices in a new repository, and opens it. */
export async function snapshotOf(
  source: Cluster,
  engine: TestEngine,
  indices: readonly string[],
): Promise<Snapshot> {
  const { location } = engine.makeRepository()
  const name = uniqueName('snapshot')
  const select = { include: indices }
  await createSnapshot(source, { migration: name, location, name, select })
  return (await openRepository(openBlobStore(location))).openSnapshot(name)
}

export interface PlanInput {
  readonly snapshot: Snapshot
  readonly target: Cluster
  readonly state: StateStore
  readonly allowPartialSource?: boolean
  readonly options?: Partial<{
    replicas: { [pattern: string]: number }
    shards: { [pattern: string]: number }
    templates: boolean
    pipelines: boolean
    adopt: boolean
  }>
}

export function evaluate({
  snapshot,
  target,
  state,
  options,
  allowPartialSource = false,
}: PlanInput): Promise<MetadataPlan> {
  return evaluateMetadata({
    ...fromSnapshot('of a test', snapshot, shardLook),
    target,
    state,
    select: {},
    // Templates of the whole source would come along, and other tests make some.
    options: metadataOptions.parse({ templates: false, pipelines: false, ...options }),
    allowPartialSource,
  })
}

export async function migrate(
  input: PlanInput,
): Promise<{ plan: MetadataPlan; result: MetadataResult }> {
  const plan = await evaluate(input)
  const { target, state } = input
  return { plan, result: await applyMetadata(plan, { target, state, keepGoing: true }) }
}
