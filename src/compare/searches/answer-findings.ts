import { findingsMax, type AnswerFinding, type FindingKind } from './answer-difference.ts'
import { shortText } from './answer-value.ts'

/** Collects findings while two answers are compared: at most findingsMax of those that count, and as many others. */
export class Findings {
  readonly #counting: AnswerFinding[] = []
  readonly #noise: AnswerFinding[] = []
  #leftOut = 0

  add(
    what: FindingKind,
    where: string,
    values: { source: unknown; target: unknown; extent?: number | undefined; noise?: string },
  ): void {
    const { source, target, extent, noise } = values
    const kept = noise === undefined ? this.#counting : this.#noise
    if (kept.length >= findingsMax) {
      if (noise === undefined) this.#leftOut++
      return
    }
    kept.push({
      what,
      where,
      source: shortText(source),
      target: shortText(target),
      ...(extent !== undefined && { extent }),
      ...(noise !== undefined && { noise }),
    })
  }

  result(): { findings: AnswerFinding[]; findingsLeftOut: number } {
    const findings = [...this.#counting, ...this.#noise].slice(0, findingsMax)
    return { findings, findingsLeftOut: this.#leftOut }
  }
}
