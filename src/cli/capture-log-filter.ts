import { MigrationError } from '../base/errors.ts'
import { matcher } from '../base/select.ts'
import { parseRequest } from '../traffic/api/parse-request.ts'
import type { LoggedExchange } from '../traffic/exchanges.ts'
import type { TimeWindow } from '../traffic/export-layout.ts'
import { bodyOf } from './capture-log-body.ts'

/** Which lines `capture log show` prints. */
export interface LogFilter {
  readonly window: TimeWindow
  /** True: no filter but the time, so that gaps and marks are shown, too. */
  readonly isAll: boolean
  readonly accepts: (exchange: LoggedExchange) => boolean
}

/** The flags, as they were typed. */
interface FilterOptions {
  readonly since?: string
  readonly until?: string
  readonly index?: readonly string[]
  readonly api?: string
  readonly status?: string
}

export function parseFilter(options: Readonly<Record<string, unknown>>): LogFilter {
  const { index, api, status } = options as FilterOptions
  const tests: ((exchange: LoggedExchange) => boolean)[] = []
  if (api !== undefined) tests.push((one) => apiOf(one) === api)
  if (status !== undefined) tests.push(statusTest(status))
  if (index !== undefined) {
    const fits = matcher(index)
    tests.push((one) => indicesOf(one).some(fits))
  }
  return {
    window: parseWindow(options),
    isAll: tests.length === 0,
    accepts: (one) => tests.every((test) => test(one)),
  }
}

export function parseWindow(options: Readonly<Record<string, unknown>>): TimeWindow {
  const { since, until } = options as FilterOptions
  return { since: parseTime('--since', since), until: parseTime('--until', until) }
}

const unitsMs: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 }

/** Epoch microseconds; 0 where nothing is said. */
function parseTime(flag: string, text: string | undefined): number {
  if (text === undefined) return 0
  const [, count, unit] = /^(\d+)(s|m|h|d)$/.exec(text) ?? []
  const ms = count === undefined ? dateOf(text) : Date.now() - Number(count) * unitsMs[unit!]!
  if (ms > 0) return Math.round(ms * 1000)
  throw new MigrationError(
    'MA_CONFIG',
    `${flag} ${text}: expected a time such as 2026-05-01T08:00:00Z, or 15m, 2h, 1d for so long ago`,
  )
}

/** Epoch milliseconds; NaN for what is no date. */
function dateOf(text: string): number {
  return /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN
}

function statusTest(text: string): (exchange: LoggedExchange) => boolean {
  const [, from, to] = /^(\d{3})(?:-(\d{3}))?$/.exec(text) ?? []
  const hundred = /^([1-5])xx$/i.exec(text)?.[1]
  if (text === 'none') return ({ response }) => (response?.status ?? 0) === 0
  if (from === undefined && hundred === undefined) {
    throw new MigrationError(
      'MA_CONFIG',
      `--status ${text}: expected a status such as 201, 4xx or 500-599, or none for requests without an answer`,
    )
  }
  const low = hundred === undefined ? Number(from) : Number(hundred) * 100
  const high = hundred === undefined ? Number(to ?? from) : low + 99
  return ({ response }) =>
    response !== undefined && response.status >= low && response.status <= high
}

export function apiOf({ request }: LoggedExchange): string {
  return request === undefined ? '-' : parseRequest(request.method, request.target).api
}

/** The indices that an exchange names: in its path, in the items of a thin answer, in the items of a bulk's answer. */
export function indicesOf({ request, response }: LoggedExchange): readonly string[] {
  const named = request === undefined ? [] : namedIn(request.method, request.target)
  if (response?.kind === 'thin') return [...named, ...response.items.map(({ index }) => index)]
  if (response === undefined || named.length > 0) return named
  const text = bodyOf(response)
  const found = typeof text === 'string' ? text.matchAll(/"_index"\s*:\s*("(?:[^"\\]|\\.)*")/g) : []
  return [...new Set([...found].map(([, name]) => JSON.parse(name!) as string))]
}

function namedIn(method: string, target: string): readonly string[] {
  return parseRequest(method, target).indices ?? []
}
