import type { PerformanceOptions } from './options.ts'

/** What a run will do to each side, at most; told before it begins. */
export interface LoadPlan {
  readonly connections: number
  /** Requests a second where their rate is constant; undefined: half of what the slower side manages. */
  readonly rate: number | undefined
  readonly rounds: number
  readonly turnMs: number
  readonly warmUpMs: number
  readonly shapes: number
  /** Different requests. */
  readonly requests: number
  /** Both sides together, as planned; the saturation not counted, whose length nobody knows. */
  readonly expectedMs: number
  readonly timeMaxMs: number
  readonly requestsMax: number
  readonly sourceBrake: PerformanceOptions['sourceBrake']
  readonly saturation: PerformanceOptions['saturation']
  readonly writes: boolean
  readonly seed: number
}

export function planLoad(
  options: PerformanceOptions,
  about: { shapes: number; requests: number; seed: number; writes: boolean },
): LoadPlan {
  const { connections, rate, rounds, turn, warmUp, timeMax, requestsMax } = options
  const kinds = about.writes ? 3 : 2
  return {
    ...{ connections, rate, rounds, requestsMax },
    ...about,
    ...{ turnMs: turn, warmUpMs: warmUp, timeMaxMs: timeMax },
    sourceBrake: options.sourceBrake,
    saturation: options.saturation,
    expectedMs: 2 * warmUp + kinds * rounds * 2 * turn,
  }
}
