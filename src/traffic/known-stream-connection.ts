import { parseRequest } from './api/parse-request.ts'
import type { CapturedRequest, CapturedResponse, CaptureGap, CaptureRecord } from './exchange.ts'
import { holdsLogin, keepsBodies } from './kept-bodies.ts'
import { keptRequestHeaders, keptResponseHeaders, keptTarget } from './kept-heads.ts'
import type { Observation, TrafficStream } from './known-stream-layout.ts'
import { readMessage, type WholeMessage } from './whole-message.ts'

/** Requests that a client has sent in one piece, one behind the other. */
const pipelinedMax = 1024
/** An answer that is not whole yet is looked at again when it is twice as long. */
const firstLookBytes = 1

interface Waiting {
  readonly number: number
  /** Where the chunk lies that the request began in. */
  readonly since: number
  readonly method: string
  /** Bodies of some APIs may hold secrets. */
  readonly keepsBody: boolean
}

/** Bytes of one direction that belong to messages which are not whole yet. */
class Pending {
  #pieces: Buffer[] = []
  bytes = 0
  since = 0
  firstAt = 0
  lastAt = 0

  add(data: Buffer, { at, since }: { at: number; since: number }): void {
    if (this.bytes === 0) Object.assign(this, { firstAt: at, since })
    this.lastAt = at
    this.#pieces.push(data)
    this.bytes += data.length
  }

  joined(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0] ?? Buffer.alloc(0)
  }

  /** Goes on with what lies behind `end`. */
  drop(end = this.bytes): void {
    const rest = this.joined().subarray(end)
    this.#pieces = rest.length === 0 ? [] : [Buffer.from(rest)]
    this.bytes = rest.length
    this.firstAt = this.lastAt
  }
}

/**
 * Makes exchanges of what passed over one connection. A request ends where the known tool says so, an answer where its own
 * framing does, or with the next request, or with the connection.
 *
 * The name of the proxy is that of its node and connection; the number of an exchange counts the ends of requests, as the
 * tool does in each chunk: both are the same wherever reading begins.
 */
export class KnownConnection {
  readonly #proxy: string
  readonly #request = new Pending()
  readonly #response = new Pending()
  #waiting: Waiting[] = []
  #found: CaptureRecord[] = []
  /** Of the last chunk. */
  #chunk = 0
  /** Ends of requests so far. */
  #ended = 0
  /** What is read belongs to a request that began before. */
  #isWithin = false
  #lookAt = firstLookBytes
  #place = 0
  lastAt = 0

  constructor({ nodeId, connectionId }: TrafficStream) {
    this.#proxy = `${nodeId}.${connectionId}`
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#request.bytes + this.#response.bytes
  }

  /** Where the oldest chunk lies that is still needed, as something in it is not whole yet. */
  get openSince(): number | undefined {
    if (this.#waiting[0] !== undefined) return this.#waiting[0].since
    return this.#request.bytes > 0 ? this.#request.since : undefined
  }

  /**
   * The records that end with this chunk, which lies at `place`. A chunk that came before is passed over; one that is
   * missing is a gap.
   */
  accept(stream: TrafficStream, place: number): CaptureRecord[] {
    const { number, observations } = stream
    this.#place = place
    const isFirst = this.#chunk === 0
    if (!isFirst && number <= this.#chunk) return []
    const isMissing = !isFirst && number > this.#chunk + 1
    if (isMissing) this.#lose(number, observations[0]?.at ?? this.lastAt)
    if (isFirst || isMissing) {
      this.#isWithin = stream.beginsInRequest
      this.#ended = stream.requestsBefore ?? this.#ended
    }
    this.#chunk = number
    for (const observation of observations) this.#observe(observation)
    if (stream.isLast) this.#close()
    return this.#taken()
  }

  /** Nothing more is to come. */
  end(): CaptureRecord[] {
    this.#close()
    return this.#taken()
  }

  #taken(): CaptureRecord[] {
    const found = this.#found
    this.#found = []
    return found
  }

  #observe(observation: Observation): void {
    this.lastAt = observation.at
    switch (observation.kind) {
      case 'read':
        this.#endResponses({ isEnd: this.#response.bytes > 0 })
        if (!this.#isWithin) this.#addRequest(observation)
        break
      case 'write':
        if (this.#waiting.length > 0) this.#addResponse(observation.data, observation.at)
        break
      case 'requestEnd':
        this.#endRequest()
        break
      case 'dropped':
        this.#leaveOut('the known tool was told to leave the request out', observation.at)
        break
      case 'closed':
        this.#close()
    }
  }

  #addRequest({ data, at }: { data: Buffer; at: number }): void {
    this.#request.add(data, { at, since: this.#place })
  }

  #endRequest(): void {
    const number = this.#ended++ * pipelinedMax
    if (this.#isWithin) {
      this.#isWithin = false
      return
    }
    const bytes = this.#request.joined()
    let position = 0
    for (let index = 0; position < bytes.length && index < pipelinedMax; index++) {
      const message = readMessage(bytes, position)
      if (typeof message === 'string') {
        this.#leaveOut(`a request of the known tool is ${message}`, this.#request.lastAt)
        return
      }
      this.#pushRequest(message, number + index)
      position = message.end
    }
    this.#request.drop()
  }

  #pushRequest({ line, headers, body }: WholeMessage, number: number): void {
    const [method, target] = line
    const parsed = parseRequest(method, target)
    const isRead = parsed.effect === 'read' || parsed.effect === 'cursor'
    const keepsBody = (isRead || keepsBodies(parsed)) && !holdsLogin(parsed, body)
    const { firstAt, lastAt, since } = this.#request
    const request: CapturedRequest = {
      kind: 'request',
      exchange: { proxy: this.#proxy, number },
      connection: 1,
      method,
      target: keptTarget(target),
      headers: keptRequestHeaders(headers),
      body: keepsBody ? Buffer.from(body) : Buffer.alloc(0),
      bodyBytes: body.length,
      firstByteAt: firstAt,
      lastByteAt: lastAt,
      mayWrite: parsed.mayWrite,
    }
    this.#found.push(request)
    this.#waiting.push({ number, since, method, keepsBody })
  }

  #addResponse(data: Buffer, at: number): void {
    this.#response.add(data, { at, since: this.#place })
    const isLastChunk = data.subarray(-5).equals(lastChunk)
    if (isLastChunk || this.#response.bytes >= this.#lookAt) this.#endResponses({ isEnd: false })
  }

  /** The answers that are whole; with `isEnd` no more bytes of them come. */
  #endResponses({ isEnd }: { isEnd: boolean }): void {
    for (;;) {
      const waiting = this.#waiting[0]
      if (waiting === undefined || this.#response.bytes === 0) return
      const message = readMessage(this.#response.joined(), 0, waiting)
      if (typeof message === 'string' || (message.untilClose && !isEnd)) {
        this.#lookAt = 2 * this.#response.bytes
        if (!isEnd && message !== 'malformed') return
        this.#pushResponse(waiting, undefined)
        this.#response.drop()
        continue
      }
      const isInterim = /^1\d\d$/.test(message.line[1])
      if (!isInterim) this.#pushResponse(waiting, message)
      this.#response.drop(message.end)
      this.#lookAt = firstLookBytes
    }
  }

  #pushResponse({ number, keepsBody }: Waiting, message: WholeMessage | undefined): void {
    const body = message?.body ?? Buffer.alloc(0)
    const { firstAt, lastAt } = this.#response
    const response: CapturedResponse = {
      kind: 'response',
      exchange: { proxy: this.#proxy, number },
      status: statusOf(message),
      headers: message === undefined ? [] : keptResponseHeaders(message.headers),
      body: keepsBody ? Buffer.from(body) : Buffer.alloc(0),
      bodyBytes: body.length,
      firstByteAt: message === undefined ? 0 : firstAt,
      lastByteAt: message === undefined ? 0 : lastAt,
    }
    this.#found.push(response)
    this.#waiting.shift()
  }

  #leaveOut(cause: string, until: number): void {
    const from = this.#request.bytes > 0 ? this.#request.firstAt : until
    this.#request.drop()
    this.#found.push(this.#gap({ from, until, cause }))
  }

  #lose(number: number, until: number): void {
    const from = this.lastAt
    this.#close()
    const cause = `chunks ${this.#chunk + 1} to ${number - 1} of a connection of the known tool are missing`
    this.#found.push(this.#gap({ from, until, cause }))
  }

  #gap(of: { from: number; until: number; cause: string }): CaptureGap {
    return { kind: 'gap', proxy: this.#proxy, requests: 1, ...of }
  }

  /** What was not answered may have been carried out; of what the client did not send to its end, a bulk in part. */
  #close(): void {
    this.#endResponses({ isEnd: true })
    while (this.#waiting[0] !== undefined) this.#pushResponse(this.#waiting[0], undefined)
    const [method = '', target = ''] = this.#request
      .joined()
      .toString('latin1')
      .split(/ |\r\n/, 2)
    if (parseRequest(method, target).api === 'bulk') {
      this.#leaveOut('a bulk of the known tool broke off', this.lastAt)
    }
    this.#request.drop()
    this.#response.drop()
  }
}

const lastChunk = Buffer.from('0\r\n\r\n')

function statusOf(message: WholeMessage | undefined): number {
  const status = message?.line[1] ?? ''
  return /^[2-5]\d\d$/.test(status) ? Number(status) : 0
}
