/**
 * Sends PUTs of 1 KB over keep-alive connections and tells how long each took: one after the other, or at a given rate, the
 * time then counted from when the request was due.
 */
import net from 'node:net'
import path from 'node:path'
import { Worker } from 'node:worker_threads'

export interface LoadRequest {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Requests per second; 0: as many as can be. */
  readonly rate: number
  /** Default `put`: the same document each time. The others make documents, 1 and 100 of them, of a real engine. */
  readonly kind?: 'put' | 'post' | 'bulk'
}

/** At a given rate, the first requests are sent while the thread that sends them comes to life: they are not counted. */
const settleMs = 1000

export interface LoadFound {
  /** Answered in the time of the run. */
  readonly requests: number
  /** Requests without an answer, connections that broke, and answers that are none. */
  readonly errors: number
  /** The first of them. */
  readonly failure?: string
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** A disk that stands still for a moment loses no request. */
const lastAnswersMs = 10_000

const document = JSON.stringify({ message: 'x'.repeat(1000), level: 'info' })
const requests = {
  put: requestOf('PUT /bench/_doc/1', document),
  post: requestOf('POST /bench/_doc', document),
  bulk: requestOf('POST /bench/_bulk', `{"index":{}}\n${document}\n`.repeat(100)),
}

function requestOf(line: string, body: string): Buffer {
  return Buffer.from(
    `${line} HTTP/1.1\r\nHost: localhost:9200\r\nAccept: application/json\r\n` +
      'Content-Type: application/json\r\nUser-Agent: bench\r\n' +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  )
}

class Client {
  readonly #socket: net.Socket
  readonly #request: Buffer
  /** Answers of a real engine are not all of one length. */
  readonly #isReal: boolean
  #answerBytes = 0
  #left = 0
  #text = ''
  #dueAt = 0
  isBusy = false

  constructor(
    { port, kind = 'put' }: LoadRequest,
    onAnswer: (client: Client, ms: number, dueAt: number) => void,
    onError: (what: string) => void,
  ) {
    this.#request = requests[kind]
    this.#isReal = kind !== 'put'
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('error', (error) => onError(error.message))
    this.#socket.on('data', (bytes: Buffer) => {
      if (this.#answerBytes === 0) {
        this.#text += bytes.toString('latin1')
        this.#answerBytes = lengthOf(this.#text)
        if (this.#answerBytes === 0) return
        this.#left = this.#answerBytes - this.#text.length
      } else this.#left -= bytes.length
      if (this.#left > 0) return
      if (this.#left < 0 || (this.#isReal && !/^HTTP\/1.1 20/.test(this.#text)))
        return onError(`another answer: ${oneLine(this.#text || bytes.toString('latin1'))}`)
      if (this.#isReal) this.#forget()
      this.isBusy = false
      onAnswer(this, performance.now() - this.#dueAt, this.#dueAt)
    })
  }

  send(dueAt = performance.now()): void {
    this.isBusy = true
    this.#dueAt = dueAt
    this.#left = this.#answerBytes
    this.#socket.write(this.#request)
  }

  #forget(): void {
    this.#answerBytes = 0
    this.#text = ''
  }

  close(): void {
    this.#socket.destroy()
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[\s|]+/g, ' ').slice(0, 200)
}

/** Of the whole answer, 0 while its head is not all there. All answers of a server are of one length. */
function lengthOf(text: string): number {
  const end = text.indexOf('\r\n\r\n')
  const length = /content-length: *(\d+)/i.exec(text)?.[1]
  return end === -1 ? 0 : end + 4 + Number(length ?? 0)
}

async function run(request: LoadRequest): Promise<LoadFound> {
  const { connections, seconds, rate } = request
  const times: number[] = []
  const failures: string[] = []
  const due: number[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const idle: Client[] = []
  let isOver = false
  let onLast = (): void => {}
  let stopTicks = (): void => {}
  let startedAt = performance.now()
  const settlingMs = rate === 0 ? 0 : settleMs
  const onAnswer = (client: Client, ms: number, dueAt: number): void => {
    if (isOver) return onLast()
    if (dueAt >= startedAt + settlingMs) times.push(ms)
    if (rate === 0) client.send()
    else if (due.length > 0) client.send(due.shift())
    else idle.push(client)
  }
  const clients = Array.from(
    { length: connections },
    () => new Client(request, onAnswer, (what) => failures.push(what)),
  )
  if (rate === 0) for (const client of clients) client.send()
  else {
    idle.push(...clients)
    let planned = 0
    stopTicks = onTicks(() => {
      const now = performance.now()
      if (planned === 0) startedAt = now
      while (!isOver && planned * (1000 / rate) <= now - startedAt) {
        const dueAt = startedAt + planned++ * (1000 / rate)
        const client = idle.pop()
        if (client === undefined) due.push(dueAt)
        else client.send(dueAt)
      }
    })
  }
  setTimeout(
    () => {
      isOver = true
      stopTicks()
      resolve()
    },
    seconds * 1000 + settlingMs,
  )
  await promise
  const took = (performance.now() - startedAt - settlingMs) / 1000
  const isAnswered = (): boolean => !clients.some(({ isBusy }) => isBusy)
  if (!isAnswered()) {
    await new Promise<void>((done) => {
      setTimeout(done, lastAnswersMs).unref()
      onLast = () => {
        if (isAnswered()) done()
      }
    })
  }
  for (const { isBusy } of clients) {
    if (isBusy) failures.push(`no answer ${lastAnswersMs / 1000} s after the end of the run`)
  }
  for (const client of clients) client.close()
  const sorted = Float64Array.from(times).sort()
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  return {
    requests: times.length,
    errors: failures.length,
    ...(failures[0] !== undefined && { failure: failures[0] }),
    seconds: took,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
}

/** What is due within a millisecond would come at once by a timer of this thread, and wait for itself. */
function onTicks(tick: () => void): () => void {
  const shared = new Int32Array(new SharedArrayBuffer(8))
  const ticks = new Worker(path.join(import.meta.dirname, 'capture-ticks.ts'), {
    workerData: shared,
  })
  ticks.on('message', () => {
    Atomics.store(shared, 0, 0)
    tick()
  })
  return () => {
    Atomics.store(shared, 1, 1)
    Atomics.notify(shared, 1)
  }
}

process.on('message', (message: LoadRequest) => {
  void run(message).then((found) => process.send!(found))
})
process.on('disconnect', () => process.exit())
