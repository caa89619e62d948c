import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { LineCounter, parseDocument, isMap, type Document } from 'yaml'
import type { z } from 'zod'
import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { configSchema, passwordVariable, type Config } from './config-schema.ts'
import { optionTable } from './option-table.ts'
import { nearest } from '../base/nearest.ts'
import { transformStepKeys } from '../transform/options.ts'

export type { ClusterConfig, Config } from './config-schema.ts'

export const defaultConfigFile = 'migration.yaml'

/** What the command line says: values by dotted path, already of the option's kind (list, number …). */
export type FlagValues = ReadonlyMap<string, Json>

export interface LoadOptions {
  /** From --config. Default: migration.yaml in `folder` if there is one, else none. */
  file?: string
  flags?: FlagValues
  /** Default: the working folder. */
  folder?: string
}

/** A configuration and where it came from. */
export interface LoadedConfig {
  readonly config: Config
  /** Absolute path; undefined when everything came from flags and defaults. */
  readonly file?: string
  /** Relative paths in the configuration and the state folder start here: the file's folder, else the working folder. */
  readonly folder: string
  /** ./.osmigrate/NAME, absolute. */
  readonly stateFolder: string
}

/**
 * Reads migration.yaml, lays the flags over it and checks the whole. Flag beats file beats default.
 * Throws MA_CONFIG that names file, line and path of everything that is wrong.
 */
export async function loadConfig(options: LoadOptions = {}): Promise<LoadedConfig> {
  const workingFolder = options.folder ?? process.cwd()
  const file = configFile(workingFolder, options.file)
  const read = file === undefined ? undefined : await readYaml(file)
  const flags = options.flags ?? new Map<string, Json>()
  const raw = withFlags(read?.value ?? { version: 1 }, flags)

  const result = configSchema.safeParse(raw, { reportInput: true })
  if (!result.success) {
    throw configError(result.error.issues, { raw, flags, ...(read && { read }) })
  }
  const folder = file === undefined ? workingFolder : dirname(file)
  const config = completed(result.data, folder)
  return {
    config,
    ...(file !== undefined && { file }),
    folder,
    stateFolder: join(folder, '.osmigrate', config.name),
  }
}

function configFile(folder: string, given: string | undefined): string | undefined {
  if (given !== undefined) return resolve(folder, given)
  const file = join(folder, defaultConfigFile)
  return existsSync(file) ? file : undefined
}

interface YamlFile {
  file: string
  value: JsonObject
  document: Document.Parsed
  lines: LineCounter
}

async function readYaml(file: string): Promise<YamlFile> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const next = 'Name another with --config FILE, or write one with: osmigrate init'
    throw new MigrationError('MA_CONFIG', `${file} cannot be read. ${next}`, { cause })
  })
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true })
  const bad = document.errors[0]
  if (bad !== undefined) {
    const { line, col } = lines.linePos(bad.pos[0])
    const what = bad.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '')
    throw new MigrationError('MA_CONFIG', `${file}:${line}:${col}: not YAML: ${what}`)
  }
  const value = document.toJS() as unknown
  if (value !== null && !isJsonObject(value)) {
    throw new MigrationError('MA_CONFIG', `${file}:1: expected keys such as "version: 1"`)
  }
  return { file, value: value ?? {}, document, lines }
}

function withFlags(value: JsonObject, flags: FlagValues): JsonObject {
  const merged = structuredClone(value)
  for (const [path, flag] of flags) {
    const keys = path.split('.')
    let at = merged
    for (const key of keys.slice(0, -1)) {
      const next = at[key]
      at = at[key] = isJsonObject(next) ? next : {}
    }
    at[keys.at(-1)!] = flag
  }
  return merged
}

/** The defaults that depend on other fields; paths made absolute. */
function completed(config: Config, folder: string): Config {
  for (const side of ['source', 'target'] as const) {
    const cluster = config[side]
    const { auth, tls } = cluster ?? {}
    if (auth?.username !== undefined) auth.password ??= `env:${passwordVariable(side)}`
    for (const key of ['password', 'apiKey', 'bearer'] as const) {
      if (auth?.[key] !== undefined) auth[key] = absoluteReference(auth[key], folder)
    }
    for (const key of ['ca', 'cert', 'key'] as const) {
      if (tls?.[key] !== undefined) tls[key] = absoluteReference(tls[key], folder)
    }
  }
  const { repository, tls: storeTls } = config.snapshot
  if (storeTls?.ca !== undefined) storeTls.ca = absoluteReference(storeTls.ca, folder)
  if (repository !== undefined && !/^[a-z][a-z0-9+]*:\/\//.test(repository)) {
    config.snapshot.repository = resolve(folder, repository)
  }
  for (const step of config.transform ?? []) {
    if (step.module !== undefined) step.module = resolve(folder, step.module)
  }
  completeCapture(config.capture, folder)
  const { tuples } = config.shadow
  if (tuples.to !== undefined && tuples.to !== 'off' && !tuples.to.startsWith('s3://')) {
    tuples.to = resolve(folder, tuples.to)
  }
  return deepFreeze(config)
}

function completeCapture({ tls, admin, log }: Config['capture'], folder: string): void {
  const places: ({ [key: string]: string | undefined } | undefined)[] = [
    tls,
    admin.tls,
    log.kafka?.tls,
  ]
  for (const place of places) {
    for (const [key, reference] of Object.entries(place ?? {})) {
      if (reference !== undefined) place![key] = absoluteReference(reference, folder)
    }
  }
  if (admin.token !== undefined) admin.token = absoluteReference(admin.token, folder)
  const sasl = log.kafka?.sasl
  if (sasl?.password !== undefined) sasl.password = absoluteReference(sasl.password, folder)
  if (log.dir !== undefined) log.dir = resolve(folder, log.dir)
}

function absoluteReference(reference: string, folder: string): string {
  return reference.startsWith('file:')
    ? `file:${resolve(folder, reference.slice('file:'.length).replace(/^\/\/(?=\/)/, ''))}`
    : reference
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze)
  return Object.freeze(value)
}

type Issue = z.core.$ZodIssue

interface Origin {
  raw: JsonObject
  flags: FlagValues
  read?: YamlFile
}

function configError(issues: readonly Issue[], origin: Origin): MigrationError {
  const findings = issues.flatMap(innermost).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          path: [...issue.path, key],
          message: unknownKey(key, issue.path),
        }))
      : [{ path: issue.path, message: issueText(issue) }],
  )
  const texts = findings.map(({ path, message }) => `${placeOf(path, origin)}: ${message}`)
  return new MigrationError('MA_CONFIG', texts.join('\n'), {
    details: {
      ...(origin.read && { file: origin.read.file }),
      findings: findings.map(({ path, message }) => ({ path: path.join('.'), message })),
    },
  })
}

/** Of a value that may have several forms, what is wrong with the one that was meant: the first of its kind. */
function innermost(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const meant = issue.errors.find(isMeant)
  if (meant === undefined) return [issue]
  return meant.flatMap((one) => innermost({ ...one, path: [...issue.path, ...one.path] }))
}

/** True when the value is of that form's kind, and wrong further in. */
function isMeant(form: readonly Issue[]): boolean {
  return form.every(
    (one) =>
      one.path.length > 0 ||
      one.code === 'custom' ||
      one.code === 'unrecognized_keys' ||
      (one.code === 'invalid_union' && one.errors.some(isMeant)),
  )
}

/** `migration.yaml:12: backfill.verify` or `--verify`. */
function placeOf(path: readonly PropertyKey[], origin: Origin): string {
  const dotted = path.map(String).join('.')
  const fromFlag = [...origin.flags.keys()].find((flag) => dotted.startsWith(flag))
  if (fromFlag !== undefined) {
    const row = optionTable().find((one) => one.path.join('.') === fromFlag)
    return `--${row?.flag ?? fromFlag}`
  }
  if (!origin.read) return dotted
  const line = lineOf(path, origin.read)
  return `${origin.read.file}:${line}${dotted === '' ? '' : `: ${dotted}`}`
}

/** Line of the key at the path, or of the nearest thing around it that is there. */
function lineOf(path: readonly PropertyKey[], { document, lines }: YamlFile): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true)
    const key = String(path[length - 1])
    const pair = isMap(parent) ? parent.items.find((item) => String(item.key) === key) : undefined
    const start = (pair?.key as { range?: [number] } | undefined)?.range?.[0]
    if (start !== undefined) return lines.linePos(start).line
    const node = document.getIn(path.slice(0, length), true) as { range?: [number] } | undefined
    if (node?.range) return lines.linePos(node.range[0]).line
  }
  return 1
}

/** Keys of the picture in docs that have no part here yet: said so, rather than "unknown". */
const notYet = new Set(['cutover', 'notify'])

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  if (path.length === 0 && notYet.has(key)) return 'this version has no such part yet; remove it'
  const known = knownKeys(path.map(String))
  const guess = nearest(key, known)
  if (known.length === 0) return 'unknown key'
  return guess === undefined
    ? `unknown key; there are: ${known.join(', ')}`
    : `unknown key; did you mean ${guess}?`
}

function knownKeys(path: readonly string[]): string[] {
  if (path[0] === 'transform') return isStep(path) ? transformStepKeys : []
  const under = optionTable().filter((row) => path.every((key, i) => row.path[i] === key))
  const keys = [...new Set(under.map((row) => row.path[path.length]!))]
  return path.length === 0 ? ['version', ...keys] : keys
}

/** `transform`, or `transform.0` in a list. */
function isStep(path: readonly string[]): boolean {
  return path.length === 1 || (path.length === 2 && /^\d+$/.test(path[1]!))
}

function issueText(issue: Issue): string {
  if (issue.code === 'invalid_type') {
    const found = issue.input === undefined ? 'nothing' : kindName(issue.input)
    return issue.message.startsWith('Invalid input')
      ? `expected ${issue.expected === 'int' ? 'a whole number' : issue.expected}, found ${found}`
      : issue.message
  }
  if (issue.code === 'invalid_value') {
    if (!issue.message.startsWith('Invalid')) return issue.message
    return `expected ${issue.values.map(String).join(' or ')}, found ${JSON.stringify(issue.input)}`
  }
  if (issue.code === 'too_small') {
    if (!issue.message.startsWith('Too small')) return issue.message
    return `expected at least ${String(issue.minimum)}`
  }
  if (issue.code === 'too_big') return `expected at most ${String(issue.maximum)}`
  if (issue.code === 'invalid_union') {
    // A union's own message says what it takes; one of its members may say it better.
    const deeper = issue.errors.flat().find((one) => one.code !== 'invalid_type')
    return issue.message === 'Invalid input' && deeper ? issueText(deeper) : issue.message
  }
  return issue.message
}

function kindName(value: unknown): string {
  if (value === null) return 'nothing'
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'keys' : `a ${typeof value}`
}
