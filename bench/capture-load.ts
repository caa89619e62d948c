/**
 * Sends PUTs of 1 KB over keep-alive connections and tells how long each took: one after the other, or at a given rate, the
 * time then counted from when the request was due.
 */
import net from 'node:net'

export interface LoadRequest {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Requests per second; 0: as many as can be. */
  readonly rate: number
}

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
const request = Buffer.from(
  'PUT /bench/_doc/1 HTTP/1.1\r\nHost: localhost:9200\r\nAccept: application/json\r\n' +
    'Content-Type: application/json\r\nUser-Agent: bench\r\n' +
    `Content-Length: ${document.length}\r\n\r\n${document}`,
)

class Client {
  readonly #socket: net.Socket
  #answerBytes = 0
  #left = 0
  #text = ''
  #dueAt = 0
  isBusy = false

  constructor(
    port: number,
    onAnswer: (client: Client, ms: number) => void,
    onError: (what: string) => void,
  ) {
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
      if (this.#left < 0)
        return onError(`another answer: ${bytes.toString('latin1').slice(0, 200)}`)
      this.isBusy = false
      onAnswer(this, performance.now() - this.#dueAt)
    })
  }

  send(dueAt = performance.now()): void {
    this.isBusy = true
    this.#dueAt = dueAt
    this.#left = this.#answerBytes
    this.#socket.write(request)
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** Of the whole answer, 0 while its head is not all there. All answers of a server are of one length. */
function lengthOf(text: string): number {
  const end = text.indexOf('\r\n\r\n')
  const length = /content-length: *(\d+)/i.exec(text)?.[1]
  return end === -1 ? 0 : end + 4 + Number(length ?? 0)
}

async function run({ port, connections, seconds, rate }: LoadRequest): Promise<LoadFound> {
  const times: number[] = []
  const failures: string[] = []
  const due: number[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const idle: Client[] = []
  let isOver = false
  let onLast = (): void => {}
  const startedAt = performance.now()
  const onAnswer = (client: Client, ms: number): void => {
    if (isOver) return onLast()
    times.push(ms)
    if (rate === 0) client.send()
    else if (due.length > 0) client.send(due.shift())
    else idle.push(client)
  }
  const clients = Array.from(
    { length: connections },
    () => new Client(port, onAnswer, (what) => failures.push(what)),
  )
  if (rate === 0) for (const client of clients) client.send()
  else {
    idle.push(...clients)
    let planned = 0
    const pace = (): void => {
      if (isOver) return
      const now = performance.now()
      while (planned * (1000 / rate) <= now - startedAt) {
        const dueAt = startedAt + planned++ * (1000 / rate)
        const client = idle.pop()
        if (client === undefined) due.push(dueAt)
        else client.send(dueAt)
      }
      setTimeout(pace, 1)
    }
    pace()
  }
  setTimeout(() => {
    isOver = true
    resolve()
  }, seconds * 1000)
  await promise
  const took = (performance.now() - startedAt) / 1000
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

process.on('message', (message: LoadRequest) => {
  void run(message).then((found) => process.send!(found))
})
process.on('disconnect', () => process.exit())
