/**
 * The same kinds in few indices, under names that nobody else has, for engines that tests share: kinds that do not get
 * into each other's way (fields, analysers, settings, aliases) share an index. What an engine cannot make is known from
 * the matrix of versions; all else it has to take.
 */
import { isDeepStrictEqual } from 'node:util'
import { eachAtOnce } from '../../src/base/each-at-once.ts'
import { isJsonObject, type Json, type JsonObject } from '../../src/base/json.ts'
import { objectOf } from '../../src/metadata/json-objects.ts'
import { flattenSettings } from '../../src/metadata/settings.ts'
import { send, type EngineFacts } from './engines.ts'
import { kindsOfFields } from './kinds-of-fields.ts'
import { kindsOfIndices } from './kinds-of-indices.ts'
import { kindsOfObjects } from './kinds-of-objects.ts'
import { indicesAtOnce, isTyped, type IndexKind } from './kinds.ts'
import { readMatrixRecord } from './metadata-matrix-record.ts'

/** An index with the kinds that are in it. */
export interface SharedIndex {
  readonly name: string
  readonly kinds: readonly IndexKind[]
}

export interface FewKinds {
  readonly indices: readonly SharedIndex[]
  /** Names of objects beside indices, as they are on the engine. */
  readonly objects: readonly string[]
  /** Names of kinds that this version cannot make. */
  readonly notMade: readonly string[]
  /** Takes all of it away again. */
  remove(): Promise<void>
}

/** Settings of the whole cluster, which others share, are nobody's own. */
const ofTheCluster = new Set(['cluster-setting'])

/** Makes one of each kind that this version can make; all their names begin with the stem. */
export async function makeFewKinds(engine: EngineFacts, stem: string): Promise<FewKinds> {
  const notMade = notMadeBy(engine)
  const lacking = new Set([...notMade, ...ofTheCluster])
  const isThere = ({ name }: { readonly name: string }): boolean => !lacking.has(name)
  const requests = kindsOfObjects.filter(isThere).flatMap((kind) => kind.requests(engine))
  const rename = renamer(stem, requests)
  const objects = requests.map(([method, path, body]) => ({
    method,
    path: path.split('/').map(rename).join('/'),
    body: renamedIn(body ?? {}, rename) as JsonObject,
  }))
  for (const { method, path, body } of objects) await send(engine, method, path, body)
  const kinds = [...kindsOfFields, ...kindsOfIndices].filter(
    (kind) => isThere(kind) && (kind.flavour ?? engine.kind) === engine.kind,
  )
  const indices = packed(kinds.map((kind) => alone(kind, rename))).map(
    (together, i): SharedIndex => ({
      name: `${stem}-${i}-${groupOf(together[0]!)}`,
      kinds: together,
    }),
  )
  await eachAtOnce(indices, indicesAtOnce, (index) => makeIndex(engine, index))
  // One that was closed starts anew.
  const started = 'wait_for_status=yellow&timeout=60s'
  await send(engine, 'GET', `/_cluster/health/${stem}-*?${started}`)
  const paths = objects.map(({ path }) => path)
  return {
    indices,
    objects: paths.map((path) => path.split('/').at(-1)!),
    notMade,
    remove: () => remove(engine, { stem, paths: paths.reverse() }),
  }
}

function notMadeBy({ kind, version }: EngineFacts): string[] {
  const { notMade } = readMatrixRecord()
  const names = notMade[`${kind} ${version}`]?.split(' ')
  if (names === undefined) throw new Error(`nothing is known of ${version}; ${howToRecord}`)
  return names
}

const howToRecord =
  'to ask it what it can make: MATRIX_RECORD=1 npm run soak -- test/system/metadata-matrix.soak.ts'

async function remove(
  engine: EngineFacts,
  { stem, paths }: { stem: string; paths: readonly string[] },
): Promise<void> {
  for (const path of paths) await send(engine, 'DELETE', path)
  // With the block on only the block may be changed.
  const blocks = { 'index.blocks.read_only': null }
  await send(engine, 'PUT', `/${stem}-*/_settings?expand_wildcards=all`, blocks)
  await send(engine, 'DELETE', `/${stem}-*?expand_wildcards=all`)
}

/** Gives names of objects, of what is named after them, and of aliases the stem. */
function renamer(stem: string, requests: readonly (readonly [string, string, ...unknown[]])[]) {
  const names = requests.map(([, path]) => path.split('/').at(-1)!)
  const known = new Set(names)
  return (text: string): string =>
    known.has(text.replace(/-\*$/, '')) || text.startsWith('the-alias-') ? `${stem}-${text}` : text
}

function renamedIn(json: Json, rename: (text: string) => string): Json {
  if (typeof json === 'string') return rename(json)
  if (Array.isArray(json)) return json.map((item) => renamedIn(item, rename))
  if (!isJsonObject(json)) return json
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [rename(key), renamedIn(value, rename)]),
  )
}

/** With names for its field, its analysers and its documents that no other kind has. */
function alone(kind: IndexKind, rename: (text: string) => string): IndexKind {
  const { name } = kind
  const group = groupOf(kind)
  const own = group === 'fields' ? ['f'] : group === 'analysis' ? ['text', 'ours', 'theirs'] : []
  const outer = (text: string): string => {
    const [first = '', ...rest] = text.split('.')
    return own.includes(first) ? [`${name}-${first}`, ...rest].join('.') : rename(text)
  }
  // The type `text` is no name.
  const inner = renamedIn(kind as unknown as JsonObject, outer) as unknown as IndexKind
  const properties = Object.entries(inner.properties ?? {}).map(([field, mapping]) => {
    const { type } = objectOf(kind.properties?.[field.replace(`${name}-`, '')])
    return [field, { ...objectOf(mapping), ...(type !== undefined && { type }) }]
  })
  const documents = kind.documents?.map(({ id }, i) => ({
    ...inner.documents![i]!,
    id: id ?? `${name}-${i + 1}`,
  }))
  return {
    ...{ ...inner, name },
    ...(kind.properties && { properties: Object.fromEntries(properties) as JsonObject }),
    ...(documents && { documents }),
  }
}

/** What kinds may share an index, by what they are kinds of; any other has one for itself. */
function groupOf({ name, types, afterwards, settings = {}, mapping }: IndexKind): string {
  const [group] = name.split('-')
  const setting = Object.keys(flattenSettings(settings))
  const isOwn =
    types !== undefined ||
    afterwards !== undefined ||
    setting.some((one) => /number_of|routing_part|sort|hidden|mode|analyzer\.default/.test(one)) ||
    Object.keys(objectOf(mapping)).some((key) => /dynamic$|_source|_routing|subobjects/.test(key))
  return isOwn ? name : (groups[group!] ?? name)
}

const groups: { readonly [prefix: string]: string } = {
  field: 'fields',
  analysis: 'analysis',
  setting: 'settings',
  alias: 'aliases',
  root: 'roots',
}

/** Each kind in the first index of its group where nothing is said otherwise. */
function packed(kinds: readonly IndexKind[]): IndexKind[][] {
  const places: { group: string; kinds: IndexKind[]; said: Map<string, Json> }[] = []
  for (const kind of kinds) {
    const group = groupOf(kind)
    const said = Object.entries(saidBy(kind))
    const fits = (there: Map<string, Json>): boolean =>
      said.every(([key, value]) => !there.has(key) || isDeepStrictEqual(there.get(key), value))
    let place = places.find((one) => one.group === group && fits(one.said))
    if (place === undefined) places.push((place = { group, kinds: [], said: new Map() }))
    place.kinds.push(kind)
    for (const [key, value] of said) place.said.set(key, value)
  }
  return places.map((place) => place.kinds)
}

function saidBy({
  settings = {},
  mapping = {},
  properties = {},
  aliases = {},
}: IndexKind): JsonObject {
  const { properties: fields = {}, ...root } = mapping
  const prefixed = (prefix: string, object: JsonObject): [string, Json][] =>
    Object.entries(object).map(([key, value]) => [prefix + key, value])
  return Object.fromEntries([
    ...prefixed('', flattenSettings(settings)),
    ...prefixed('root ', root),
    ...prefixed('field ', { ...objectOf(fields), ...properties }),
    ...prefixed('alias ', aliases),
  ])
}

async function makeIndex(engine: EngineFacts, index: SharedIndex): Promise<void> {
  try {
    await tryIndex(engine, index)
  } catch (cause) {
    const names = index.kinds.map(({ name }) => name).join(' ')
    throw new Error(`not made together: ${names}; ${howToRecord}`, { cause })
  }
}

async function tryIndex(engine: EngineFacts, { name, kinds }: SharedIndex): Promise<void> {
  const merged = (of: (kind: IndexKind) => JsonObject): JsonObject =>
    Object.assign({}, ...kinds.map(of)) as JsonObject
  const mapping = {
    ...merged((kind) => kind.mapping ?? {}),
    properties: merged((kind) => ({ ...objectOf(kind.mapping?.properties), ...kind.properties })),
  }
  await send(engine, 'PUT', `/${name}`, {
    settings: {
      ...{ 'index.number_of_shards': 1, 'index.number_of_replicas': 0 },
      'index.mapping.total_fields.limit': 2000,
      ...merged((kind) => flattenSettings(kind.settings ?? {})),
    },
    mappings: isTyped(engine) ? { doc: mapping } : mapping,
    aliases: merged((kind) => kind.aliases ?? {}),
  })
  await writeDocuments(engine, { name, kinds })
  for (const [method, path, body] of kinds.flatMap(({ afterwards = [] }) => afterwards)) {
    const [, , ...rest] = path.split('/')
    await send(engine, method, ['', name, ...rest].join('/'), body)
  }
}

/** Writes the documents of the kinds, and gives for each refused one the name of its kind and why. */
export async function writeDocuments(
  engine: EngineFacts,
  { name, kinds }: SharedIndex,
): Promise<{ kind: string; reason: string }[]> {
  const type = isTyped(engine) ? { _type: 'doc' } : {}
  const documents = kinds.flatMap((kind) =>
    (kind.documents ?? []).map((one) => ({ kind: kind.name, ...one })),
  )
  if (documents.length === 0) return []
  const lines = documents.flatMap(({ id, routing, source }) => {
    const action = { _index: name, ...type, _id: id, ...(routing !== undefined && { routing }) }
    return [JSON.stringify({ index: action }), JSON.stringify(source)]
  })
  // Errors come item by item, which send() would take for one.
  const path = '/_bulk?refresh=true&filter_path=items'
  const { items } = await send<{ items: { index: { error?: Json } }[] }>(
    engine,
    'POST',
    path,
    `${lines.join('\n')}\n`,
  )
  return items.flatMap(({ index: { error } }, i) =>
    error === undefined ? [] : [{ kind: documents[i]!.kind, reason: JSON.stringify(error) }],
  )
}
