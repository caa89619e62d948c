/**
 * Metadata of every kind, as an engine of any version can be asked to make it: what it refuses it has not, so nothing
 * here says which version has what. The lists are kinds-of-fields.ts, kinds-of-indices.ts and kinds-of-objects.ts.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { JsonObject } from '../../src/base/json.ts'
import { eachAtOnce } from '../../src/base/each-at-once.ts'
import { majorOf } from '../../src/engines/engine-row.ts'
import { send, type EngineFacts } from './engines.ts'
import { kindsOfFields } from './kinds-of-fields.ts'
import { kindsOfIndices } from './kinds-of-indices.ts'
import { kindsOfObjects } from './kinds-of-objects.ts'

export interface KindDocument {
  readonly id?: string
  readonly type?: string
  readonly parent?: string
  readonly routing?: string
  readonly source: JsonObject
}

/** An index of one kind, named as the kind is. */
export interface IndexKind {
  readonly name: string
  /** Where only one of the two engines has it. */
  readonly flavour?: EngineFacts['kind']
  /** Flat or nested; one shard without replicas where they do not say otherwise. */
  readonly settings?: JsonObject
  /** Fields of the one type; or the whole mapping; or those of several types. */
  readonly properties?: JsonObject
  readonly mapping?: JsonObject
  readonly types?: { readonly [type: string]: JsonObject }
  readonly aliases?: JsonObject
  readonly documents?: readonly KindDocument[]
  /** A query that finds at least one of the documents, on the source and on the target. */
  readonly query?: JsonObject
  /** Requests after the documents are written, e.g. to close the index. */
  readonly afterwards?: readonly (readonly [method: string, path: string, body?: JsonObject])[]
}

/** Anything else: a template, a pipeline, a script …, made by requests that all have to be taken. */
export interface ObjectKind {
  readonly name: string
  /** By the age of the engine, where the request has changed. */
  readonly requests: (
    engine: EngineFacts,
  ) => readonly (readonly [method: string, path: string, body?: JsonObject])[]
}

/** What an engine has made, and what it cannot make with its reason. */
export interface MadeKinds {
  readonly indices: readonly IndexKind[]
  readonly objects: readonly string[]
  readonly notMade: readonly { readonly name: string; readonly reason: string }[]
}

/** Files that analysis names, on source and target alike. */
export function writeAnalysisFiles({ dir }: EngineFacts): void {
  const write = (name: string, text: string): void => {
    const file = path.join(dir, 'config', name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  write('ours/synonyms.txt', 'quick, fast\n')
  write('ours/stopwords.txt', 'the\na\n')
  write('hunspell/en_US/en_US.aff', 'SET UTF-8\nSFX S Y 1\nSFX S 0 s .\n')
  write('hunspell/en_US/en_US.dic', '1\nquick/S\n')
}

/** Engines of before 7 put the mapping below the name of its type. */
export function isTyped({ kind, version }: EngineFacts): boolean {
  return kind === 'elasticsearch' && majorOf(version) < 7
}

/** The engine writes its state down once for several. */
export const indicesAtOnce = 4

/** Asks for one of each; what is refused half way is taken away again. */
export async function makeKinds(
  engine: EngineFacts,
  only: (name: string) => boolean = () => true,
): Promise<MadeKinds> {
  const notMade: { name: string; reason: string }[] = []
  const attempt = async (name: string, work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work()
      return true
    } catch (error) {
      notMade.push({ name, reason: reasonOf(error) })
      return false
    }
  }
  const objects: string[] = []
  for (const { name, requests } of kindsOfObjects.filter((kind) => only(kind.name))) {
    const work = async (): Promise<void> => {
      for (const [method, path, body] of requests(engine)) await send(engine, method, path, body)
    }
    if (await attempt(name, work)) objects.push(name)
  }
  const kinds = [...kindsOfFields, ...kindsOfIndices].filter(
    ({ name, flavour = engine.kind }) => only(name) && flavour === engine.kind,
  )
  const indices = await eachAtOnce(kinds, indicesAtOnce, async (kind) => {
    const isMade = await attempt(kind.name, () => makeIndex(engine, kind))
    if (!isMade) await send(engine, 'DELETE', `/${kind.name}`).catch(() => {})
    return isMade ? [kind] : []
  })
  return { indices: indices.flat(), objects, notMade }
}

async function makeIndex(engine: EngineFacts, kind: IndexKind): Promise<void> {
  const { name, settings, aliases, documents = [], afterwards = [] } = kind
  const typed = isTyped(engine)
  const defaults = { number_of_shards: 1, number_of_replicas: 0 }
  await send(engine, 'PUT', `/${name}`, {
    settings: { ...defaults, ...settings },
    mappings: mappingsOf(kind, typed),
    ...(aliases && { aliases }),
  })
  for (const [i, { id = String(i + 1), type, parent, routing, source }] of documents.entries()) {
    const query = new URLSearchParams({
      // What has no place for its shard is given up soon.
      timeout: '10s',
      refresh: 'true',
      ...(parent !== undefined && { parent }),
      ...(routing !== undefined && { routing }),
    })
    const path = `/${name}/${typed ? (type ?? 'doc') : '_doc'}/${encodeURIComponent(id)}`
    await send(engine, 'PUT', `${path}?${query.toString()}`, source)
  }
  for (const [method, path, body] of afterwards) await send(engine, method, path, body)
}

function mappingsOf({ types, mapping, properties }: IndexKind, typed: boolean): JsonObject {
  if (types !== undefined && !typed) throw new Error('one mapping an index')
  if (types !== undefined) return { ...types }
  const one: JsonObject = mapping ?? { ...(properties && { properties }) }
  return typed ? { doc: one } : one
}

/** The engine's own words, without the wrapping. */
function reasonOf(error: unknown): string {
  const text = String(error)
  const reasons = [...text.matchAll(/"reason":"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]!)
  return (reasons.at(-1) ?? text).slice(0, 200)
}
