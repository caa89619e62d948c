/** Bytes of a client's connection, cut into requests: by our framing, and by the parser of Node.js (llhttp). */
import http from 'node:http'
import { duplexPair } from 'node:stream'
import { BadMessage } from '../../src/capture/wire/bad-message.ts'
import { BodyFraming } from '../../src/capture/wire/body-framing.ts'
import { HeadCollector } from '../../src/capture/wire/head-collector.ts'
import { AnswerHeadBytes, RequestHeadBytes } from '../../src/capture/wire/heads.ts'

export interface Message {
  /** Method and target, or the status. */
  readonly line: string
  readonly headers: readonly string[]
  readonly body: string
}

export interface Messages {
  readonly messages: readonly Message[]
  /** Why the connection is lost; undefined while more could come. */
  readonly error: string | undefined
  /** A head was whole, its body is not. */
  readonly isWithinBody: boolean
  /** Where each message ends in the bytes. */
  readonly ends: readonly number[]
}

export const headBytesMax = 64 * 1024

/** Requests, or with `methods` the answers to requests of these methods, in the given chunks. */
export function cutMessages(chunks: readonly Buffer[], methods?: readonly string[]): Messages {
  const heads = new HeadCollector(headBytesMax)
  const framing = new BodyFraming()
  const messages: Message[] = []
  const ends: number[] = []
  let head: RequestHeadBytes | AnswerHeadBytes | undefined
  let body: Buffer[] = []
  let before = 0
  const finish = (end: number): void => {
    const { headers } = head!
    const line = 'target' in head! ? `${head.method} ${head.target}` : `${head!.status}`
    messages.push({ line, headers, body: Buffer.concat(body).toString('latin1') })
    ends.push(end)
    head = undefined
    body = []
  }
  try {
    for (const chunk of chunks) {
      let at = 0
      while (at < chunk.length || (head !== undefined && framing.isDone)) {
        if (head === undefined) {
          const next = heads.take(chunk, at)
          at = next === -1 ? chunk.length : next
          if (next === -1) break
          if (methods === undefined && heads.end - heads.start === 2) continue
          head =
            methods === undefined
              ? new RequestHeadBytes(heads.bytes, heads.start, heads.end)
              : new AnswerHeadBytes(heads.bytes, heads.start, heads.end)
          const kind =
            'target' in head ? head.bodyKind : head.bodyKind(methods![messages.length] ?? 'GET')
          framing.start(kind, head.contentLength)
        }
        at = framing.advance(chunk, at, (data) => body.push(Buffer.from(data)))
        if (framing.isDone) finish(before + at)
      }
      before += chunk.length
    }
  } catch (error) {
    if (!(error instanceof BadMessage)) throw error
    return { messages, error: error.message, isWithinBody: head !== undefined, ends }
  }
  return { messages, error: undefined, isWithinBody: head !== undefined, ends }
}

/** What a server of Node.js makes of the same bytes. */
export async function llhttpMessages(bytes: Buffer): Promise<Messages> {
  const messages: Message[] = []
  let error: string | undefined
  const ended = Promise.withResolvers<void>()
  const server = http.createServer({
    requireHostHeader: false,
    maxHeaderSize: headBytesMax,
    // As lenient as engines are, or more: what is refused by both is compared with nothing.
    insecureHTTPParser: true,
  })
  const take = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const body: Buffer[] = []
    request.on('data', (data: Buffer) => body.push(data))
    request.on('end', () => {
      messages.push({
        line: `${request.method} ${request.url}`,
        headers: request.rawHeaders,
        body: Buffer.concat(body).toString('latin1'),
      })
      response.end()
    })
  }
  server.on('request', take)
  server.on('checkContinue', take)
  server.on('checkExpectation', take)
  server.on('upgrade', (request) => {
    error ??= `upgrade ${request.method}`
    ended.resolve()
  })
  server.on('connect', () => {
    error ??= 'connect'
    ended.resolve()
  })
  server.on('clientError', (failure: Error & { code?: string }, socket) => {
    error ??= failure.code ?? failure.message
    // The requests before it are still being handed out.
    setImmediate(() => {
      socket.destroy()
      ended.resolve()
    })
  })
  const [client, inner] = duplexPair()
  server.emit('connection', inner)
  client.on('data', () => {})
  client.on('end', () => ended.resolve())
  client.on('error', () => ended.resolve())
  client.end(bytes)
  await ended.promise
  client.destroy()
  inner.destroy()
  server.close()
  return { messages, error, isWithinBody: false, ends: [] }
}

/** The bytes in chunks that end at the cuts. */
export function chunksAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
  return edges.slice(1).map((end, i) => Buffer.from(bytes.subarray(edges[i], end)))
}
