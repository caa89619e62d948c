import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../../base/errors.ts'
import type { Cluster } from '../../cluster/cluster.ts'
import { askedSearches } from './answer-asked.ts'
import { compareAnswers } from './answer-comparison.ts'
import { answerDefaults } from './answer-difference.ts'
import { withoutNoise } from './answer-noise.ts'
import { DeletedDocuments } from './deleted-documents.ts'
import type { SearchesOptions } from './options.ts'
import type { SearchAnswer, SearchRequest } from './search-request.ts'
import type { ComparedSearch } from './search-tally.ts'
import {
  indicesOf,
  notARead,
  sendSearch,
  type SendOptions,
  type SentRequest,
} from './send-search.ts'

/** A request in the words of the target, by which rules, and how its answers are said in the words of the source. */
export interface TargetWords {
  readonly request: SentRequest
  readonly rules: readonly string[]
  readonly answerBack: (body: unknown) => unknown
}

export interface RunSearchesInput {
  readonly source: Cluster
  readonly target: Cluster
  readonly requests: readonly SearchRequest[]
  /** Rejects with MA_TRANSFORM where a step of the user fails: the request is left out. */
  readonly translate: (request: SearchRequest) => Promise<TargetWords>
  /** Name on the source of an index of the target. */
  readonly sourceIndexOf: (targetIndex: string) => string
  readonly options: SearchesOptions
  readonly random: () => number
  readonly signal: AbortSignal
  readonly onCompared: (one: ComparedSearch) => void
  readonly onLeftOut: (why: string) => void
}

/** So many requests without an answer of one side, one after the other: it is gone, and the rest would tell nothing. */
const silentMost = 20

/**
 * Asks both sides each request: the source twice, the target once, side by side with one of the two. Which of the two, and
 * what is sent first, is left to chance, so that neither side is always asked with warm caches. Throws MA_STOPPED, and
 * MA_CLUSTER_UNREACHABLE where a side does not answer any more.
 */
export async function runSearches(input: RunSearchesInput): Promise<void> {
  const { options, signal } = input
  const waiting = shuffled(input.requests, input.random)
  const pace = new Beat(options.requestsPerSecond)
  const silence = { source: 0, target: 0 }
  const deleted = {
    source: new DeletedDocuments(input.source, signal),
    target: new DeletedDocuments(input.target, signal),
  }
  const worker = async (): Promise<void> => {
    for (;;) {
      const request = waiting.pop()
      if (request === undefined || signal.aborted) break
      await pace.turn(signal)
      const compared = await compareOne(input, request, deleted)
      if (compared === undefined) continue
      listen(silence, compared.answers)
      input.onCompared(compared)
    }
    signal.throwIfAborted()
  }
  await allEnded(Array.from({ length: options.atOnce }, worker), () => (waiting.length = 0))
}

async function compareOne(
  input: RunSearchesInput,
  request: SearchRequest,
  deleted: Record<'source' | 'target', DeletedDocuments>,
): Promise<ComparedSearch | undefined> {
  const { source, target, options, signal, onLeftOut } = input
  const why = notARead(source, request)
  if (why !== undefined) return void onLeftOut(why)
  let words: TargetWords
  try {
    words = await input.translate(request)
  } catch (error) {
    if (!(error instanceof MigrationError) || error.code !== 'MA_TRANSFORM') throw error
    return void onLeftOut('a transform could not change')
  }
  const whyNotThere = notARead(target, words.request)
  if (whyNotThere !== undefined) return void onLeftOut(`${whyNotThere} on the target`)
  const answers = await askThrice(input, request, words, { timeoutMs: options.timeout, signal })
  const asked = askedSearches(request)
  const between = compareAnswers(answers.source, answers.again, { asked })
  const { sourceIndexOf } = input
  const tolerances = await Promise.all([
    deleted.source.tolerance(indicesOf(request)),
    deleted.target.tolerance(indicesOf(words.request)),
  ])
  const scoreTolerance = Math.max(answerDefaults.scoreTolerance, ...tolerances)
  const difference = withoutNoise(
    compareAnswers(answers.source, answers.target, { asked, sourceIndexOf, scoreTolerance }),
    between,
  )
  return { request, target: words.request, rules: words.rules, answers, difference, scoreTolerance }
}

async function askThrice(
  { source, target, random }: RunSearchesInput,
  request: SearchRequest,
  words: TargetWords,
  options: SendOptions,
): Promise<ComparedSearch['answers']> {
  const askSource = (): Promise<SearchAnswer> => sendSearch(source, request, options)
  const askTarget = async (): Promise<SearchAnswer> => {
    const answer = await sendSearch(target, words.request, options)
    return { ...answer, body: words.answerBack(answer.body) }
  }
  const together = async (): Promise<[SearchAnswer, SearchAnswer]> => {
    if (random() < 0.5) {
      const answers = await Promise.all([askSource(), askTarget()])
      return answers
    }
    const [ofTarget, ofSource] = await Promise.all([askTarget(), askSource()])
    return [ofSource, ofTarget]
  }
  if (random() < 0.5) {
    const again = await askSource()
    const [ofSource, ofTarget] = await together()
    return { source: ofSource, again, target: ofTarget }
  }
  const [ofSource, ofTarget] = await together()
  return { source: ofSource, again: await askSource(), target: ofTarget }
}

function listen(
  silence: { source: number; target: number },
  answers: ComparedSearch['answers'],
): void {
  for (const side of ['source', 'target'] as const) {
    const { status, error } = answers[side]
    silence[side] = status === 0 ? silence[side] + 1 : 0
    if (silence[side] < silentMost) continue
    throw new MigrationError(
      'MA_CLUSTER_UNREACHABLE',
      `${side} did not answer ${silentMost} requests one after the other; the last: ${error ?? ''}`,
      { details: { side } },
    )
  }
}

/** Waits for all to end; the first error is thrown then, and `stop` keeps the others from going on. */
async function allEnded(workers: readonly Promise<void>[], stop: () => void): Promise<void> {
  const settled = await Promise.allSettled(
    workers.map((worker) =>
      worker.catch((error: unknown) => {
        stop()
        throw error
      }),
    ),
  )
  for (const one of settled) if (one.status === 'rejected') throw one.reason
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const list = [...values]
  for (let at = list.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[list[at], list[other]] = [list[other]!, list[at]!]
  }
  return list
}

/** Turns that are at least so far apart. What was late is not made up for. */
class Beat {
  readonly #apartMs: number
  #next = 0

  constructor(perSecond: number) {
    this.#apartMs = 1000 / perSecond
  }

  async turn(signal: AbortSignal): Promise<void> {
    const now = performance.now()
    const at = Math.max(now, this.#next)
    this.#next = at + this.#apartMs
    if (at > now) await wait(at - now, undefined, { signal })
  }
}
