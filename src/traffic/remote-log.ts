import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setTimeout as wait } from 'node:timers/promises'
import { MigrationError } from '../base/errors.ts'
import type { CaptureLogReader, LogBehind, LoggedRecord, LogPosition } from './capture-log.ts'
import { logStreamType, parseLogStream, type LogStreamEntry } from './log-stream.ts'
import { decodeRecord } from './record-decode.ts'

export interface RemoteLogOptions {
  /** Of the admin port: `https://proxy-1:9280`. */
  readonly url: string
  readonly token: string
  /** PEM texts. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
}

/** A proxy says every few seconds that it is alive. */
const silentMaxMs = 20_000
/** How long a proxy may be away before reading ends with an error. */
const awayMaxMs = 30_000
const retryWaitMs = 500
const answerBytesMax = 16 * 1024 * 1024

/** Reads the local log of a proxy over its admin port. A connection that breaks is made anew where it ended. */
export function openRemoteLog(options: RemoteLogOptions): CaptureLogReader {
  return new RemoteLog(options)
}

class RemoteLog implements CaptureLogReader {
  readonly #options: RemoteLogOptions
  readonly #base: URL
  readonly #closed = new AbortController()

  constructor(options: RemoteLogOptions) {
    this.#options = options
    this.#base = new URL(options.url)
  }

  async streams(): Promise<{ oldest: LogPosition; end: LogPosition }[]> {
    const answer = await this.#ask('GET', '/log/streams')
    const { streams } = JSON.parse(await textOf(answer)) as {
      streams: { oldest: LogPosition; end: LogPosition }[]
    }
    return streams
  }

  async *read(
    from: LogPosition,
    { follow, signal }: { follow: boolean; signal?: AbortSignal },
  ): AsyncGenerator<LoggedRecord> {
    const { stream } = from
    const stop = AbortSignal.any([this.#closed.signal, ...(signal === undefined ? [] : [signal])])
    let { offset } = from
    let heardAt = performance.now()
    for (;;) {
      const begin = offset
      try {
        for await (const entry of this.#entries({ stream, offset }, { follow, stop })) {
          heardAt = performance.now()
          if (entry.kind === 'end') return
          if (entry.kind === 'error') throw entry.error
          if (entry.kind === 'alive') continue
          const record = decodeRecord(entry.frame, { file: this.#name(stream), offset })
          offset = entry.next
          yield { record, next: { stream, offset } }
        }
        stop.throwIfAborted()
      } catch (error) {
        stop.throwIfAborted()
        const retryable = error instanceof MigrationError ? error.retryable : false
        if (!retryable || performance.now() - heardAt > awayMaxMs) throw error
      }
      if (offset === begin) await wait(retryWaitMs, undefined, { signal: stop })
    }
  }

  async behind({ stream, offset }: LogPosition): Promise<LogBehind> {
    const query = new URLSearchParams({ stream, from: String(offset) })
    const answer = await this.#ask('GET', `/log/behind?${query.toString()}`)
    return JSON.parse(await textOf(answer)) as LogBehind
  }

  async release({ stream, offset }: LogPosition): Promise<void> {
    const answer = await this.#ask('POST', '/log/release', JSON.stringify({ stream, offset }))
    answer.resume()
  }

  async close(): Promise<void> {
    this.#closed.abort(new MigrationError('MA_STOPPED', 'the capture log was closed'))
    await Promise.resolve()
  }

  async *#entries(
    { stream, offset }: LogPosition,
    { follow, stop }: { follow: boolean; stop: AbortSignal },
  ): AsyncGenerator<LogStreamEntry> {
    const query = new URLSearchParams({ stream, from: String(offset), follow: String(follow) })
    const answer = await this.#ask('GET', `/log/records?${query.toString()}`, undefined, stop)
    if (answer.headers['content-type'] !== logStreamType) {
      answer.destroy()
      const found = answer.headers['content-type'] ?? 'nothing'
      throw this.#failure(`sends ${found} in the place of ${logStreamType}: is it of this version?`)
    }
    try {
      yield* parseLogStream(answer as AsyncIterable<Buffer>, this.#name(stream))
    } catch (error) {
      throw error instanceof MigrationError ? error : this.#unreachable(error)
    } finally {
      answer.destroy()
    }
  }

  /** Gives an answer of 200. Throws MA_CAPTURE_LOG for all others. */
  async #ask(
    method: string,
    path: string,
    body?: string,
    signal: AbortSignal = this.#closed.signal,
  ): Promise<IncomingMessage> {
    const { token, tls } = this.#options
    const url = new URL(path, this.#base)
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const headers = {
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    }
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = send(url, { method, headers, signal, agent: false, ...tls }, resolve)
      request.setTimeout(silentMaxMs, () =>
        request.destroy(new Error(`nothing heard for ${silentMaxMs / 1000} s`)),
      )
      request.on('error', reject)
      request.end(body)
    }).catch((error: unknown) => {
      signal.throwIfAborted()
      throw this.#unreachable(error)
    })
    if (answer.statusCode === 200) return answer
    throw this.#refused(answer.statusCode!, await textOf(answer))
  }

  #refused(status: number, text: string): MigrationError {
    if (status === 401) return this.#failure('refuses the token: check capture.admin.token')
    if (status >= 500) return this.#failure(`answers ${status}: ${text.slice(0, 500)}`, true)
    return this.#failure(`answers ${status}: ${text.slice(0, 500)}`)
  }

  #unreachable(error: unknown): MigrationError {
    const { code, message } = error as NodeJS.ErrnoException
    return this.#failure(`cannot be reached (${code ?? message})`, true, error)
  }

  #failure(what: string, retryable = false, cause?: unknown): MigrationError {
    const text = `the proxy at ${this.#base.origin} ${what}`
    return new MigrationError('MA_CAPTURE_LOG', text, { retryable, cause })
  }

  #name(stream: string): string {
    return `${stream} at ${this.#base.host}`
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > answerBytesMax) {
      answer.destroy()
      break
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
