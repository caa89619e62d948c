import { effectMayWrite, type Effect } from './api-table.ts'
import { clusterApis } from './cluster-apis.ts'
import { byQueryApis, documentApis } from './document-apis.ts'
import { indexApis } from './index-apis.ts'
import { monitorApis, upkeepApis } from './other-apis.ts'
import { cursorApis, readApis } from './read-apis.ts'
import { addRoutes, emptyNode, type Route, type RouteNode } from './route-tree.ts'

/**
 * Which API a request asks for, and what that does at most, from method and target alone.
 *
 * The engines find their handlers by a tree of path segments: a literal segment before one in braces, compared as it
 * was sent (a percent-encoded `%5Fsearch` is a name and no `_search`), the values decoded. So does this, over the routes
 * of all versions at once. Where no row names the path, GET, HEAD and OPTIONS are reads and everything else may write.
 */
export interface ParsedRequest {
  /** Name of the API in the tables of this folder; `unknown` where there is none. */
  readonly api: string
  readonly effect: Effect
  readonly mayWrite: boolean
  /** Index names and patterns as they stand in the path, decoded, apart at the commas; undefined: none stands there. */
  readonly indices: readonly string[] | undefined
  /** What stood in the place of `{type}`, `{id}` and the others in the path, decoded. */
  readonly parts: Readonly<Record<string, string>>
  /** As sent, without the question mark. */
  readonly query: string
}

export interface ParseOptions {
  /**
   * Whether the engine has types (Elasticsearch below 9, OpenSearch 1): `/i/_doc/_search` is a search only there, else a
   * document. undefined: nobody knows, and what may write counts.
   */
  readonly typed: boolean | undefined
}

const root = emptyNode()
addRoutes(root, 'documents', documentApis)
addRoutes(root, 'by-query', byQueryApis)
addRoutes(root, 'indices', indexApis)
addRoutes(root, 'cluster', clusterApis)
addRoutes(root, 'read', readApis)
addRoutes(root, 'cursor', cursorApis)
addRoutes(root, 'upkeep', upkeepApis)
addRoutes(root, 'monitor', monitorApis)

/** Parses a request line. Never throws: what cannot be understood is `unknown`. */
export function parseRequest(
  method: string,
  target: string,
  options: ParseOptions = { typed: true },
): ParsedRequest {
  const path = pathOf(target)
  const mark = target.indexOf('?')
  const query = mark < 0 ? '' : target.slice(mark + 1)
  const segments = segmentsOf(path)
  const parsed = parseSegments(method, segments, query, options)
  if (!segments.includes('')) return parsed
  // Something in between may join slashes, and the engine does not: of both readings the one that writes counts.
  const notEmpty = segments.filter((segment) => segment !== '')
  const joined = parseSegments(method, notEmpty, query, options)
  return joined.mayWrite || !parsed.mayWrite ? joined : parsed
}

function parseSegments(
  method: string,
  given: readonly string[],
  query: string,
  options: ParseOptions,
): ParsedRequest {
  const segments = inNamespace(given)
  const route = routeOf(segments, method, options)
  if (route === undefined) return unknownRequest(method, segments, query)
  const parts = partsOf(route, segments)
  const named = parts.index
  return {
    api: route.api,
    effect: route.effect,
    mayWrite: effectMayWrite(route.effect),
    indices: named === undefined ? undefined : named.split(','),
    parts,
    query,
  }
}

const safeMethods: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

function unknownRequest(method: string, segments: readonly string[], query: string): ParsedRequest {
  const first = segments[0]
  const named = first === undefined || isApiName(first) ? undefined : decoded(first)
  const isSafe = safeMethods.includes(method)
  return {
    api: 'unknown',
    effect: isSafe ? 'monitor' : 'unknown',
    mayWrite: !isSafe,
    indices: named?.split(','),
    parts: named === undefined ? {} : { index: named },
    query,
  }
}

/** Path of the target: a proxy may be asked with a whole address, too. */
function pathOf(target: string): string {
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  if (path.startsWith('/')) return path
  const host = /^https?:\/\/[^/]*/i.exec(path)
  return host === null ? `/${path}` : path.slice(host[0].length)
}

/** Slashes at the end do not count; empty segments between others do. */
function segmentsOf(path: string): string[] {
  let end = path.length
  while (end > 0 && path.charCodeAt(end - 1) === 0x2f) end--
  return end === 0 ? [] : path.slice(1, end).split('/')
}

/** The older names of namespaces: `_opendistro/_sql`, `_xpack/ml`, `_shield`. */
function inNamespace(segments: readonly string[]): readonly string[] {
  const [first, second, ...rest] = segments
  if (first === '_opendistro') return ['_plugins', ...segments.slice(1)]
  if (first === '_shield') return ['_security', ...segments.slice(1)]
  if (first !== '_xpack' || second === undefined || second === 'usage') return segments
  return [second.startsWith('_') ? second : `_${second}`, ...rest]
}

/** No index has a name like this; `_all` stands for indices. */
function isApiName(segment: string): boolean {
  return segment.startsWith('_') && segment !== '_all'
}

function routeOf(
  segments: readonly string[],
  method: string,
  { typed }: ParseOptions,
): Route | undefined {
  const route = findRoute(segments, method, typed ?? true)
  if (typed !== undefined || route?.typeAt === undefined) return route
  const other = findRoute(segments, method, false)
  return other !== undefined && effectMayWrite(other.effect) ? other : route
}

/** The best of the routes that fit: a literal end before a name at the end, then the fewest names. */
function findRoute(segments: readonly string[], method: string, typed: boolean): Route | undefined {
  let best: Route | undefined
  const offer = (route: Route | undefined): void => {
    if (route === undefined || (best !== undefined && route.rank >= best.rank)) return
    if (route.typeAt !== undefined && !(typed && mayBeType(segments[route.typeAt]!))) return
    best = route
  }
  const visit = (node: RouteNode, depth: number): void => {
    offer(node.rest.get(method))
    const segment = segments[depth]
    if (segment === undefined) return offer(node.routes.get(method))
    const literal = node.literals.get(segment)
    if (literal !== undefined) visit(literal, depth + 1)
    if (node.any !== undefined && (depth > 0 || !isApiName(segment))) visit(node.any, depth + 1)
  }
  visit(root, 0)
  return best
}

/** Names of types begin with no underscore, but for these. */
function mayBeType(segment: string): boolean {
  return !segment.startsWith('_') || segment === '_doc' || segment === '_default_'
}

function partsOf({ names }: Route, segments: readonly string[]): Record<string, string> {
  const parts: Record<string, string> = {}
  for (const { name, at } of names) parts[name] = decoded(segments[at]!)
  return parts
}

/** What is no percent-encoding stays as it is: the engine refuses it. */
function decoded(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
