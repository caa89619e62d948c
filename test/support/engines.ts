/**
 * Real engines for tests.
 *
 *     import { useEngine, send, uniqueName } from '../../test/support/engines.ts'
 *
 *     const source = await useEngine('elasticsearch', '7')        // at the top of the test file
 *     const target = await useEngine('opensearch', '3')
 *
 *     test('moves an index', { skip: target.skip }, async () => {
 *       const index = uniqueName('plain')                         // engines are shared: names must not clash
 *       await send(source, 'PUT', `/${index}`, { settings: { number_of_shards: 2 } })
 *       await send(source, 'POST', `/${index}/_bulk?refresh=true`, '{"index":{}}\n{"n":1}\n')
 *       const repository = source.makeRepository()                // { name, location }: registered nowhere yet
 *     })
 *
 * - Under `npm test` each engine is started once a run, when the first file asks for it, and is shared by
 *   all files, which run at the same time: use names from uniqueName(), delete nothing that is not yours,
 *   never `_all` or `*`. Cluster settings (`action.auto_create_index` …) are shared too.
 * - A file run alone (`node --test test/system/x.test.ts`) starts what it asks for, and stops it.
 * - `{ own: true }` gives an engine of this file's own, for tests that stop or kill it, set `settings`, or
 *   turn cluster settings. It costs 10 s and 0.8 GB: share where you can. `target.stop()` stops an own one.
 * - `{ security: true }`: TLS with `caFile`, user admin/admin; client certificates beside caFile: client.pem
 *   with client-key.pem (user `migrator`, all access), admin.pem with admin-key.pem (super admin).
 * - `skip` is false, or the reason why OpenSearch 3 cannot run here (only Java 17 to 20 is found). Pass it
 *   to every test that touches the engine. Any other reason fails the file, saying what to install.
 */
import { chmodSync, mkdtempSync, readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import path from 'node:path'
import { after } from 'node:test'
import type { JsonObject } from '../../src/base/json.ts'
import { startEngine, type Engine, type EngineKind } from '../../src/engines/engine.ts'
import { majorOf } from '../../src/engines/engine-row.ts'
import { javaRuntimes } from '../../src/engines/java.ts'

export interface UseEngineOptions {
  readonly security?: boolean
  /** An engine of this file's own. Implied by every other option but `security`. */
  readonly own?: boolean
  readonly settings?: Readonly<Record<string, string>>
  readonly heapMb?: number
  /** Of the catalogue of engines, e.g. `repository-s3`; with its secure settings. */
  readonly plugin?: string
  readonly keystore?: Readonly<Record<string, string>>
  /** Keeps the data when stopped, to start it again on the same folder. */
  readonly dir?: string
  readonly port?: number
}

/** What a test file is told of an engine; plain data, since it may come from another process. */
export type EngineFacts = Omit<Engine, 'stop' | 'logTail'>

export interface TestEngine extends EngineFacts {
  /** For the options of test(): false, or why the engine cannot run here. */
  readonly skip: string | false
  /** A new folder for a file repository that the engine may write to: its name for `location`, and its path. */
  makeRepository(): { readonly name: string; readonly location: string }
  /** Stops an own engine now; a shared one stays. */
  stop(): Promise<void>
}

/** The address of the run's registry of shared engines, set by global-setup.ts. */
export const registryVariable = 'OSMIGRATE_TEST_ENGINES'

let names = 0

/** A lower-case name that no other test of the run uses. */
export function uniqueName(stem: string): string {
  return `t${process.pid.toString(36)}-${(names++).toString(36)}-${stem}`
}

/** Gives an engine of the run; see the top of this file. */
export async function useEngine(
  kind: EngineKind,
  version: string,
  options: UseEngineOptions = {},
): Promise<TestEngine> {
  const reason = await cannotRunHere(kind, version)
  if (reason !== undefined) return skipped(kind, version, reason)
  const registry = process.env[registryVariable]
  const { own, security = false, ...special } = options
  const isOwn = own ?? Object.keys(special).length > 0
  if (registry !== undefined && !isOwn) {
    return testEngine(await askRegistry(registry, { kind, version, security }), async () => {})
  }
  const engine = await startEngine({ kind, version, security, ...special })
  after(() => engine.stop())
  return testEngine(engine, () => engine.stop())
}

function testEngine(facts: EngineFacts, stop: () => Promise<void>): TestEngine {
  const makeRepository = () => {
    const location = mkdtempSync(path.join(facts.repositoryDir, 'repository-'))
    chmodSync(location, 0o777) // as root the engine is another user
    return { name: path.basename(location), location }
  }
  return { ...facts, skip: false, makeRepository, stop }
}

/** The one reason that skips: a machine with Java 17 to 20 only, which OpenSearch 3 does not run on. */
async function cannotRunHere(kind: EngineKind, version: string): Promise<string | undefined> {
  if (kind !== 'opensearch' || majorOf(version) < 3) return undefined
  const majors = (await javaRuntimes()).map((java) => java.major)
  const onlyOld = majors.some((major) => major >= 17) && majors.every((major) => major < 21)
  return onlyOld
    ? `OpenSearch ${version} needs Java 21 or newer; found: ${majors.join(', ')}`
    : undefined
}

function skipped(kind: EngineKind, version: string, reason: string): TestEngine {
  const facts = { kind, version, url: '', port: 0, pid: 0, dir: '', repositoryDir: '' }
  const makeRepository = () => {
    throw new Error(reason)
  }
  return { ...facts, skip: reason, makeRepository, stop: async () => {} }
}

/** Asks the process of the test run for an engine that all files share. */
async function askRegistry(registry: string, wanted: SharedEngine): Promise<EngineFacts> {
  const answer = await exchange(registry, { method: 'POST', body: JSON.stringify(wanted) })
  if (answer.status !== 200) throw new Error(answer.text)
  return JSON.parse(answer.text) as EngineFacts
}

/** What is asked of the registry. */
export interface SharedEngine {
  readonly kind: EngineKind
  readonly version: string
  readonly security: boolean
}

/**
 * Sends one request to an engine, as its administrator where it has users, and gives the JSON answer.
 * A string body is sent as NDJSON. Throws for a status outside 2xx, and for a `_bulk` with failed items.
 */
export async function send<T = JsonObject>(
  engine: EngineFacts,
  method: string,
  requestPath: string,
  body?: JsonObject | string,
): Promise<T> {
  const { adminAuth, caFile } = engine
  const answer = await exchange(engine.url + requestPath, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    type: typeof body === 'string' ? 'application/x-ndjson' : 'application/json',
    ...(adminAuth === undefined ? {} : { auth: `${adminAuth.username}:${adminAuth.password}` }),
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
  })
  const failed =
    answer.status < 200 || answer.status > 299 || isFailedBulk(requestPath, answer.text)
  if (failed) {
    const text = answer.text.slice(0, 2000)
    throw new Error(`${method} ${requestPath} answered ${answer.status}: ${text}`)
  }
  return (answer.text === '' ? {} : JSON.parse(answer.text)) as T
}

function isFailedBulk(requestPath: string, text: string): boolean {
  return /\/_bulk(\?|$)/.test(requestPath) && text.includes('"errors":true')
}

const exchangeTimeoutMs = 10 * 60_000

function exchange(
  url: string,
  options: { method: string; body?: string; type?: string; auth?: string; ca?: Buffer },
): Promise<{ status: number; text: string }> {
  const { method, body, type = 'application/json', auth, ca } = options
  const headers = body === undefined ? {} : { 'content-type': type }
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? https : http).request(
      url,
      {
        method,
        headers,
        agent: false,
        timeout: exchangeTimeoutMs,
        ...(auth === undefined ? {} : { auth }),
        ...(ca === undefined ? {} : { ca }),
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
        response.on('error', reject)
      },
    )
    request.on('timeout', () => request.destroy(new Error(`no answer from ${url}`)))
    request.on('error', reject)
    request.end(body)
  })
}
