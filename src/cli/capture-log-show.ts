import { MigrationError } from '../base/errors.ts'
import { findLog } from '../migration/capture-log.ts'
import type { CaptureGap, CaptureMark, CaptureRecord } from '../traffic/exchange.ts'
import { ExchangeJoiner, type LoggedExchange } from '../traffic/exchanges.ts'
import { readStreams } from '../traffic/read-streams.ts'
import { WindowSelection } from '../traffic/select-window.ts'
import { bodyOf, type NoText } from './capture-log-body.ts'
import { apiOf, indicesOf, parseFilter, type LogFilter } from './capture-log-filter.ts'
import type { Invocation } from './command.ts'
import { exitCodes, type ExitCode } from './failure.ts'
import { formatBytes, formatDuration, formatTime, isOutputClosed, printable } from './output.ts'
import { writeOut } from './output.ts'
import { say } from './progress.ts'

type Item = LoggedExchange | CaptureGap | CaptureMark

/** Requests that wait for their answers: with bodies they may be large. */
const openMax = { withBodies: 500, without: 50_000 }

/** Prints a capture log, in order of time; exit code 3 when it has gaps. */
export async function showLog(invocation: Invocation): Promise<ExitCode> {
  const { options, json, args, signal } = invocation
  const filter = parseFilter(options)
  const needsBodies = options.bodies === true || options.index !== undefined
  const selection = new WindowSelection(filter.window)
  const joiner = new ExchangeJoiner(needsBodies ? openMax.withBodies : openMax.without)
  const printer = new Printer(filter, { json, bodies: options.bodies === true })
  const limit = parseLimit(options.limit as string | undefined)
  const { reader } = await findLog({
    path: args[0],
    onDamage: options.skipDamage === true ? (damage) => say(damage.message) : undefined,
    loadConfig: () => invocation.loadConfig(),
  })
  const print = async (items: readonly Item[]): Promise<boolean> => {
    for (const item of items) {
      if (printer.lines >= limit || isOutputClosed()) return false
      await printer.print(item)
    }
    return printer.lines < limit && !isOutputClosed()
  }
  try {
    const follow = options.follow === true
    let goesOn = true
    await readStreams(reader, { follow, signal }, async ({ record }) => {
      if (!selection.selects(record)) return true
      goesOn = await print(joiner.add(needsBodies ? record : withoutBody(record)))
      return goesOn
    })
    if (goesOn) await print(joiner.rest())
  } catch (error) {
    if (!signal.aborted) throw error
    await print(joiner.rest())
  } finally {
    await reader.close()
  }
  return printer.gaps > 0 ? exitCodes.differs : exitCodes.done
}

const noBytes = new Uint8Array(0)

/** So that what waits for its answer does not hold what was read with it. */
function withoutBody(record: CaptureRecord): CaptureRecord {
  return 'body' in record ? { ...record, body: noBytes } : record
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return Infinity
  const limit = Number(text)
  if (Number.isInteger(limit) && limit > 0) return limit
  throw new MigrationError('MA_CONFIG', `--limit ${text}: expected a number from 1 on`)
}

class Printer {
  lines = 0
  gaps = 0
  readonly #filter: LogFilter
  readonly #form: { json: boolean; bodies: boolean }

  constructor(filter: LogFilter, form: { json: boolean; bodies: boolean }) {
    this.#filter = filter
    this.#form = form
  }

  async print(item: Item): Promise<void> {
    const { isAll, accepts } = this.#filter
    if (item.kind === 'gap') this.gaps++
    if (item.kind === 'exchange' ? !accepts(item) : !isAll) return
    this.lines++
    await writeOut(this.#form.json ? `${JSON.stringify(this.#document(item))}\n` : this.#text(item))
  }

  #document(item: Item): object {
    if (item.kind === 'gap') {
      const { from, until, ...rest } = item
      return { ...rest, from: isoTime(from), until: isoTime(until) }
    }
    if (item.kind !== 'exchange') return { ...item, at: isoTime(item.at) }
    return exchangeDocument(item, this.#form.bodies)
  }

  #text(item: Item): string {
    if (item.kind === 'gap') return gapText(item)
    if (item.kind !== 'exchange') {
      return `${timeText(item.at)}  ${item.kind}  ${item.proxy}, osmigrate ${printable(item.version)}\n`
    }
    return exchangeText(item) + (this.#form.bodies ? bodiesText(item) : '')
  }
}

function exchangeDocument(item: LoggedExchange, bodies: boolean): object {
  const { request, response } = item
  const { proxy, number } = (request ?? response)!.exchange
  return {
    ...{ kind: 'exchange', proxy, number, time: isoTime(startOf(item)), api: apiOf(item) },
    method: request?.method ?? null,
    target: request?.target ?? null,
    indices: indicesOf(item),
    mayWrite: request?.mayWrite ?? null,
    status: response?.status ?? null,
    requestBytes: request?.bodyBytes ?? null,
    responseBytes: response?.kind === 'response' ? response.bodyBytes : null,
    ms: durationMs(item) ?? null,
    connection: request?.connection ?? null,
    requestHeaders: request?.headers ?? null,
    responseHeaders: response?.kind === 'response' ? response.headers : null,
    ...(response?.kind === 'thin' && { thin: response.items }),
    ...(bodies && {
      requestBody: request === undefined ? null : bodyOf(request),
      responseBody: response?.kind === 'response' ? bodyOf(response) : null,
    }),
  }
}

function exchangeText(item: LoggedExchange): string {
  const { request, response } = item
  const ms = durationMs(item)
  const bytes = [
    request === undefined ? '-' : formatBytes(request.bodyBytes),
    response?.kind === 'response' ? formatBytes(response.bodyBytes) : (response?.kind ?? '-'),
  ]
  return (
    [
      timeText(startOf(item)),
      response === undefined || response.status === 0 ? ' - ' : response.status,
      apiOf(item).padEnd(12),
      printable(`${request?.method ?? '-'} ${request?.target ?? '(its request is not here)'}`),
      `${bytes[0]} → ${bytes[1]}`,
      ms === undefined ? '-' : formatDuration(ms),
    ].join('  ') + '\n'
  )
}

function bodiesText({ request, response }: LoggedExchange): string {
  const parts = [
    request === undefined ? '' : bodyText(bodyOf(request), '> '),
    response?.kind === 'response' ? bodyText(bodyOf(response), '< ') : '',
  ]
  return parts.join('')
}

function bodyText(body: string | NoText, mark: string): string {
  if (typeof body !== 'string') return `  ${mark}(${body.bytes} bytes: ${printable(body.why)})\n`
  if (body === '') return ''
  const lines = body.replace(/\n$/, '').split('\n')
  return lines.map((line) => `  ${mark}${printable(line)}\n`).join('')
}

function gapText({ from, until, requests, proxy, cause, indices }: CaptureGap): string {
  const count = requests === 1 ? 'at least 1 request' : `${requests} requests`
  const which = indices === undefined ? '' : ` (${indices.join(', ')})`
  const text = `gap  ${proxy}: ${count} not recorded${which}, until ${timeText(until)}: ${cause}`
  return `${timeText(from)}  ${printable(text)}\n`
}

function startOf({ request, response }: LoggedExchange): number {
  return request?.firstByteAt ?? response?.lastByteAt ?? 0
}

/** From the first byte of the request to the last one of the answer. */
function durationMs({ request, response }: LoggedExchange): number | undefined {
  if (request === undefined || response === undefined || response.lastByteAt === 0) return undefined
  return Math.max(0, response.lastByteAt - request.firstByteAt) / 1000
}

/** With microseconds, as they were taken. */
function isoTime(micros: number): string {
  const part = String(micros % 1000).padStart(3, '0')
  return new Date(Math.floor(micros / 1000)).toISOString().replace('Z', `${part}Z`)
}

/** Local time to the millisecond, with its offset. */
function timeText(micros: number): string {
  const ms = Math.floor(micros / 1000)
  return formatTime(ms).replace(/ (?=[+-])/, `.${String(ms % 1000).padStart(3, '0')} `)
}
