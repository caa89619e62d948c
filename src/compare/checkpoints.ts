import type { Side } from '../cluster/cluster.ts'
import { kind, type StateStore } from '../state/store.ts'
import { Buckets } from './buckets.ts'
import type { SideScan } from './side-scan.ts'

/**
 * How far the first scan of an index has come: which slices were read whole, and the sums of all of them. Key: source index
 * name. Gone when the index has its verdict.
 */
export type CompareProgressRecord = {
  index: string
  how: 'full' | 'quick'
  /** Of the digests. */
  seed: { half1: number; half2: number }
  /** What the slices are of. */
  source: string
  target: string
  startedAt: string
  done: { source: number[]; target: number[] }
  dropped: number
  /** Base64. */
  buckets: string
}
export const compareProgressKind = kind<CompareProgressRecord>('compare-progress')

/** Larger sums are stored every few seconds only. */
const smallBytes = 1024 * 1024
const largeEveryMs = 5000

interface Of {
  readonly state?: StateStore
  readonly quick?: boolean
  /** What was begun before this time is begun anew. */
  readonly resumeSince?: Date
}

/** Keeps what was read whole of both sides of an index, so that a comparison that was killed goes on. */
export class SliceCheckpoints {
  dropped = 0
  startedAt: string
  readonly seed: CompareProgressRecord['seed']
  readonly #state: StateStore | undefined
  readonly #known: CompareProgressRecord | undefined
  readonly #done = { source: new Set<number>(), target: new Set<number>() }
  readonly #about: Pick<CompareProgressRecord, 'index' | 'how'>
  #of = { source: '', target: '' }
  #buckets: Buckets | undefined
  #storedAt = -Infinity

  static async open(
    { state, quick = false, resumeSince }: Of,
    index: string,
    seed: CompareProgressRecord['seed'],
  ): Promise<SliceCheckpoints> {
    const about = { index, how: quick ? ('quick' as const) : ('full' as const) }
    const known = (await state?.get(compareProgressKind, index))?.value
    const isOurs =
      known?.how === about.how &&
      resumeSince !== undefined &&
      known.startedAt >= resumeSince.toISOString()
    return new SliceCheckpoints(state, about, isOurs ? known : undefined, seed)
  }

  private constructor(
    state: StateStore | undefined,
    about: Pick<CompareProgressRecord, 'index' | 'how'>,
    known: CompareProgressRecord | undefined,
    seed: CompareProgressRecord['seed'],
  ) {
    this.#state = state
    this.#about = about
    this.#known = known
    this.seed = known?.seed ?? seed
    this.startedAt = known?.startedAt ?? new Date().toISOString()
  }

  /** What is known of the slices of these two sides; nothing where they are of something else. */
  async resume(
    { source, target }: { readonly [side in Side]: SideScan },
    documentsExpected: number,
    countMax: number,
  ): Promise<{ buckets: Buckets; done: { readonly [side in Side]: ReadonlySet<number> } }> {
    this.#of = { source: source.identity, target: target.identity }
    const known = this.#known
    const isSame = known?.source === source.identity && known.target === target.identity
    const stored = isSame ? Buckets.fromBytes(Buffer.from(known.buckets, 'base64')) : undefined
    if (stored === undefined || known === undefined) this.startedAt = new Date().toISOString()
    else {
      for (const side of ['source', 'target'] as const) {
        for (const slice of known.done[side]) this.#done[side].add(slice)
      }
      this.dropped = known.dropped
    }
    this.#buckets = stored ?? new Buckets(documentsExpected, countMax)
    return { buckets: this.#buckets, done: this.#done }
  }

  /** A slice was read whole, and is in the sums. */
  async read(side: Side, slice: number, dropped: number): Promise<void> {
    this.#done[side].add(slice)
    this.dropped += dropped
    const bytes = this.#buckets!.bytes()
    const isDue = bytes.length <= smallBytes || performance.now() - this.#storedAt > largeEveryMs
    if (this.#state === undefined || !isDue) return
    const value: CompareProgressRecord = {
      ...{ ...this.#about, ...this.#of, seed: this.seed, startedAt: this.startedAt },
      done: { source: [...this.#done.source], target: [...this.#done.target] },
      dropped: this.dropped,
      buckets: bytes.toString('base64'),
    }
    await this.#state.commit([
      { op: 'put', kind: compareProgressKind, key: this.#about.index, value },
    ])
    this.#storedAt = performance.now()
  }

  /** The index has been compared. */
  async done(): Promise<void> {
    const { index: key } = this.#about
    await this.#state?.commit([{ op: 'delete', kind: compareProgressKind, key }])
  }
}
