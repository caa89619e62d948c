import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Answer, Cluster } from '../cluster/cluster.ts'
import { objectOf, textOf } from '../metadata/json-objects.ts'
import { objectPresent, settingAccess } from '../metadata/setting-access.ts'
import { deepestReason } from '../metadata/target-check.ts'
import {
  changeSetting,
  noteRestored,
  openEntries,
  restoreSettings,
  type Restored,
} from '../state/ledger.ts'
import type { StateStore } from '../state/store.ts'
import { repositoryAdvice } from './advice.ts'
import { isAt, repositoryBody, repositoryPlace, type RepositoryOptions } from './place.ts'

/** Which repository of the source is meant. */
export interface RepositoryChoice {
  /** Name of the migration: what it registers is called `osmigrate-<migration>`. */
  readonly migration: string
  /** Where the repository is, as the source's nodes see it; not needed with `registeredAs`. */
  readonly location?: string
  /** Name of a repository that its owner has registered on the source: used as it is, and never unregistered. */
  readonly registeredAs?: string
}

/** A repository as the source knows it. */
export interface RegisteredRepository {
  readonly name: string
  readonly type: string
  readonly settings: JsonObject
  /** True for one that this migration registered, and takes off again. */
  readonly own: boolean
}

/** What this migration registers a repository as. */
export function ownRepositoryName(migration: string): string {
  return `osmigrate-${migration}`
}

/**
 * The repository that is meant, when the source has it: the one named, else one that is registered for the location,
 * else this migration's own. undefined when there is none of these.
 *
 * Errors: MA_REPOSITORY when a named one is not there, and when this migration's name stands for another location.
 */
async function findRepository(
  source: Cluster,
  choice: RepositoryChoice,
  signal?: AbortSignal,
): Promise<RegisteredRepository | undefined> {
  const { registeredAs, location, migration } = choice
  const answer = await source.request('GET', '/_snapshot', { ...(signal && { signal }) })
  const ownName = ownRepositoryName(migration)
  const registered = Object.entries(answer.body).map(([name, body]): RegisteredRepository => {
    const { type, settings } = objectOf(body)
    return { name, type: textOf(type), settings: objectOf(settings), own: name === ownName }
  })
  if (registeredAs !== undefined) {
    const named = registered.find(({ name }) => name === registeredAs)
    if (named) return { ...named, own: false }
    throw notRegistered(source, registeredAs, registered)
  }
  const own = registered.find((one) => one.own)
  if (location === undefined) return own
  const place = repositoryPlace(location)
  // Two repositories that write to one place would spoil it, so one that is there already is used.
  const there = registered.filter((one) => isAt(place, one.type, one.settings) && !isReadonly(one))
  const found = there.find((one) => one.own) ?? there[0]
  if (found || !own) return found
  throw new MigrationError(
    'MA_REPOSITORY',
    `the source ${source.url} has a repository ${ownName} already, for another location (${placeText(own)}); ` +
      'take it off with `osmigrate snapshot delete --unregister --keep`, or give this migration another name',
    { details: { repository: ownName } },
  )
}

/** As findRepository(), but one that is not there throws MA_REPOSITORY. */
export async function requireRepository(
  source: Cluster,
  choice: RepositoryChoice,
  signal?: AbortSignal,
): Promise<RegisteredRepository> {
  const found = await findRepository(source, choice, signal)
  if (found) return found
  throw new MigrationError(
    'MA_REPOSITORY',
    `the source ${source.url} has no repository for ${choice.location ?? `the migration ${choice.migration}`}: ` +
      '`osmigrate snapshot create` registers it. To look into the snapshots of a repository without the source: osmigrate snapshot list',
    { details: { repository: ownRepositoryName(choice.migration) } },
  )
}

function notRegistered(
  source: Cluster,
  name: string,
  registered: readonly RegisteredRepository[],
): MigrationError {
  const names = registered.map((one) => one.name)
  return new MigrationError(
    'MA_REPOSITORY',
    `the source ${source.url} has no repository named ${name}. There are: ${names.slice(0, 20).join(', ') || 'none'}. ` +
      'Correct --source-repository, or leave it out and say where the repository is: it is then registered',
    { details: { repository: name, registered: names.slice(0, 1000) } },
  )
}

function placeText({ settings }: RegisteredRepository): string {
  const { location, bucket, container, base_path: path } = settings
  const place = location ?? bucket ?? container
  return path === undefined ? textOf(place) : `${textOf(place)}/${textOf(path)}`
}

function isReadonly({ type, settings }: RegisteredRepository): boolean {
  return (
    type === 'url' || ['readonly', 'read_only'].some((name) => textOf(settings[name]) === 'true')
  )
}

export interface ReadyRepository extends RegisteredRepository {
  /** True when it was registered just now. */
  readonly isNew: boolean
}

/**
 * Has a repository that every node of the source can write to: registers the location unless it is registered, and has
 * each node prove it. What is registered is noted in the ledger before.
 *
 * Errors: MA_REPOSITORY for one that is read-only or that nodes cannot use (with what to do), MA_CONFIG for a rate that
 * would have to be set on somebody else's repository.
 */
export async function readyRepository(
  source: Cluster,
  choice: RepositoryChoice,
  context: { options: RepositoryOptions; state?: StateStore; signal?: AbortSignal },
): Promise<ReadyRepository> {
  const { options, state, signal } = context
  const found = await findRepository(source, choice, signal)
  if (found && !found.own) {
    refuseForeign(source, found, options)
    await verify(source, found, signal)
    return { ...found, isNew: false }
  }
  const place = repositoryPlace(choice.location ?? '')
  const name = ownRepositoryName(choice.migration)
  const body = repositoryBody(place, options, source.version)
  if (state) {
    await changeSetting(state, settingAccess({ source }), ownEntry(name))
  }
  const answer = await source
    .request('PUT', `/_snapshot/${encodeURIComponent(name)}`, {
      body,
      accept: [400, 404, 500],
      ...(signal && { signal }),
    })
    .catch(async (error: unknown) => {
      const isRefused = error instanceof MigrationError && error.code === 'MA_CLUSTER_AUTH'
      if (isRefused && !found && state) await noteRestored(state, ownEntry(name))
      throw error
    })
  const isBusy = found && reasonOf(answer.body).includes('currently used')
  if (answer.status >= 400 && !isBusy) {
    // An engine keeps the repository even where its nodes could not use it.
    if (!found) await unregisterNew(source, name, state)
    throw await unusable(source, { answer, name, type: place.type, place: place.location, signal })
  }
  const settings = objectOf(body.settings)
  return { name, type: place.type, settings, own: true, isNew: found === undefined }
}

function ownEntry(name: string) {
  return {
    side: 'source',
    index: null,
    setting: `_snapshot/${name}`,
    newValue: objectPresent,
    until: 'close',
  } as const
}

function refuseForeign(
  source: Cluster,
  repository: RegisteredRepository,
  { rateMbPerNode }: RepositoryOptions,
): void {
  const { name } = repository
  if (isReadonly(repository)) {
    throw new MigrationError(
      'MA_REPOSITORY',
      `the repository ${name} of the source ${source.url} is read-only (${repository.type}); name one that may be written to, or a location of its own`,
      { details: { repository: name } },
    )
  }
  if (rateMbPerNode !== undefined) {
    throw new MigrationError(
      'MA_CONFIG',
      `--rate-mb-per-node is a setting of the repository, and ${name} was registered by somebody else: ` +
        `have its owner set max_snapshot_bytes_per_sec to ${rateMbPerNode}mb, or leave the rate out, or use a location of its own`,
      { details: { repository: name } },
    )
  }
}

async function verify(
  source: Cluster,
  { name, type, ...repository }: RegisteredRepository,
  signal?: AbortSignal,
): Promise<void> {
  const answer = await source.request('POST', `/_snapshot/${encodeURIComponent(name)}/_verify`, {
    accept: [400, 404, 500],
    ...(signal && { signal }),
  })
  if (answer.status < 400) return
  const place = placeText({ name, type, ...repository })
  throw await unusable(source, { answer, name, type, place, signal })
}

async function unusable(
  source: Cluster,
  failed: {
    answer: Answer
    name: string
    type: string
    place: string
    signal: AbortSignal | undefined
  },
): Promise<MigrationError> {
  const { answer, name, type, place, signal } = failed
  const reason = reasonOf(answer.body)
  const advice = await repositoryAdvice(source, { reason, type, place, ...(signal && { signal }) })
  return new MigrationError(
    'MA_REPOSITORY',
    `the source ${source.url} cannot use ${place} for snapshots: ${reason}. ${advice}`,
    { details: { location: place, repository: name, reason } },
  )
}

/** Takes a repository off again that was registered for a snapshot which was then not begun. */
export async function unregisterNew(
  source: Cluster,
  name: string,
  state?: StateStore,
): Promise<void> {
  if (state) await unregister(source, name, state)
  else await source.request('DELETE', `/_snapshot/${encodeURIComponent(name)}`, { accept: [404] })
}

/** Unregisters what the ledger says that this migration registered under the name; undefined if there is no such entry. */
export async function unregister(
  source: Cluster,
  name: string,
  state: StateStore,
): Promise<Restored | undefined> {
  const { side, setting } = ownEntry(name)
  const open = (await openEntries(state)).some(
    ({ value }) => value.side === side && value.setting === setting,
  )
  if (!open) return undefined
  return (await restoreSettings(state, settingAccess({ source }), { side, setting }))[0]
}

/** What is wrong, in the engine's words: the outermost reason and the innermost. */
export function reasonOf(body: JsonObject): string {
  const error = isJsonObject(body.error) ? body.error : { reason: textOf(body.error) }
  const outer = textOf(error.reason)
  const inner = deepestReason(error)
  return outer.includes(inner) ? outer : `${outer}: ${inner}`
}
