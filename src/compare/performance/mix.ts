import { shapeOf } from '../searches/shape.ts'
import type { SearchRequest } from '../searches/search-request.ts'

/** The same question in the words of each side. */
export interface AskedOfBoth {
  readonly source: SearchRequest
  readonly target: SearchRequest
}

/** A request as it is sent, made ready before the load begins. */
export interface ReadyRequest {
  readonly method: string
  readonly path: string
  readonly body: Buffer | undefined
  readonly headers: { readonly [name: string]: string }
}

export interface MixedRequest {
  /** Its place among the shapes. */
  readonly shape: number
  readonly source: ReadyRequest
  readonly target: ReadyRequest
}

export interface MixedShape {
  readonly key: string
  readonly template: string
  /** Of all requests of the mix, 0 to 1. */
  readonly share: number
}

/** What both sides are asked, each request as often as it was given. */
export interface Mix {
  readonly shapes: readonly MixedShape[]
  readonly requests: readonly MixedRequest[]
}

/** The `shapesMax` most frequent shapes of these requests; how many requests that leaves out. */
export function makeMix(
  asked: readonly AskedOfBoth[],
  shapesMax: number,
): { mix: Mix; leftOut: number } {
  const groups = new Map<string, { template: string; asked: AskedOfBoth[] }>()
  for (const one of asked) {
    const { key, template } = shapeOf(one.source)
    const group = groups.get(key) ?? { template, asked: [] }
    groups.set(key, group)
    group.asked.push(one)
  }
  const kept = [...groups]
    .sort(([, a], [, b]) => b.asked.length - a.asked.length)
    .slice(0, shapesMax)
  const count = kept.reduce((sum, [, group]) => sum + group.asked.length, 0)
  return {
    mix: {
      shapes: kept.map(([key, group]) => ({
        key,
        template: group.template,
        share: group.asked.length / count,
      })),
      requests: kept.flatMap(([, group], shape) =>
        group.asked.map(({ source, target }) => ({
          shape,
          source: readyRequest(source),
          target: readyRequest(target),
        })),
      ),
    },
    leftOut: asked.length - count,
  }
}

/** The mix without these requests. A shape may be left without any. */
export function mixWithout(mix: Mix, gone: ReadonlySet<MixedRequest>): Mix {
  const requests = mix.requests.filter((request) => !gone.has(request))
  const counts = new Array<number>(mix.shapes.length).fill(0)
  for (const { shape } of requests) counts[shape]!++
  return {
    requests,
    shapes: mix.shapes.map((shape, i) => ({
      ...shape,
      share: counts[i]! / (requests.length || 1),
    })),
  }
}

/** `count` requests by chance: what one turn of each side asks, in this order. */
export function drawRequests(mix: Mix, count: number, random: () => number): MixedRequest[] {
  const { requests } = mix
  return Array.from({ length: count }, () => requests[Math.floor(random() * requests.length)]!)
}

function readyRequest({ method, path, body }: SearchRequest): ReadyRequest {
  if (body === undefined) return { method, path, body: undefined, headers: {} }
  const isLines = /\/_msearch(\/template)?(\?|$)/.test(path)
  const type = isLines ? 'application/x-ndjson' : 'application/json'
  return { method, path, body: Buffer.from(body), headers: { 'content-type': type } }
}
