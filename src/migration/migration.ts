import { allOf } from '../base/all-of.ts'
import { connectCluster } from '../cluster/connect.ts'
import type { Cluster, ClusterOptions } from '../cluster/cluster.ts'
import { requireSource, requireTarget } from '../cluster/version.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { openSqliteStore, stateExists, type StoreMode } from '../state/sqlite-store.ts'
import type { StateStore } from '../state/store.ts'
import { Transform } from '../usercode/transform.ts'
import type { ClusterConfig, Config, LoadedConfig } from './config.ts'
import { openConfiguredSnapshot } from './open-snapshot.ts'
import { required } from './required.ts'
import { transformSpec } from './transform.ts'

/** One configured migration while a command works on it: opens what is asked for once, closes all of it at the end. */
export class Migration {
  readonly loaded: LoadedConfig
  readonly signal: AbortSignal
  #source: Promise<Cluster> | undefined
  #target: Promise<Cluster> | undefined
  #snapshot: Promise<Snapshot> | undefined
  #state: Promise<StateStore> | undefined
  #transform: Promise<Transform | undefined> | undefined

  constructor(loaded: LoadedConfig, signal: AbortSignal) {
    this.loaded = loaded
    this.signal = signal
  }

  get config(): Config {
    return this.loaded.config
  }

  get hasState(): boolean {
    return stateExists(this.loaded.stateFolder)
  }

  source(): Promise<Cluster> {
    this.#source ??= this.#connect('source')
    return this.#source
  }

  target(): Promise<Cluster> {
    this.#target ??= this.#connect('target')
    return this.#target
  }

  snapshot(): Promise<Snapshot> {
    this.#snapshot ??= openConfiguredSnapshot(this.config)
    return this.#snapshot
  }

  /** The first call decides the mode. */
  state(mode: StoreMode): Promise<StateStore> {
    this.#state ??= openSqliteStore(this.loaded.stateFolder, mode)
    return this.#state
  }

  /** What is done to metadata and documents on their way; undefined where nothing is configured. */
  transform(): Promise<Transform | undefined> {
    this.#transform ??= transformSpec(this.loaded).then((spec) => spec && new Transform(spec))
    return this.#transform
  }

  async close(): Promise<void> {
    const opened = [this.#source, this.#target, this.#state, this.#transform].map(async (one) => {
      // What failed to open has told so already, where it was asked for.
      const thing = await one?.catch(() => undefined)
      await thing?.close()
    })
    await allOf(opened)
  }

  async #connect(side: 'source' | 'target'): Promise<Cluster> {
    const cluster = required(this.config[side], `${side}.url`)
    const connected = await connectCluster(side, clusterOptions(cluster), this.signal)
    try {
      if (side === 'target') requireTarget(connected)
      else requireSource(connected)
      return connected
    } catch (error) {
      await connected.close()
      throw error
    }
  }
}

/** Runs `work` on a configured migration and closes what it opened, whatever comes out. */
export async function withMigration<T>(
  loaded: LoadedConfig,
  signal: AbortSignal,
  work: (migration: Migration) => Promise<T>,
): Promise<T> {
  const migration = new Migration(loaded, signal)
  try {
    return await work(migration)
  } finally {
    await migration.close()
  }
}

/** The options of a connection, from what is configured. */
export function clusterOptions(config: ClusterConfig): ClusterOptions {
  const { url, auth, tls, requestTimeout } = config
  return {
    url,
    ...(auth && hasLogin(auth) && { auth: loginOf(auth) }),
    ...(tls && { tls: withoutUndefined(tls) }),
    ...(requestTimeout !== undefined && { requestTimeoutMs: requestTimeout }),
  }
}

type AuthConfig = NonNullable<ClusterConfig['auth']>

function hasLogin({ username, apiKey, bearer, sigv4 }: AuthConfig): boolean {
  return (username ?? apiKey ?? bearer ?? sigv4) !== undefined
}

function loginOf({
  username,
  password,
  apiKey,
  bearer,
  sigv4,
}: AuthConfig): NonNullable<ClusterOptions['auth']> {
  if (apiKey !== undefined) return { apiKey }
  if (bearer !== undefined) return { bearer }
  if (sigv4 !== undefined) return { sigv4: withoutUndefined(sigv4) }
  return { username: username!, password: password! }
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

export function withoutUndefined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, one]) => one !== undefined),
  ) as Defined<T>
}
