import type { ApiRoutes, Effect } from './api-table.ts'

/** What a route leads to. */
export interface Route {
  readonly api: string
  readonly effect: Effect
  /** The segments in braces: their names, and where in the path they stand. */
  readonly names: readonly { readonly name: string; readonly at: number }[]
  /** Where `{type}` stands, if it does: only engines with types have the route. */
  readonly typeAt: number | undefined
  /** Of two routes that fit, the one with the lower rank is taken. */
  readonly rank: number
}

/** A path segment of the tree: literal children, one child for whatever else stands there, and routes by method. */
export interface RouteNode {
  readonly literals: Map<string, RouteNode>
  any: RouteNode | undefined
  readonly routes: Map<string, Route>
  /** Routes that end in `**` here. */
  readonly rest: Map<string, Route>
}

export function emptyNode(): RouteNode {
  return { literals: new Map(), any: undefined, routes: new Map(), rest: new Map() }
}

/** Adds the routes of a table. Two routes of one method and form are a slip of the table: it throws. */
export function addRoutes(root: RouteNode, effect: Effect, apis: ApiRoutes): void {
  for (const [api, lines] of Object.entries(apis)) {
    for (const line of lines) {
      const [methods = '', pattern = ''] = line.split(' ')
      for (const path of expandRoute(pattern)) {
        for (const method of methods.split('|')) addRoute(root, { method, path, api, effect })
      }
    }
  }
}

function addRoute(
  root: RouteNode,
  { method, path, api, effect }: { method: string; path: string; api: string; effect: Effect },
): void {
  const names: { name: string; at: number }[] = []
  const segments = path.split('/').slice(1)
  const isRest = segments.at(-1) === '**'
  if (isRest) segments.pop()
  let node = root
  for (const [at, segment] of segments.entries()) {
    if (segment.startsWith('{')) {
      names.push({ name: segment.slice(1, -1), at })
      node = node.any ??= emptyNode()
    } else node = child(node, segment)
  }
  const routes = isRest ? node.rest : node.routes
  const before = routes.get(method)
  if (before !== undefined && (before.api !== api || before.effect !== effect)) {
    throw new Error(`${method} ${path}: both ${before.api} and ${api}`)
  }
  const typeAt = names.find(({ name }) => name === 'type')?.at
  const isLiteralEnd = names.at(-1)?.at !== segments.length - 1
  const rank = isRest ? 1000 - segments.length : names.length + (isLiteralEnd ? 0 : 100)
  if (before === undefined) routes.set(method, { api, effect, names, typeAt, rank })
}

function child(node: RouteNode, segment: string): RouteNode {
  const found = node.literals.get(segment)
  if (found !== undefined) return found
  const made = emptyNode()
  node.literals.set(segment, made)
  return made
}

/** `[/{a}[/{b}]]/x` → `/x`, `/{a}/x`, `/{a}/{b}/x`: every way to leave out what stands in square brackets. */
export function expandRoute(pattern: string): string[] {
  const open = pattern.indexOf('[')
  if (open < 0) return [pattern]
  const close = closingBracket(pattern, open)
  const before = pattern.slice(0, open)
  const after = expandRoute(pattern.slice(close + 1))
  const inside = ['', ...expandRoute(pattern.slice(open + 1, close))]
  return inside.flatMap((middle) => after.map((end) => before + middle + end))
}

function closingBracket(pattern: string, open: number): number {
  let depth = 0
  for (let at = open; at < pattern.length; at++) {
    if (pattern[at] === '[') depth++
    else if (pattern[at] === ']' && --depth === 0) return at
  }
  throw new Error(`${pattern}: a bracket is not closed`)
}
