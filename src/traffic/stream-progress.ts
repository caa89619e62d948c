import type { LogPosition } from './capture-log.ts'
import type { CaptureGap, CaptureMark, CaptureRecord } from './exchange.ts'
import { ExchangeJoiner, type LoggedExchange } from './exchanges.ts'
import { recordTime } from './record-time.ts'
import { keyOf } from './select-window.ts'

/** What one or two records of a stream come to, to be done and then settled. */
export interface LogWork {
  readonly what: LoggedExchange | CaptureGap | CaptureMark
  readonly stream: string
  /** Position of its first record. */
  readonly offset: number
  /** To be called once: all that it changed is on the target, or handed on by name. */
  readonly settle: () => void
}

const openMax = 50_000
const openBodyBytesMax = 32 * 1024 * 1024

interface Ticket {
  readonly offset: number
  /** Epoch microseconds. */
  readonly at: number
  /** False for a request whose answer has not come: the source may be at work on it for hours. */
  isComplete: boolean
  isSettled: boolean
}

/**
 * How far a stream of the capture log is read, and how far it is done with: up to the first request whose answer has not
 * come or whose changes are not settled. From there it is read again after a kill.
 */
export class StreamProgress {
  readonly stream: string
  readonly #joiner = new ExchangeJoiner(openMax, openBodyBytesMax)
  /** Of requests that wait for their answers. */
  readonly #open = new Map<string, Ticket>()
  /** In the order of the log; those before `#head` are settled. */
  #tickets: Ticket[] = []
  #head = 0
  #unsettled = 0
  #readTo: number
  #readAt = 0

  constructor({ stream, offset }: LogPosition) {
    this.stream = stream
    this.#readTo = offset
  }

  /** Takes the next record and gives what is complete with it. */
  add(record: CaptureRecord, next: number): LogWork[] {
    const offset = this.#readTo
    this.#readTo = next
    this.#readAt = Math.max(this.#readAt, recordTime(record))
    if (record.kind === 'request')
      this.#open.set(keyOf(record.exchange), this.#ticket(offset, record))
    const ended = endedBy(record)
    const rest = ended === undefined ? [] : this.#joiner.rest(ended)
    const complete = this.#joiner.add(record)
    return [...rest, ...complete].map((what) => this.#workOf(what, { offset, record }))
  }

  /** There is no record up to here. */
  skip(offset: number): void {
    this.#readTo = Math.max(this.#readTo, offset)
  }

  /** Everything before this position is done with. */
  get settledTo(): number {
    this.#dropSettled()
    return this.#tickets[this.#head]?.offset ?? this.#readTo
  }

  /** Positions behind `settledTo` of what is settled nevertheless, the first so many. */
  settledBeyond(countMax: number): number[] {
    this.#dropSettled()
    const offsets: number[] = []
    for (let at = this.#head; at < this.#tickets.length && offsets.length < countMax; at++) {
      const { isSettled, offset } = this.#tickets[at]!
      if (isSettled) offsets.push(offset)
    }
    return offsets
  }

  get readTo(): number {
    return this.#readTo
  }

  /** Epoch microseconds of the newest record that was read; 0: none yet. */
  get readAt(): number {
    return this.#readAt
  }

  /** Epoch microseconds of the oldest exchange that is complete and not settled; undefined: all are. */
  get oldestAt(): number | undefined {
    this.#dropSettled()
    for (let at = this.#head; at < this.#tickets.length; at++) {
      const ticket = this.#tickets[at]!
      if (ticket.isComplete && !ticket.isSettled) return ticket.at
    }
    return undefined
  }

  /** Exchanges that are complete and not settled. */
  get unsettled(): number {
    return this.#unsettled - this.#open.size
  }

  /** Requests whose answers are not in the log yet. */
  get unanswered(): number {
    return this.#open.size
  }

  #ticket(offset: number, record: CaptureRecord): Ticket {
    const ticket = { offset, at: recordTime(record), isComplete: false, isSettled: false }
    this.#tickets.push(ticket)
    this.#unsettled++
    return ticket
  }

  #workOf(what: LogWork['what'], own: { offset: number; record: CaptureRecord }): LogWork {
    const ticket = this.#takeOpen(what) ?? this.#ticket(own.offset, own.record)
    ticket.isComplete = true
    return {
      ...{ what, stream: this.stream, offset: ticket.offset },
      settle: () => {
        if (ticket.isSettled) return
        ticket.isSettled = true
        this.#unsettled--
      },
    }
  }

  #takeOpen(what: LogWork['what']): Ticket | undefined {
    if (what.kind !== 'exchange' || what.request === undefined) return undefined
    const key = keyOf(what.request.exchange)
    const ticket = this.#open.get(key)
    this.#open.delete(key)
    return ticket
  }

  #dropSettled(): void {
    while (this.#tickets[this.#head]?.isSettled === true) this.#head++
    if (this.#head < 1024 || this.#head * 2 < this.#tickets.length) return
    this.#tickets = this.#tickets.slice(this.#head)
    this.#head = 0
  }
}

/** The proxy that has ended, or begun anew, with this record: what it had not answered it never will. */
function endedBy(record: CaptureRecord): string | undefined {
  return record.kind === 'started' || record.kind === 'stopped' ? record.proxy : undefined
}
