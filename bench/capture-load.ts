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
  readonly requests: number
  readonly errors: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

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

  constructor(port: number, onAnswer: (client: Client, ms: number) => void, onError: () => void) {
    this.#socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('error', onError)
    this.#socket.on('data', (bytes: Buffer) => {
      if (this.#answerBytes === 0) {
        this.#text += bytes.toString('latin1')
        this.#answerBytes = lengthOf(this.#text)
        if (this.#answerBytes === 0) return
        this.#left = this.#answerBytes - this.#text.length
      } else this.#left -= bytes.length
      if (this.#left > 0) return
      if (this.#left < 0) return onError()
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
  let errors = 0
  const due: number[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const idle: Client[] = []
  let isOver = false
  const startedAt = performance.now()
  const onAnswer = (client: Client, ms: number): void => {
    times.push(ms)
    if (isOver) return
    if (rate === 0) client.send()
    else if (due.length > 0) client.send(due.shift())
    else idle.push(client)
  }
  const clients = Array.from(
    { length: connections },
    () => new Client(port, onAnswer, () => errors++),
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
  for (const client of clients) client.close()
  const sorted = Float64Array.from(times).sort()
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  return { requests: times.length, errors, seconds: took, p50Ms: at(0.5), p99Ms: at(0.99) }
}

process.on('message', (message: LoadRequest) => {
  void run(message).then((found) => process.send!(found))
})
process.on('disconnect', () => process.exit())
