import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { targetIndexKind } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { prefixed, renameIndices, type NameOf } from './index-names.ts'
import type { Guard, PlainRequest } from './plan-request.ts'

interface CatIndex {
  readonly index: string
  readonly uuid: string
}

export interface WriteGuardInput {
  readonly target: Cluster
  readonly state: StateStore
  /** Undefined: the target is declared as scratch. */
  readonly prefix: string | undefined
  /** Whether paths on the target may hold types. */
  readonly typed: boolean
  readonly signal: AbortSignal
}

/**
 * Keeps replayed writes off everything that is part of a migration, of this one and of others: what is sent is what was
 * understood, name by name (index-names.ts).
 *
 * With a prefix every name stands below it, and check() finds that nothing of a migration does: no index, no fence alias, no
 * alias that leads out of it, no template that would lead documents elsewhere by a pipeline. On a scratch target names
 * stay, and check() finds that no migration has anything there at all.
 */
export class WriteGuard {
  readonly #input: WriteGuardInput
  readonly #nameOf: NameOf

  /** Throws MA_CONFIG, naming what is in the way. */
  static async open(input: WriteGuardInput): Promise<WriteGuard> {
    const guard = new WriteGuard(input)
    await guard.check()
    if (input.prefix !== undefined) await guard.#checkTemplates(input.prefix)
    return guard
  }

  private constructor(input: WriteGuardInput) {
    this.#input = input
    this.#nameOf = input.prefix === undefined ? (name) => name : prefixed(input.prefix)
  }

  /** The request as it may be sent; undefined: it may not. */
  readonly guard: Guard = (request) => {
    const { prefix, typed } = this.#input
    const renamed = renameIndices(request, this.#nameOf, { typed })
    if (renamed === undefined) return undefined
    return prefix === undefined || staysBelow(renamed, prefix, typed) ? renamed : undefined
  }

  /** To be called again and again: a migration may begin. */
  async check(): Promise<void> {
    const { prefix } = this.#input
    const found = await this.#ofMigrations()
    if (prefix === undefined) {
      const [first] = found
      if (first === undefined) return
      throw refused(
        `the target ${this.#input.target.url} holds ${first}, which is part of a migration: it is no scratch target. Set shadow.indexPrefix, or name another target`,
      )
    }
    const below = found.find((name) => name.startsWith(prefix))
    if (below !== undefined) {
      throw refused(
        `${below} is part of a migration, and stands below shadow.indexPrefix ${prefix}: choose another prefix`,
      )
    }
    await this.#checkAliases(prefix)
  }

  /** Indices and aliases of migrations that are on the target: those of this state, and whatever has a fence. */
  async #ofMigrations(): Promise<string[]> {
    const fenced = await this.#get('/_alias/osmigrate-*')
    const names = Object.entries(fenced).flatMap(([index, of]) => [index, ...aliasesOf(of)])
    const pipelines = await this.#get('/_ingest/pipeline/osmigrate-*')
    return [...names, ...(await this.#ofState()), ...Object.keys(pipelines)]
  }

  async #ofState(): Promise<string[]> {
    const { state, target, signal } = this.#input
    const uuids = new Set<string>()
    for await (const { value } of state.each(targetIndexKind)) uuids.add(value.targetUuid)
    if (uuids.size === 0) return []
    const { body } = await target.request<CatIndex[]>('GET', '/_cat/indices', {
      query: { format: 'json', h: 'index,uuid', expand_wildcards: 'all' },
      signal,
    })
    return body.filter(({ uuid }) => uuids.has(uuid)).map(({ index }) => index)
  }

  /** An alias below the prefix that leads to an index which is not. */
  async #checkAliases(prefix: string): Promise<void> {
    const found = await this.#get(`/_alias/${encodeURIComponent(prefix)}*`)
    const index = Object.keys(found).find((name) => !isOwn(name, prefix))
    if (index === undefined) return
    throw refused(
      `the alias ${aliasesOf(found[index]).join(', ')} leads to ${index}, which does not stand below shadow.indexPrefix ${prefix}: writes to it would go there. Choose another prefix`,
    )
  }

  /** An upsert runs the default pipeline of its index, whatever the request says; and a pipeline may choose another index. */
  async #checkTemplates(prefix: string): Promise<void> {
    const { target, signal } = this.#input
    const name = `${prefix}osmigrate-check`
    const legacy = await this.#get('/_template')
    const fits = Object.entries(legacy).filter(([, of]) =>
      patternsOf(of).some((one) => covers(one, prefix)),
    )
    const { body } = await target.request('POST', `/_index_template/_simulate_index/${name}`, {
      accept: 'any',
      repeatable: true,
      signal,
    })
    const all: readonly [string, unknown][] = [...fits, ['index template', body]]
    const bad = all.find(([, of]) => /"default_pipeline":"(?!_none")/.test(JSON.stringify(of)))
    if (bad === undefined) return
    throw refused(
      `${bad[0]} gives indices below shadow.indexPrefix ${prefix} a default pipeline, which could write to others: choose another prefix`,
    )
  }

  async #get(path: string): Promise<JsonObject> {
    const { target, signal } = this.#input
    const { body } = await target.request('GET', path, { accept: [404], signal })
    // With 404 the names that were found stand beside the error.
    return Object.fromEntries(Object.entries(body).filter(([, of]) => isJsonObject(of)))
  }
}

function aliasesOf(of: unknown): string[] {
  const aliases = isJsonObject(of) ? of['aliases'] : undefined
  return isJsonObject(aliases) ? Object.keys(aliases) : []
}

function patternsOf(of: unknown): string[] {
  const patterns = isJsonObject(of) ? (of['index_patterns'] ?? of['template']) : undefined
  return [patterns].flat().filter((one) => typeof one === 'string')
}

/** Whether an index below the prefix may fit the pattern; rather too often than not. */
function covers(pattern: string, prefix: string): boolean {
  const [start = ''] = pattern.split('*', 1)
  return start.startsWith(prefix) || prefix.startsWith(start)
}

/** Of a data stream below the prefix the indices behind it have names like `.ds-PREFIX…`. */
function isOwn(index: string, prefix: string): boolean {
  return index.startsWith(prefix) || index.startsWith(`.ds-${prefix}`)
}

/** Reads what was written once more: every name stands below the prefix. */
function staysBelow(request: PlainRequest, prefix: string, typed: boolean): boolean {
  const isBelow: NameOf = (name) =>
    name.replace(/^[-<]/, '').startsWith(prefix) ? name : undefined
  return renameIndices(request, isBelow, { typed }) !== undefined
}

function refused(message: string): MigrationError {
  return new MigrationError('MA_CONFIG', message)
}
