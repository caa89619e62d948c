import { drawRequests, type Mix, type MixedRequest } from './mix.ts'
import type { PerformanceRun } from './performance-run.ts'
import type { ShapeSpeed } from './record.ts'

export interface Tried {
  /** Requests that take no part, since a side does not take them. */
  readonly refused: ReadonlySet<MixedRequest>
  /** How many requests, by why. */
  readonly leftOut: { readonly [why: string]: number }
  /** By key of the shape: why nothing can be told of one that is left without requests. */
  readonly refusals: ReadonlyMap<string, Pick<ShapeSpeed, 'verdict' | 'why'>>
}

const triedMost = 1000
const trialMsMost = 120_000

/**
 * Asks each side everything once, to leave out what it refuses (400, 404 …): answers that say no are quick, and no load
 * that anybody means. Of more than a thousand requests a thousand are asked, by chance.
 */
export async function tryRequests(run: PerformanceRun, mix: Mix): Promise<Tried> {
  const refused = new Map<MixedRequest, string>()
  const { requests } = mix
  const asked = requests.length <= triedMost ? requests : drawRequests(mix, triedMost, run.random)
  let done = 0
  for (const side of ['source', 'target'] as const) {
    await run.turn(side, {
      ...{ mix, requests: asked, msMax: trialMsMost },
      load: { connections: 1 },
      onSent: (request, { isRefused, error }) => {
        if (isRefused && !refused.has(request)) refused.set(request, `${side}: ${error}`)
        run.progress('trial', ++done, 2 * asked.length)
      },
    })
  }
  const leftOut: { [why: string]: number } = {}
  for (const why of refused.values()) leftOut[why] = (leftOut[why] ?? 0) + 1
  const refusals = new Map<string, Pick<ShapeSpeed, 'verdict' | 'why'>>()
  mix.shapes.forEach(({ key }, shape) => {
    const whys = requests.filter((one) => one.shape === shape).map((one) => refused.get(one))
    const [why] = whys
    if (why === undefined || whys.includes(undefined)) return
    refusals.set(key, { verdict: 'cannot tell', why: `refused by the ${why}` })
  })
  return { refused: new Set(refused.keys()), leftOut, refusals }
}
