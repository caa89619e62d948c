import type { Side } from '../cluster/cluster.ts'
import { objectOf } from '../metadata/json-objects.ts'
import type { AheadDocument } from './audit-input.ts'
import type { DifferingId, IdComparisonInput } from './id-comparison.ts'

export interface AheadCheckInput extends Pick<
  IdComparisonInput,
  'source' | 'target' | 'numbers' | 'numberOf' | 'signal'
> {
  /** Its name on either side. */
  readonly indices: Readonly<Record<Side, string>>
}

/** Of one comparison. */
const checkedMax = 1000

/**
 * Documents that a comparison showed at a higher number on the target, or there alone: mostly they were written between
 * the two scans, and reading them mends the rest. What is still so afterwards came about without this migration, or by
 * writes that the source has lost: no versioned write can take it away.
 */
export class AheadCheck {
  readonly #input: AheadCheckInput
  #suspects: DifferingId[] = []

  constructor(input: AheadCheckInput) {
    this.#input = input
  }

  add(document: DifferingId): void {
    if (this.#suspects.length >= checkedMax || this.#input.numbers === 'none') return
    const { source, target } = document
    if (target !== undefined && target > (source ?? -1)) this.#suspects.push(document)
  }

  get suspects(): readonly DifferingId[] {
    return this.#suspects
  }

  /** Looks again, and keeps those that are as they were seen. On the target first: no write in between makes one seem ahead. */
  async stillAhead(): Promise<readonly AheadDocument[]> {
    if (this.#suspects.length === 0) return []
    const onTarget = await this.#numbers('target')
    const onSource = await this.#numbers('source')
    const isAhead = this.#suspects.map(
      ({ target }, at) => onTarget[at] === target && onSource[at]! < target!,
    )
    this.#suspects = this.#suspects.filter((_, at) => isAhead[at])
    return this.#suspects.map(({ id, routing, target }, at) => {
      const source = onSource.filter((_, i) => isAhead[i])[at]!
      return { id, routing, source: source < 0 ? null : source, target: target! }
    })
  }

  /** -1: not there. Infinity: it is there, and the engine does not tell its number (Elasticsearch 6.0 to 6.7). */
  async #numbers(side: Side): Promise<number[]> {
    const { indices, numbers, numberOf, signal } = this.#input
    const cluster = this.#input[side]
    const isTyped = side === 'source' && cluster.version.major < 7
    const docs = this.#suspects.map(({ id, routing, type }) => ({
      ...{ _index: indices[side], _id: id },
      ...(type !== undefined && isTyped && { _type: type }),
      ...(routing !== null && { routing }),
    }))
    const { body } = await cluster.request('POST', '/_mget', {
      query: { _source: false },
      body: { docs },
      repeatable: true,
      signal,
    })
    const found = Array.isArray(body.docs) ? body.docs : []
    return docs.map((_, at) => {
      const { found: isThere, _version: version, _seq_no: seqNo } = objectOf(found[at])
      if (isThere !== true) return -1
      if (side === 'target') return typeof version === 'number' ? numberOf(version) : -1
      const number = numbers === 'version' ? version : seqNo
      return typeof number === 'number' ? number : Infinity
    })
  }
}
