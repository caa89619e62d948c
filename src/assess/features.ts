import { isJsonObject, type Json } from '../base/json.ts'
import { flattenSettings, type FlatSettings } from '../metadata/settings.ts'
import { objectOf } from '../metadata/json-objects.ts'
import type { MetadataPlan } from '../metadata/plan.ts'
import { sourceFormOf } from '../metadata/source-form.ts'
import type { GlobalMetadata, IndexMetadata } from '../snapshot/snapshot.ts'
import type { Feature, FieldTypeUse } from './assessment.ts'

/** Each with what of an index shows that it is used. */
const features: readonly { feature: string; isUsedBy: (index: Look) => boolean }[] = [
  { feature: 'nested documents', isUsedBy: ({ types }) => types.has('nested') },
  {
    feature: 'parent and child',
    isUsedBy: ({ types, roots }) => types.has('join') || roots.has('_parent'),
  },
  { feature: 'percolator', isUsedBy: ({ types }) => types.has('percolator') },
  { feature: 'completion suggester', isUsedBy: ({ types }) => types.has('completion') },
  { feature: 'vectors', isUsedBy: ({ types }) => vectorTypes.some((type) => types.has(type)) },
  {
    feature: 'geo fields',
    isUsedBy: ({ types }) => types.has('geo_point') || types.has('geo_shape'),
  },
  { feature: 'runtime fields', isUsedBy: ({ roots }) => roots.has('runtime') },
  { feature: 'dynamic templates', isUsedBy: ({ roots }) => roots.has('dynamic_templates') },
  {
    feature: 'several mapping types',
    isUsedBy: ({ index }) => Object.keys(index.mappings).length > 1,
  },
  { feature: 'required routing', isUsedBy: ({ roots }) => roots.has('_routing') },
  { feature: 'routing partitions', isUsedBy: ({ index }) => index.routingPartitionSize > 1 },
  {
    feature: '_source not kept whole',
    isUsedBy: ({ index, settings }) => sourceFormOf(index, settings) !== 'full',
  },
  { feature: 'index sorting', isUsedBy: has('index.sort.') },
  { feature: 'own analysis', isUsedBy: has('index.analysis.') },
  {
    feature: 'analysis with files on the nodes',
    isUsedBy: has('index.analysis.', /(_path|\.hunspell|\.dictionary|user_dictionary)$/),
  },
  { feature: 'own similarity', isUsedBy: has('index.similarity.') },
  { feature: 'ingest pipeline as default or final', isUsedBy: has('index.', /_pipeline$/) },
  {
    feature: 'lifecycle policy',
    isUsedBy: has(
      'index.',
      /^index\.(lifecycle\.name|plugins\.index_state_management\.policy_id)$/,
    ),
  },
  { feature: 'index mode', isUsedBy: has('index.mode') },
  { feature: 'searchable snapshot', isUsedBy: has('index.store.snapshot.') },
  { feature: 'cross-cluster replication', isUsedBy: has('index.xpack.ccr.') },
  { feature: 'codec', isUsedBy: has('index.codec') },
  { feature: 'write block', isUsedBy: has('index.blocks.') },
  { feature: 'aliases', isUsedBy: ({ index }) => Object.keys(index.aliases).length > 0 },
  {
    feature: 'aliases with filter or routing',
    isUsedBy: ({ index }) =>
      aliasHas(index, ['filter', 'index_routing', 'search_routing', 'routing']),
  },
]

const vectorTypes = ['dense_vector', 'sparse_vector', 'knn_vector', 'rank_vectors', 'semantic_text']

/** What is looked at of one index, collected once. */
interface Look {
  readonly index: IndexMetadata
  readonly settings: FlatSettings
  readonly types: ReadonlyMap<string, number>
  /** Keys at the roots of its mappings. */
  readonly roots: ReadonlySet<string>
}

/** True where a setting begins so, and fits the pattern. */
function has(prefix: string, pattern = /./): (look: Look) => boolean {
  return ({ settings }) =>
    Object.keys(settings).some((name) => name.startsWith(prefix) && pattern.test(name))
}

function aliasHas({ aliases }: IndexMetadata, keys: readonly string[]): boolean {
  return Object.values(aliases).some((alias) => keys.some((key) => key in alias))
}

/** Collects what indices make use of, one index after the other; keeps their names and no more. */
export class FeatureCount {
  readonly #used = new Map<string, string[]>()
  readonly #types = new Map<string, { fields: number; indices: number }>()

  add(index: IndexMetadata): void {
    const types = new Map<string, number>()
    for (const mapping of Object.values(index.mappings)) countTypes(mapping.properties, types)
    const look: Look = {
      index,
      settings: flattenSettings(objectOf(index.settings)),
      types,
      roots: new Set(Object.values(index.mappings).flatMap(Object.keys)),
    }
    for (const { feature, isUsedBy } of features)
      if (isUsedBy(look)) this.#note(feature, index.name)
    for (const [type, fields] of types) {
      const before = this.#types.get(type) ?? { fields: 0, indices: 0 }
      this.#types.set(type, { fields: before.fields + fields, indices: before.indices + 1 })
    }
  }

  /** What the cluster as a whole has: templates, pipelines, scripts, data streams, and what is not carried over. */
  addGlobal(global: GlobalMetadata, plan: MetadataPlan): void {
    const templates = [
      ['legacy template', global.legacyTemplates],
      ['component template', global.componentTemplates],
      ['index template', global.indexTemplates],
    ] as const
    for (const [kind, byName] of templates)
      for (const name of Object.keys(byName)) this.#note(kind, name)
    for (const { kind, name } of plan.pipelines) this.#note(kind.replace('-', ' '), name)
    const streams = plan.indices.flatMap(({ dataStream }) => dataStream ?? [])
    for (const name of new Set(streams)) this.#note('data stream', name)
    for (const { kind, name } of plan.notCarried) this.#note(kind, name)
  }

  get features(): Feature[] {
    return [...this.#used].map(([feature, objects]) => ({
      feature,
      count: objects.length,
      objects,
    }))
  }

  get fieldTypes(): FieldTypeUse[] {
    return [...this.#types]
      .map(([type, counts]) => ({ type, ...counts }))
      .sort((a, b) => b.fields - a.fields || (a.type < b.type ? -1 : 1))
  }

  #note(feature: string, name: string): void {
    const names = this.#used.get(feature)
    if (names) names.push(name)
    else this.#used.set(feature, [name])
  }
}

function countTypes(properties: Json | undefined, types: Map<string, number>): void {
  if (!isJsonObject(properties)) return
  for (const field of Object.values(properties)) {
    if (!isJsonObject(field)) continue
    const type = typeof field.type === 'string' ? field.type : 'object'
    types.set(type, (types.get(type) ?? 0) + 1)
    countTypes(field.properties, types)
    countTypes(field.fields, types)
  }
}
