import { kind } from '../../state/store.ts'

/** Of the target, by the source. */
export type Speed = 'faster' | 'same' | 'slower' | 'cannot tell'

/** A figure with the interval that its true value lies in with a chance of 95 %. */
export type Estimate = { value: number; low: number; high: number }

/** How one side answered; times in milliseconds. A percentile is null where too few answers carry it. */
export type SideLatency = {
  requests: number
  /** Answers that are no success, none in time, and those that left shards out. */
  errors: number
  p50: Estimate | null
  p90: Estimate | null
  p99: Estimate | null
  p999: Estimate | null
  max: number
  /** Median of what the cluster itself says that it took; null where answers do not tell. */
  tookP50: number | null
}

/** Target by source. The intervals of all shapes of a run hold together with a chance of 95 %. */
export type LatencyRatios = { p50: Estimate | null; p90: Estimate | null; p99: Estimate | null }

/** Counts of answers in classes of latency: class i is at most `boundsMs[i]`; at most 60 classes. */
export type LatencyClasses = { boundsMs: number[]; source: number[]; target: number[] }

export type LatencyComparison = {
  verdict: Speed
  why: string
  source: SideLatency
  target: SideLatency
  ratios: LatencyRatios
  histogram: LatencyClasses
}

export type ShapeSpeed = LatencyComparison & {
  key: string
  template: string
  /** Of all requests of the mix, 0 to 1. */
  share: number
}

/** A rate that both sides worked at, e.g. requests a second. */
export type RateComparison = {
  verdict: Speed
  why: string
  source: Estimate
  target: Estimate
  /** Target by source: above 1 the target is faster; null: too few rounds. */
  ratio: Estimate | null
}

/** One step of a side on the way to its saturation: intended and reached requests a second. */
export type SaturationStep = { rate: number; reached: number; p99: number; errors: number }

export type SaturationSide = {
  steps: SaturationStep[]
  /** The highest rate that the side kept up with; 0: not even the first. */
  rate: number
  /** What broke at the next step, or why there was none. */
  endedBy: string
}

/** What a cluster spent from begin to end, background work and other clients included; null: it does not tell. */
export type SideResources = {
  nodes: number
  cpuMs: number | null
  cpuMsPerRequest: number | null
  cpuPercentMost: number | null
  heapPercentMost: number | null
  gcMs: number | null
  gcCount: number | null
  diskReadBytes: number | null
  diskWriteBytes: number | null
  /** Why figures are missing. */
  unknown: string | null
}

/** A look at one side between two turns; at most 300 of them. */
export type ResourcePoint = {
  at: string
  side: 'source' | 'target'
  cpuPercent: number | null
  heapPercent: number | null
  /** Since the look before. */
  gcMs: number | null
}

/** How the process that made the load did; times in milliseconds. */
export type GeneratorLoad = {
  /** How late its events were: what adds to each latency. */
  delayP50: number
  delayP90: number
  delayP99: number
  /** How late requests at a constant rate began, though there was a connection for them. */
  startP99: number
  /** Of the time its thread was at work, 0 to 1. */
  busy: number
  /** Processors in use, 1 is one of them. */
  cpu: number
  /** Why it, and not the clusters, limited what was measured; null: it did not. */
  bottleneck: string | null
}

export type WriteComparison = RateComparison & {
  /** Whose documents, settings and mapping were used. */
  index: string
  documents: number
  bytes: number
  errors: { source: number; target: number }
}

/** One run of `compare performance`. Key: startedAt. The newest twenty are kept. */
export type PerformanceVerdict = {
  startedAt: string
  endedAt: string
  method: string
  cannotSee: string[]
  /** The worst of the shapes; `same` only if all are. */
  verdict: Speed
  why: string
  /** Why it ended before all was measured; null: it did not. */
  endedEarly: string | null
  /** Up to which ratio of latencies, and below how many milliseconds between them, both are the same. */
  same: { ratio: number; belowMs: number }
  load: {
    connections: number
    /** Requests a second at the constant rate; null: it did not come to that. */
    rate: number | null
    rounds: { closed: number; open: number }
    turnMs: number
    seed: number
    requests: { source: number; target: number }
  }
  /** The worst first, at a constant rate. */
  shapes: ShapeSpeed[]
  /** Requests of the mix that took no part, by why. */
  leftOut: { [why: string]: number }
  /** The whole mix at a constant rate. */
  all: LatencyComparison | null
  /** The whole mix with a constant number of requests under way, and how many were done a second. */
  closedLoop: {
    latency: LatencyComparison
    throughput: RateComparison
    generator: GeneratorLoad
  } | null
  saturation: { source: SaturationSide | null; target: SaturationSide | null } | null
  writes: WriteComparison | null
  resources: { source: SideResources; target: SideResources; points: ResourcePoint[] }
  /** At a constant rate. */
  generator: GeneratorLoad
}
export const performanceVerdictKind = kind<PerformanceVerdict>('performance-verdict')
