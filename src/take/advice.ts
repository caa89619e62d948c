import { MigrationError } from '../base/errors.ts'
import type { Cluster, EngineVersion } from '../cluster/cluster.ts'
import { objectOf, textOf } from '../metadata/json-objects.ts'
import type { RepositoryType } from './place.ts'

/** What a source needs before it can write to a kind of repository, and what to do where it refuses. */

interface Need {
  /** Plugins or modules, one of which must be on every node; the first is the present name. */
  readonly plugins: readonly string[]
  /** The secure settings that hold its credentials, since 5.5. */
  readonly keystore: string
  readonly rights: string
}

const needs: { readonly [type in RepositoryType]: Need | undefined } = {
  fs: undefined,
  s3: {
    plugins: ['repository-s3', 'cloud-aws'],
    keystore: 's3.client.default.access_key and s3.client.default.secret_key',
    rights:
      's3:ListBucket, s3:GetBucketLocation, s3:ListBucketMultipartUploads on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload, s3:ListMultipartUploadParts on what is in it',
  },
  gcs: {
    plugins: ['repository-gcs'],
    keystore: 'gcs.client.default.credentials_file',
    rights: 'the role Storage Object Admin on the bucket, and storage.buckets.get',
  },
  azure: {
    plugins: ['repository-azure', 'cloud-azure'],
    keystore: 'azure.client.default.account and azure.client.default.key (or sas_token)',
    rights: 'to read, write, delete and list in the container, which must be there already',
  },
}

/** For people, after the engine's own words. */
export async function repositoryAdvice(
  source: Cluster,
  failed: {
    readonly reason: string
    readonly type: string
    readonly place: string
    readonly signal?: AbortSignal
  },
): Promise<string> {
  const { reason, type, place, signal } = failed
  const { version } = source
  if (type === 'fs') return folderAdvice(reason, place, version)
  const need = needOf(type)
  if (!need) return 'Look into the log of its nodes'
  const lacking = await nodesLacking(source, need.plugins, signal)
  if (lacking.length > 0) return pluginAdvice(lacking, need, version)
  return (
    'Its nodes, not this machine, log in there: by the role of their machines or by their keystores ' +
    `(${need.keystore}; then POST /_nodes/reload_secure_settings). They need ${need.rights}`
  )
}

function needOf(type: string): Need | undefined {
  return Object.entries(needs).find(([name]) => name === type)?.[1]
}

function folderAdvice(reason: string, place: string, version: EngineVersion): string {
  if (reason.includes('path.repo')) {
    return (
      `Put this line into ${version.flavour}.yml of every node of the source and restart them one by one: path.repo: ["${place}"] ` +
      '(add it to the list if there is one), or choose a folder below one that path.repo names'
    )
  }
  return (
    'The folder must be there for every node of the source (a shared file system where there are several), ' +
    `and the user who runs ${version.flavour} must be able to write to it`
  )
}

function pluginAdvice(nodes: readonly string[], need: Need, version: EngineVersion): string {
  const name = pluginFor(need, version)
  const command =
    version.flavour === 'elasticsearch' && version.major < 5
      ? `bin/plugin install ${name}`
      : `bin/${version.flavour}-plugin install ${name}`
  const shown = nodes.slice(0, 10).join(', ') + (nodes.length > 10 ? ', …' : '')
  return (
    `The plugin ${name} is not on ${nodes.length} of its nodes (${shown}): ` +
    `install it on every node (${command}) and restart them one by one, or make the snapshot in a shared folder`
  )
}

function pluginFor({ plugins }: Need, { flavour, major }: EngineVersion): string {
  const isOld = flavour === 'elasticsearch' && major < 5
  return (isOld ? plugins.at(-1) : plugins[0])!
}

/**
 * Refuses a kind of repository whose plugin only some of the nodes have: registered all the same, it would fail on the
 * others. Where none lists it the engine is asked: a managed service may have it without listing it.
 */
export async function requirePluginOnAll(
  source: Cluster,
  type: RepositoryType,
  signal?: AbortSignal,
): Promise<void> {
  const need = needs[type]
  if (!need) return
  const lists = await pluginLists(source, signal)
  const lacking = nodesWithout(lists, need.plugins)
  if (lacking.length === 0 || lacking.length === lists.size) return
  throw new MigrationError(
    'MA_REPOSITORY',
    `the source ${source.url} cannot use ${type} repositories. ${pluginAdvice(lacking, need, source.version)}`,
    { details: { plugin: need.plugins[0], nodes: lacking.slice(0, 1000) } },
  )
}

async function nodesLacking(
  source: Cluster,
  plugins: readonly string[],
  signal?: AbortSignal,
): Promise<string[]> {
  return nodesWithout(await pluginLists(source, signal), plugins)
}

function nodesWithout(lists: PluginLists, plugins: readonly string[]): string[] {
  return [...lists].filter(([, has]) => !plugins.some((one) => has.has(one))).map(([node]) => node)
}

type PluginLists = ReadonlyMap<string, ReadonlySet<string>>

/**
 * Plugins and modules by name of the node; of nodes that hold data or may be elected, which alone use a repository.
 * Empty where this user may not ask: the engine itself says then what it lacks.
 */
async function pluginLists(source: Cluster, signal?: AbortSignal): Promise<PluginLists> {
  const answer = await source.request('GET', '/_nodes/plugins', {
    accept: [403],
    ...(signal && { signal }),
  })
  const lists = new Map<string, Set<string>>()
  for (const node of Object.values(objectOf(answer.body.nodes)).map(objectOf)) {
    if (Array.isArray(node.roles) && !node.roles.some(usesRepositories)) continue
    const parts = [node.plugins, node.modules].flatMap((list) => (Array.isArray(list) ? list : []))
    lists.set(textOf(node.name), new Set(parts.map((part) => textOf(objectOf(part).name))))
  }
  return lists
}

function usesRepositories(role: unknown): boolean {
  return (
    typeof role === 'string' &&
    (role === 'master' || role === 'cluster_manager' || role.startsWith('data'))
  )
}
