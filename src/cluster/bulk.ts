import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { MigrationError } from '../base/errors.ts'
import { engineErrorOf, missingPermission } from './answer-errors.ts'
import type { EngineError } from './answer-errors.ts'
import { backoffMs, retryAfterMs, stoppedError, systemClock } from './backoff.ts'
import type { Clock } from './backoff.ts'
import { bulkFilterPath, readBulkAnswer } from './bulk-answer.ts'
import type { BulkBody, BulkOutcome, ItemProblem } from './bulk-body.ts'
import { bulkRule } from './bulk-errors.ts'
import type { BulkRule } from './bulk-errors.ts'
import type { Cluster } from './cluster.ts'
import {
  addressByItem,
  addressOf,
  requireSameIndex,
  type PlaceByItem,
  type WritePlace,
} from './write-place.ts'

/** Told before each wait, so that nothing stalls silently. */
export interface BulkWait {
  /** What the target, or the connection to it, said. */
  readonly what: string
  /** How long this body has been waiting without any progress. */
  readonly sinceMs: number
  /** 1 for the first wait since there was progress. */
  readonly attempt: number
  readonly waitMs: number
  /** The status of the answer or item; 0 where there was no answer. */
  readonly status: number
}

export type BulkDelivery = (WritePlace | PlaceByItem) & {
  readonly body: BulkBody
  /** Sends bodies compressed; costs about 13 ms of CPU per MB. Default false. */
  readonly gzip?: boolean | undefined
  /** Longest time without any progress; then MA_CLUSTER_UNREACHABLE. */
  readonly waitMaxMs: number
  readonly requestTimeoutMs?: number | undefined
  readonly signal: AbortSignal
  readonly onWait?: ((wait: BulkWait) => void) | undefined
  readonly clock?: Clock
}

/** An error that nobody knows holds an item up this long; if others go through, it then becomes a dead letter. */
const doubtMaxMs = 2 * 60_000
const backoffBaseMs = 250
const backoffMaxMs = 30_000
/** A request that failed this often is halved, and again: perhaps it is too large for the target or on the way. */
const attemptsBeforeHalving = 3

/** Items still to be sent together; undefined: the whole body. */
interface Part {
  readonly items: readonly number[] | undefined
  readonly attempt: number
}

/**
 * Sends a bulk body until each of its items is settled: written, in conflict with what is there, or refused. Only
 * what is unsettled is sent again. That is harmless also where an answer was lost, since each item carries its version,
 * inserts where there is nothing, or names the very change that it replaces.
 *
 * Errors: MA_CLUSTER_AUTH, MA_TARGET_INDEX for what a person must mend first; MA_CLUSTER_RESPONSE for an answer that
 * cannot be used; MA_CLUSTER_UNREACHABLE (retryable) after `waitMaxMs` without progress; MA_STOPPED by the signal.
 * After an error some items may have been written.
 */
export async function deliverBulk(cluster: Cluster, delivery: BulkDelivery): Promise<BulkOutcome> {
  const run = new Run(cluster, delivery)
  // Depth first, so that halving a part leaves few others behind.
  const parts: Part[] = [{ items: undefined, attempt: 1 }]
  while (parts.length > 0) parts.push(...(await run.send(parts.pop()!)))
  const outcome = run.outcome()
  if (delivery.stream) await requireSameIndex(cluster, delivery.stream, delivery.signal)
  return outcome
}

class Run {
  readonly #cluster: Cluster
  readonly #delivery: BulkDelivery
  readonly #clock: Clock
  readonly #where: string
  readonly #address: ReturnType<typeof addressOf> | typeof addressByItem
  readonly #conflicts: ItemProblem[] = []
  readonly #refused: ItemProblem[] = []
  /** Items that failed for an unknown reason for too long. */
  readonly #suspects: ItemProblem[] = []
  readonly #held: ItemProblem[] = []
  #written = 0
  #bytesSent = 0
  #requests = 0
  #waits = 0
  #tooLarge = false
  /** When the present wait began; undefined while there is progress. */
  #waitingSince: number | undefined

  constructor(cluster: Cluster, delivery: BulkDelivery) {
    this.#cluster = cluster
    this.#delivery = delivery
    this.#clock = delivery.clock ?? systemClock
    const kind = delivery.stream ? 'index' : 'alias'
    this.#address = 'byItem' in delivery ? addressByItem : addressOf(delivery)
    const { name } = this.#address
    this.#where = `${cluster.side} ${cluster.url}${name === undefined ? '' : `, ${kind} ${name}`}`
  }

  /** Once nothing is left to send. */
  outcome(): BulkOutcome {
    this.#judgeSuspects()
    return {
      written: this.#written,
      conflicts: this.#conflicts,
      refused: this.#refused,
      held: this.#held,
      bytesSent: this.#bytesSent,
      requests: this.#requests,
      waits: this.#waits,
      tooLarge: this.#tooLarge,
    }
  }

  // Where others went through, the items are to blame; where nothing did, the target is.
  #judgeSuspects(): void {
    const { count } = this.#delivery.body
    const first = this.#suspects[0]
    if (first === undefined) return
    if (this.#suspects.length === count && count > 1) {
      throw this.#patienceEnded({ action: 'doubt' }, first, this.#waitedMs())
    }
    this.#refused.push(...this.#suspects)
  }

  /** Sends a part once, settles what can be settled, waits where it must, and gives what is to be sent next. */
  async send(part: Part): Promise<Part[]> {
    const answer = await this.#post(part)
    if (answer.error !== undefined) {
      return this.#requestFailed(part, answer.error, answer.retryAfterMs)
    }
    const count = countOf(part, this.#delivery.body)
    const problems = readBulkAnswer(this.#where, answer.bytes, count)
    this.#written += count - problems.length
    if (problems.length === 0) {
      this.#waitingSince = undefined
      return []
    }
    return this.#settle(part, problems)
  }

  async #post(part: Part): Promise<BulkReply> {
    const { body, signal, requestTimeoutMs } = this.#delivery
    const { name, query } = this.#address
    const bytes = bytesOf(part, body)
    const sent = this.#delivery.gzip === true ? await compressed(bytes) : bytes
    this.#requests++
    this.#bytesSent += sent.length
    try {
      const path = name === undefined ? '/_bulk' : `/${encodeURIComponent(name)}/_bulk`
      const answer = await this.#cluster.requestRaw('POST', path, {
        query: { ...query, filter_path: bulkFilterPath },
        body: sent,
        accept: 'any',
        attemptsMax: 1,
        signal,
        ...(this.#delivery.gzip === true && { headers: { 'content-encoding': 'gzip' } }),
        ...(requestTimeoutMs !== undefined && { timeoutMs: requestTimeoutMs }),
      })
      if (answer.status === 200) return { bytes: answer.body, error: undefined }
      return {
        error: engineErrorOf(answer.status, answer.body),
        retryAfterMs: retryAfterMs(answer.headers['retry-after']),
      }
    } catch (error) {
      return { error: connectionFailure(error), retryAfterMs: undefined }
    }
  }

  /** The request was not carried out as a whole. */
  async #requestFailed(
    part: Part,
    error: EngineError,
    retryAfter: number | undefined,
  ): Promise<Part[]> {
    const items = itemsOf(part, this.#delivery.body)
    const rule = bulkRule('request', error)
    if (error.status === 413) this.#tooLarge = true
    switch (rule.action) {
      case 'stop':
        throw this.#stopped(rule, error)
      case 'conflict':
      case 'refuse':
        if (items.length > 1) return halves(items, 1)
        this.#refuse({
          item: items[0]!,
          ...singleRefusal(error, bytesOf(part, this.#delivery.body)),
        })
        return []
      case 'wait':
      case 'doubt': {
        if (rule.action === 'doubt' && items.length === 1 && this.#doubtIsOver()) {
          this.#suspects.push({ item: items[0]!, ...error })
          return []
        }
        await this.#wait(part.attempt, rule, error, retryAfter)
        const halve = rule.mayBeTooLarge === true && part.attempt % attemptsBeforeHalving === 0
        if (halve && items.length > 1) return halves(items, part.attempt + 1)
        return [{ ...part, attempt: part.attempt + 1 }]
      }
    }
  }

  /** The request was carried out, but not for all items. */
  async #settle(part: Part, problems: readonly ItemProblem[]): Promise<Part[]> {
    const items = itemsOf(part, this.#delivery.body)
    const waiting: { problem: ItemProblem; rule: BulkRule }[] = []
    for (const found of problems) {
      const problem = { ...found, item: items[found.item]! }
      const rule = bulkRule('item', problem)
      if (this.#isOfItsIndex(rule)) {
        this.#held.push(problem)
        continue
      }
      switch (rule.action) {
        case 'stop':
          throw this.#stopped(rule, problem)
        case 'conflict':
          this.#conflicts.push(problem)
          break
        case 'refuse':
          this.#refused.push(problem)
          break
        case 'doubt':
          if (this.#doubtIsOver()) this.#suspects.push(problem)
          else waiting.push({ problem, rule })
          break
        case 'wait':
          waiting.push({ problem, rule })
          break
      }
    }
    const progress = waiting.length < items.length
    if (progress) this.#waitingSince = undefined
    if (waiting.length === 0) return []
    const attempt = progress ? 1 : part.attempt
    await this.#wait(attempt, waiting[0]!.rule, waiting[0]!.problem, undefined)
    return [{ items: waiting.map(({ problem }) => problem.item), attempt: attempt + 1 }]
  }

  /** One index shall not keep those of others from being settled. */
  #isOfItsIndex({ action, code, isOfIndex }: BulkRule): boolean {
    if (!('byItem' in this.#delivery)) return false
    return action === 'stop' ? code === 'MA_TARGET_INDEX' : isOfIndex === true
  }

  #refuse(problem: ItemProblem): void {
    this.#waitingSince = undefined
    this.#refused.push(problem)
  }

  #waitedMs(): number {
    return this.#waitingSince === undefined ? 0 : this.#clock.now() - this.#waitingSince
  }

  #doubtIsOver(): boolean {
    return this.#waitedMs() >= Math.min(doubtMaxMs, this.#delivery.waitMaxMs)
  }

  async #wait(
    attempt: number,
    rule: BulkRule,
    error: EngineError,
    retryAfter: number | undefined,
  ): Promise<void> {
    const { waitMaxMs, signal, onWait } = this.#delivery
    this.#waitingSince ??= this.#clock.now()
    const sinceMs = this.#waitedMs()
    if (sinceMs >= waitMaxMs) throw this.#patienceEnded(rule, error, sinceMs)
    const backoff = backoffMs(
      { attempt, baseMs: backoffBaseMs, maxMs: backoffMaxMs, retryAfterMs: retryAfter },
      () => this.#clock.random(),
    )
    const waitMs = Math.min(backoff, waitMaxMs - sinceMs)
    this.#waits++
    onWait?.({ what: said(error), sinceMs, attempt, waitMs, status: error.status })
    try {
      await this.#clock.sleep(waitMs, signal)
    } catch (failure) {
      if (signal.aborted) throw stoppedError(`waiting for ${this.#where}`, signal)
      throw failure
    }
  }

  #stopped(rule: BulkRule, error: EngineError): MigrationError {
    const code = rule.code ?? 'MA_CLUSTER_RESPONSE'
    const permission = missingPermission(error.reason)
    const advice =
      code === 'MA_CLUSTER_AUTH'
        ? permission === undefined
          ? `check ${this.#cluster.side}.auth`
          : `have the permission ${permission} granted to the user of ${this.#cluster.side}.auth`
        : code === 'MA_TARGET_INDEX'
          ? 'the index there is not as the migration made it; nothing is created in its place'
          : 'is a proxy between, or is the address wrong?'
    return new MigrationError(code, `${this.#where}: ${said(error)}; ${advice}`, {
      details: { ...detailsOf(error), ...(permission !== undefined && { permission }) },
    })
  }

  #patienceEnded(rule: BulkRule, error: EngineError, sinceMs: number): MigrationError {
    const seconds = Math.round(sinceMs / 1000)
    return new MigrationError(
      rule.code ?? 'MA_CLUSTER_UNREACHABLE',
      `${this.#where}: no progress for ${seconds} s: ${said(error)}`,
      { details: { ...detailsOf(error), waitedMs: sinceMs }, retryable: true },
    )
  }
}

type BulkReply =
  | { readonly error: undefined; readonly bytes: Buffer }
  | { readonly error: EngineError; readonly retryAfterMs: number | undefined }

/** A failed connection as an error of the table, `unreachable_cut` and the like; anything else is thrown on. */
function connectionFailure(error: unknown): EngineError {
  const passes =
    error instanceof MigrationError && error.code === 'MA_CLUSTER_UNREACHABLE' && error.retryable
  if (!passes) throw error
  return {
    status: 0,
    type: `unreachable_${String(error.details['kind'])}`,
    reason: error.message,
  }
}

function said(error: EngineError): string {
  if (error.status === 0) return error.reason
  return `${error.status} ${error.type}${error.reason === '' ? '' : `: ${error.reason}`}`
}

function detailsOf(error: EngineError): Record<string, unknown> {
  return { status: error.status, type: error.type, reason: error.reason }
}

// 413 comes without a word from the engines and in HTML from proxies.
function singleRefusal(error: EngineError, bytes: Buffer): EngineError {
  if (error.status !== 413) return error
  return {
    status: 413,
    type: 'request_entity_too_large',
    reason: `the document alone makes a request of ${bytes.length} bytes, more than the target takes (http.max_content_length)`,
  }
}

function countOf(part: Part, body: BulkBody): number {
  return part.items?.length ?? body.count
}

function itemsOf(part: Part, body: BulkBody): readonly number[] {
  return part.items ?? Array.from({ length: body.count }, (_, item) => item)
}

/** The whole body goes as it is, uncopied; only parts of it are put together anew. */
function bytesOf(part: Part, body: BulkBody): Buffer {
  const { bytes, itemStart, count } = body
  if (part.items === undefined) return bytes.subarray(itemStart[0], itemStart[count])
  return Buffer.concat(
    part.items.map((item) => bytes.subarray(itemStart[item], itemStart[item + 1])),
  )
}

/** The first half last, since the last part is sent next. */
function halves(items: readonly number[], attempt: number): Part[] {
  const middle = items.length >> 1
  return [
    { items: items.slice(middle), attempt: 1 },
    { items: items.slice(0, middle), attempt },
  ]
}

const gzipAsync = promisify(gzip)

function compressed(bytes: Buffer): Promise<Buffer> {
  return gzipAsync(bytes, { level: constants.Z_BEST_SPEED })
}
