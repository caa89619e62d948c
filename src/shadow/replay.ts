import type { Cluster } from '../cluster/cluster.ts'
import { askedSearches } from '../compare/searches/answer-asked.ts'
import { compareAnswers } from '../compare/searches/answer-comparison.ts'
import type { AnswerDifference } from '../compare/searches/answer-difference.ts'
import { parseAnswer } from '../compare/searches/search-request.ts'
import { shapeOf } from '../compare/searches/shape.ts'
import { parseRequest } from '../traffic/api/parse-request.ts'
import { decodeBody } from '../traffic/content-encoding.ts'
import type { CapturedRequest, CapturedResponse } from '../traffic/exchange.ts'
import { headerValue } from '../traffic/kept-heads.ts'
import { givesCursor } from './cursor-ids.ts'
import type { ShadowFigures } from './figures.ts'
import { Pace, type PaceOptions } from './pace.ts'
import {
  planRequest,
  plainOf,
  type PlainRequest,
  type PlannedRequest,
  type PlanOptions,
} from './plan-request.ts'
import { sendToTarget } from './send.ts'
import { TimeQueue } from './time-queue.ts'
import { redactedBody, tupleLine, type TargetAnswer } from './tuple.ts'

/** A recorded exchange that is to be replayed. */
export interface ReplayedExchange {
  /** Of the log: requests of one connection go one after the other. */
  readonly connection: string
  readonly request: CapturedRequest
  readonly response: CapturedResponse
  /** To be called once, when all is done with it. */
  readonly settle: () => void
}

/** How the target's answers become comparable with the source's. */
export interface AnswerWords {
  /** Name on the source of an index of the target. */
  readonly sourceIndexOf: (targetIndex: string) => string
  /** The JSON of an answer in the form that the source would have given to this request; changes it in place. */
  readonly answerBack?: (request: PlainRequest, body: unknown) => unknown
}

export interface ReplayInput {
  readonly target: Cluster
  readonly pace: PaceOptions
  readonly plan: PlanOptions
  /** Requests under way at once. */
  readonly connections: number
  readonly attempts: number
  readonly memoryMax: number
  readonly redact: readonly string[]
  readonly answers?: AnswerWords
  readonly figures: ShadowFigures
  /** Undefined: no tuples are written. */
  readonly onTuple: ((line: string) => void) | undefined
  /** Gives up what is under way. */
  readonly signal: AbortSignal
}

interface Waiting extends ReplayedExchange {
  /** Epoch microseconds at which it came in, when it was recorded. */
  readonly at: number
  readonly bytes: number
}

/** Of one connection of a client: what is due and waits for the one before. */
interface Lane {
  readonly queue: Waiting[]
  isBusy: boolean
}

/** What one takes besides its bodies. */
const exchangeBytes = 4000
const lateAfterMs = 100
const unpackedMax = 64 * 1024 * 1024

/**
 * Replays exchanges at their times: those of one connection in their order, each when the one before has been answered;
 * those of different connections side by side. What is read ahead waits in the order of its times, since the log has it in the
 * order of the answers.
 */
export class Replay {
  readonly #input: ReplayInput
  readonly #pace: Pace
  readonly #ahead = new TimeQueue<Waiting>()
  readonly #lanes = new Map<string, Lane>()
  /** Lanes that could send and have no connection to do it by. */
  readonly #ready: [string, Lane][] = []
  #aheadBytes = 0
  #sending = 0
  #due = 0
  #lateMs = 0
  #sentAt = 0
  #timer: NodeJS.Timeout | undefined
  /** Who waits for room, or for the end, looks again. */
  #waiters: (() => void)[] = []
  #failure: { readonly error: unknown } | undefined

  constructor(input: ReplayInput) {
    this.#input = input
    this.#pace = new Pace(input.pace)
    input.signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  /** Takes an exchange. */
  add(exchange: ReplayedExchange): void {
    const { request, response } = exchange
    const bytes = exchangeBytes + request.body.length + response.body.length
    const item = { ...exchange, at: request.firstByteAt, bytes }
    this.#aheadBytes += bytes
    this.#ahead.push(item)
    if (this.#timer === undefined || this.#ahead.first === item) this.#dispatch()
  }

  /** Nothing more is to be read until there is room. */
  get isFull(): boolean {
    return this.#aheadBytes >= this.#input.memoryMax || this.#failure !== undefined
  }

  /** Resolves when there is room. Throws what ended the replay. */
  async room(): Promise<void> {
    while (this.#failure === undefined && this.isFull) {
      this.#input.signal.throwIfAborted()
      await this.#change()
    }
    this.#check()
  }

  /** Resolves when all that was taken is done with. Throws what ended the replay. */
  async drained(): Promise<void> {
    while (this.#ahead.length > 0 || this.#due > 0) {
      this.#check()
      await this.#change()
    }
    this.#check()
  }

  /** Sends nothing more; what is under way goes on until the signal ends it. Resolves when it has ended. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    while (this.#ahead.length > 0) this.#ahead.pop()
    for (const { queue } of this.#lanes.values()) this.#due -= queue.splice(0).length
    this.#ready.length = 0
    while (this.#sending > 0) await this.#change()
  }

  get aheadBytes(): number {
    return this.#aheadBytes
  }

  /** How much later than due the last request went, and epoch microseconds at which it had been recorded. */
  get lag(): { readonly lateMs: number; readonly recordedAt: number } {
    return { lateMs: Math.max(0, Math.round(this.#lateMs)), recordedAt: this.#sentAt }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#input.signal.throwIfAborted()
  }

  /** Puts what is due into the lanes, and sets the clock for what is due next. */
  #dispatch(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const now = performance.now()
    for (;;) {
      const first = this.#ahead.first
      if (first === undefined || this.#failure !== undefined) return
      const dueAt = this.#pace.dueAt(first.at, now)
      if (dueAt > now) {
        this.#timer = setTimeout(() => this.#dispatch(), Math.min(dueAt - now, timerMax))
        return
      }
      this.#ahead.pop()
      this.#pace.gone()
      this.#lateMs = now - dueAt
      this.#enqueue(first)
    }
  }

  #enqueue(item: Waiting): void {
    const lane = this.#lanes.get(item.connection) ?? { queue: [], isBusy: false }
    this.#lanes.set(item.connection, lane)
    lane.queue.push(item)
    this.#due++
    if (!lane.isBusy) this.#start(item.connection, lane)
  }

  #start(connection: string, lane: Lane): void {
    lane.isBusy = true
    if (this.#sending >= this.#input.connections) this.#ready.push([connection, lane])
    else void this.#run(connection, lane)
  }

  async #run(connection: string, lane: Lane): Promise<void> {
    this.#sending++
    const item = lane.queue.shift()!
    try {
      await this.#replay(item)
      item.settle()
    } catch (error) {
      if (!this.#input.signal.aborted) this.#failure ??= { error }
    }
    this.#sending--
    this.#due--
    this.#aheadBytes -= item.bytes
    lane.isBusy = false
    if (lane.queue.length > 0) this.#start(connection, lane)
    else this.#lanes.delete(connection)
    const next = this.#sending < this.#input.connections ? this.#ready.shift() : undefined
    if (next !== undefined) void this.#run(...next)
    if (this.#waiters.length > 0) this.#wake()
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiters.splice(0)) resolve()
  }

  async #replay(item: Waiting): Promise<void> {
    const { figures, target, attempts, signal, plan } = this.#input
    const planned = await planRequest(item, plan)
    if (typeof planned === 'string') return figures.skip(planned)
    if (this.#lateMs > lateAfterMs) figures.totals.late++
    this.#sentAt = Math.max(this.#sentAt, item.at)
    const answer = await sendToTarget(target, planned.sent, { attempts, signal })
    this.#settle(planned, answer)
  }

  #settle(planned: PlannedRequest, answer: TargetAnswer): void {
    const { figures, redact, onTuple, plan } = this.#input
    const { request, response, isWrite, rules, sent, isChanged } = planned
    const body = redactedBody(answer.body, redact)
    const { difference, source } = this.#compared(planned, answer, body)
    const parsed = parseRequest(request.method, request.target)
    if (givesCursor(parsed) && source !== undefined) {
      plan.cursors.learn(source, answer.body.toString('utf8'), parsed)
    }
    const plain = plainOf(request) ?? { method: request.method, path: request.target }
    const shape = shapeOf({ ...plain, origin: 'captured' })
    const sourceMs = Math.max(0, (response.lastByteAt - request.lastByteAt) / 1000)
    figures.fired(rules)
    const isDifferent = figures.settle({
      ...{ shape, isWrite, difference, attempts: answer.attempts },
      ...{ sourceStatus: response.status, targetStatus: answer.status },
      ...{ sourceMs, targetMs: answer.ms },
    })
    onTuple?.(
      tupleLine({
        ...{ request, response, sourceMs, shapeKey: shape.key, rules, answer, isDifferent },
        ...{ targetBody: body, findings: difference?.findings ?? null },
        ...(isChanged && { sent }),
      }),
    )
  }

  /** Answers to writes name numbers and times of each side: of them only the status counts. */
  #compared(
    { request, response, isWrite }: PlannedRequest,
    answer: TargetAnswer,
    body: Buffer | undefined,
  ): { difference?: AnswerDifference; source?: string } {
    const source = answerText(response)
    if (source === undefined) return {}
    if (isWrite || answer.status === 0 || body === undefined) return { source }
    const target = body.toString('utf8')
    if (target === source && answer.status === response.status) return { source, difference: equal }
    const sourceMs = (response.lastByteAt - request.lastByteAt) / 1000
    const { answers } = this.#input
    const plain = plainOf(request) ?? { method: request.method, path: request.target }
    const parsed = parseAnswer(target)
    const said = answers?.answerBack?.(plain, parsed) ?? parsed
    const difference = compareAnswers(
      { status: response.status, body: parseAnswer(source), ms: sourceMs, bytes: source.length },
      { status: answer.status, body: said, ms: answer.ms, bytes: body.length },
      { asked: askedSearches(plain), ...(answers && { sourceIndexOf: answers.sourceIndexOf }) },
    )
    return { source, difference }
  }
}

const timerMax = 2 ** 31 - 1

const equal: AnswerDifference = {
  ...{ findings: [], findingsLeftOut: 0, rankingIsNoise: false },
  ...{ overlapAtK: null, rankBiasedOverlap: null, ndcg: null, kendallTau: null },
}

/** What the source answered; undefined where it was cut or cannot be unpacked. */
function answerText({ body, bodyBytes, headers }: CapturedResponse): string | undefined {
  if (body.length < bodyBytes) return undefined
  try {
    const bytes = decodeBody(body, headerValue(headers, 'content-encoding'), unpackedMax)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  } catch {
    return undefined
  }
}
