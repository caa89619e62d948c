import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { IndexMetadata } from '../snapshot/snapshot.ts'
import type { TargetIndex } from '../state/records.ts'
import type { PlannedChange } from './plan.ts'
import type { FlatSettings } from './settings.ts'
import type { SourceDocuments } from './source-documents.ts'

/** What the plan says of the `_source` of an index. */
export interface PlannedSource {
  readonly form: TargetIndex['sourceForm']
  /** How many documents that concerns, nested ones counted too; null where the form is full, or where nobody tells. */
  readonly documents: number | null
  readonly changes: readonly PlannedChange[]
  /** Why the index is not carried over, where nobody has asked for what is there. */
  readonly refused?: string
}

/**
 * What an index keeps of its documents: as its mapping and settings say, and where these say nothing, as the first
 * document of its stored fields shows. An index that does not keep all of it is refused by name unless
 * `allowPartialSource`.
 */
export async function planSource(
  input: {
    readonly documents: SourceDocuments
    readonly allowPartialSource: boolean
  },
  index: IndexMetadata,
  settings: FlatSettings,
): Promise<PlannedSource> {
  const declared = sourceFormOf(index, settings)
  const form = declared === 'full' ? await storedForm(input.documents, index) : declared
  if (form === 'full') return { form, documents: null, changes: [] }
  const documents = (await input.documents.count(index)) ?? null
  const number = documents === null ? 'number of' : documents.toLocaleString('en-US')
  const text = `${sourceFormTexts[form]} (${number} documents${documents === null ? ' unknown' : ', nested ones counted'})`
  return {
    form,
    documents,
    changes: [{ path: 'mappings._source', what: 'noted', reason: text, loss: true }],
    ...(!input.allowPartialSource && {
      refused:
        `${index.name} cannot be carried over whole: ${text}. Exclude it (--exclude), reindex it on the source, ` +
        'or send what is there with --allow-partial-source',
    }),
  }
}

/** What each form means for the documents. */
const sourceFormTexts = {
  filtered: '_source keeps a part of each document only, and the rest is not in the snapshot',
  disabled: '_source is not kept, so the documents are not in the snapshot',
  synthetic:
    '_source is made from doc values when it is asked for, so the documents are not in the snapshot as they were sent',
}

const rank = { full: 0, filtered: 1, synthetic: 2, disabled: 3 }

/** What the mapping (of whatever type), the index's mode and its settings do to `_source`. */
export function sourceFormOf(
  { mappings, createdVersion }: Pick<IndexMetadata, 'mappings' | 'createdVersion'>,
  settings: FlatSettings,
): TargetIndex['sourceForm'] {
  const types = Object.values(mappings)
  const forms = (types.length > 0 ? types : [{}]).map((type) => formOfMapping(type, settings))
  if (types.some((one) => leavesVectorsOut(one, createdVersion, settings))) {
    forms.push('filtered')
  }
  return forms.reduce((worst, form) => (rank[form] > rank[worst] ? form : worst), 'full')
}

function formOfMapping(mapping: JsonObject, settings: FlatSettings): TargetIndex['sourceForm'] {
  const source = isJsonObject(mapping._source) ? mapping._source : {}
  const mode = source.mode ?? settings['index.mapping.source.mode']
  if (source.enabled === false || source.enabled === 'false' || mode === 'disabled') {
    return 'disabled'
  }
  // A mapping that says how overrules what the index's mode does by default.
  const indexMode = settings['index.mode']
  const byMode = mode === undefined && (indexMode === 'logsdb' || indexMode === 'time_series')
  if (mode === 'synthetic' || settings['index.derived_source.enabled'] === 'true')
    return 'synthetic'
  if (byMode && source.enabled === undefined) return 'synthetic'
  return isFilled(source.includes) || isFilled(source.excludes) ? 'filtered' : 'full'
}

function isFilled(list: Json | undefined): boolean {
  return Array.isArray(list) ? list.length > 0 : typeof list === 'string' && list !== ''
}

/** Versions of OpenSearch have this bit in the version that made an index. */
const openSearchBit = 0x0800_0000
/** The first index version of Elasticsearch (9.2), and of OpenSearch, that takes vectors out of `_source` unasked. */
const elasticsearchVectorsOut = 9_035_000
const openSearchVectorsOut = openSearchBit + 3_000_000

/** Vectors are not stored a second time in `_source` by newer engines, but put into it when it is asked for. */
function leavesVectorsOut(
  mapping: JsonObject,
  createdVersion: number,
  settings: FlatSettings,
): boolean {
  if (createdVersion >= openSearchBit) {
    const set = settings['index.knn.derived_source.enabled']
    const byDefault = createdVersion >= openSearchVectorsOut && settings['index.knn'] === 'true'
    const out = set === undefined ? byDefault : set === 'true'
    return out && hasField(mapping.properties, ['knn_vector'])
  }
  const set = settings['index.mapping.exclude_source_vectors']
  const out = set === undefined ? createdVersion >= elasticsearchVectorsOut : set === 'true'
  return out && hasField(mapping.properties, ['dense_vector', 'sparse_vector', 'rank_vectors'])
}

function hasField(properties: Json | undefined, types: readonly string[]): boolean {
  if (!isJsonObject(properties)) return false
  return Object.values(properties).some(
    (field) =>
      isJsonObject(field) &&
      ((typeof field.type === 'string' && types.includes(field.type)) ||
        hasField(field.properties, types)),
  )
}

/** What the first document that can be read shows. */
async function storedForm(
  documents: SourceDocuments,
  index: IndexMetadata,
): Promise<TargetIndex['sourceForm']> {
  switch (await documents.sample(index)) {
    case 'none':
      return 'disabled'
    case 'reduced':
      return 'filtered'
    case 'whole':
    case 'unknown':
      return 'full'
  }
}
