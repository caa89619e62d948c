import { connect } from 'node:tls'
import { MigrationError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import type { JsonObject } from '../base/json.ts'
import type { Answer, Cluster, EngineVersion, Flavour, Side } from './cluster.ts'

interface Asking extends Pick<Cluster, 'side' | 'url' | 'requestRaw'> {
  /** The error for an answer that is not 2xx. */
  refused(answer: Answer<Buffer>, request: string): MigrationError
}

/**
 * Asks a cluster what it is: by `GET /`, and by `GET /_nodes/_local` where that is not answered (Elasticsearch archives
 * without rest-root: 405; a user without `cluster:monitor/main`: 403; some gateways: 400, 404) or not to be believed:
 * an OpenSearch with `compatibility.override_main_response_version` calls itself 7.10.2 there, without a distribution.
 */
export async function detectVersion(
  cluster: Asking,
  signal: AbortSignal | undefined,
): Promise<EngineVersion> {
  const root = await ask(cluster, '/', signal)
  const main = root.status === 200 ? mainVersion(json(root)) : undefined
  if (main !== undefined && !mayBePretence(main)) return main
  if (root.status === 401) throw cluster.refused(root, 'GET /')
  const nodes = await ask(cluster, '/_nodes/_local', signal)
  const found = nodes.status === 200 ? nodesVersion(json(nodes)) : undefined
  if (found !== undefined) return found
  if (main !== undefined) return main
  if (root.status === 403) throw cluster.refused(root, 'GET /')
  if (root.status === 429 || root.status >= 500) throw cluster.refused(root, 'GET /')
  throw await strangerError(cluster, root, signal)
}

/** Reads `7.10.2`, `8.0.0-rc1` and the like; undefined for anything else. */
export function parseVersion(flavour: Flavour, text: unknown): EngineVersion | undefined {
  if (typeof text !== 'string') return undefined
  const match = /^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-.+]\S*)?$/.exec(text)
  if (match === null) return undefined
  const [, major, minor, patch = '0'] = match
  return { flavour, text, major: Number(major), minor: Number(minor), patch: Number(patch) }
}

/** For people: `OpenSearch 3.6.0`. */
export function versionName(version: EngineVersion): string {
  return `${version.flavour === 'opensearch' ? 'OpenSearch' : 'Elasticsearch'} ${version.text}`
}

/** Elasticsearch from this version on, and every OpenSearch: of what came before 7.10, which OpenSearch 1 is made of. */
export function isSince(
  { flavour, major, minor }: EngineVersion,
  since: readonly [major: number, minor: number],
): boolean {
  return flavour === 'opensearch' || major > since[0] || (major === since[0] && minor >= since[1])
}

/** What can be migrated to: OpenSearch 1 to 3. */
export function isTargetVersion({ flavour, major }: EngineVersion): boolean {
  return flavour === 'opensearch' && major >= 1 && major <= 3
}

/** Throws MA_CLUSTER_KIND unless the cluster is one that can be migrated to. */
export function requireTarget(cluster: Pick<Cluster, 'url' | 'version'>): void {
  const { version, url } = cluster
  if (isTargetVersion(version)) return
  throw new MigrationError(
    'MA_CLUSTER_KIND',
    `target ${url} is ${versionName(version)}; the target must be OpenSearch 1, 2 or 3` +
      (version.flavour === 'elasticsearch' ? ': are source and target mixed up?' : ''),
    { details: { url, flavour: version.flavour, version: version.text } },
  )
}

/** Throws MA_CLUSTER_KIND unless the cluster is Elasticsearch 1 to 9 or OpenSearch 1 to 3. */
export function requireSource(cluster: Pick<Cluster, 'url' | 'version'>): void {
  const { version, url } = cluster
  const majorMax = version.flavour === 'opensearch' ? 3 : 9
  if (version.major >= 1 && version.major <= majorMax) return
  throw new MigrationError(
    'MA_CLUSTER_KIND',
    `source ${url} is ${versionName(version)}; a source must be Elasticsearch 1 to 9 or OpenSearch 1 to 3`,
    { details: { url, flavour: version.flavour, version: version.text } },
  )
}

function ask(
  cluster: Asking,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Answer<Buffer>> {
  return cluster.requestRaw('GET', path, {
    accept: 'any',
    timeoutMs: 30_000,
    ...(signal && { signal }),
  })
}

function json(answer: Answer<Buffer>): JsonObject {
  try {
    const parsed: unknown = JSON.parse(answer.body.toString('utf8'))
    return isJsonObject(parsed) ? parsed : {}
  } catch {
    return {}
  }
}

function mainVersion(body: JsonObject): EngineVersion | undefined {
  const version = body['version']
  if (!isJsonObject(version)) return undefined
  // OpenSearch alone names a distribution; both have a tagline.
  const isOpenSearch = version['distribution'] === 'opensearch'
  if (!isOpenSearch && typeof body['tagline'] !== 'string') return undefined
  return parseVersion(isOpenSearch ? 'opensearch' : 'elasticsearch', version['number'])
}

function mayBePretence(version: EngineVersion): boolean {
  return version.flavour === 'elasticsearch' && version.text === '7.10.2'
}

/**
 * From `{"nodes": {ID: {"version": V, …}}}`. The body names no product: OpenSearch has `build_hash` and a version below
 * 4 (Elasticsearch of that age has `build`), Elasticsearch has `build_flavor` from 6.3 on.
 */
function nodesVersion(body: JsonObject): EngineVersion | undefined {
  const nodes = isJsonObject(body['nodes']) ? Object.values(body['nodes']) : []
  const node = nodes[0]
  if (!isJsonObject(node)) return undefined
  const version = parseVersion('elasticsearch', node['version'])
  if (version === undefined) return undefined
  const isOpenSearch = version.major <= 4 && 'build_hash' in node && !('build_flavor' in node)
  return isOpenSearch ? { ...version, flavour: 'opensearch' } : version
}

async function strangerError(
  cluster: Asking,
  root: Answer<Buffer>,
  signal: AbortSignal | undefined,
): Promise<MigrationError> {
  const { side, url } = cluster
  const found = dashboards(root) ?? (await solr(cluster, signal))
  const what =
    found ??
    `something that is neither Elasticsearch nor OpenSearch (status ${root.status}: ` +
      `${JSON.stringify(root.body.toString('utf8', 0, 120))})`
  return new MigrationError('MA_CLUSTER_KIND', `${side} ${url} is ${what}; check ${side}.url`, {
    details: { url, status: root.status },
  })
}

function dashboards(root: Answer<Buffer>): string | undefined {
  if (root.headers['osd-name'] !== undefined) return 'OpenSearch Dashboards, not the engine'
  if (root.headers['kbn-name'] !== undefined) return 'Kibana, not the engine'
  return undefined
}

async function solr(cluster: Asking, signal: AbortSignal | undefined): Promise<string | undefined> {
  for (const path of ['/solr/admin/info/system?wt=json', '/admin/info/system?wt=json']) {
    const answer = await ask(cluster, path, signal)
    const lucene = answer.status === 200 ? json(answer)['lucene'] : undefined
    if (isJsonObject(lucene) && typeof lucene['solr-spec-version'] === 'string') {
      return `Apache Solr ${lucene['solr-spec-version']}, which cannot be migrated yet`
    }
  }
  return undefined
}

/**
 * An engine that speaks TLS cuts a connection that brings plain HTTP without a word. Where a first contact by http://
 * was cut, a handshake tells whether that is the cause. Any other error is given back as it is.
 */
export async function explainSilence(side: Side, url: string, error: unknown): Promise<unknown> {
  if (!(error instanceof MigrationError) || error.details['kind'] !== 'cut') return error
  if (!url.startsWith('http:') || !(await speaksTls(new URL(url)))) return error
  return new MigrationError(
    'MA_CLUSTER_UNREACHABLE',
    `${side} ${url}: it speaks TLS; write https:// in ${side}.url`,
    { cause: error, details: { ...error.details, kind: 'tls' } },
  )
}

function speaksTls(url: URL): Promise<boolean> {
  const { hostname } = url
  const host = hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port === '' ? 80 : url.port)
  return new Promise((resolve) => {
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: 3_000 })
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('secureConnect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.on('error', () => end(false))
  })
}
