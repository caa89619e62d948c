/**
 * What a rule is. Rules are data: which versions one is for, what it fits, what is lost by it, where the change is
 * documented, and its own cases. What it does, it does through an Edit (edit.ts), which writes down each change as it
 * makes it: a rule cannot change anything that is not in the plan.
 *
 * translate.ts runs the table (table.ts) over one content: the settings and mapping of an index or of a template.
 */
import type { Json, JsonObject } from '../../base/json.ts'
import type { VersionRange } from '../../base/version-range.ts'
import type { EngineVersion } from '../../cluster/cluster.ts'
import type { FlatSettings } from '../settings.ts'
import type { Edit, Notes } from './edit.ts'
import type { Analysis } from './analysis-settings.ts'

export {
  anyVersion,
  elasticsearch,
  isFrom,
  isIn,
  openSearch,
  type VersionRange,
} from '../../base/version-range.ts'

/**
 * What is lost by a rule: nothing; the meaning changes (scores, limits, other answers to some query); or what somebody
 * set up is left out. All but the first makes the exit code say so.
 */
export type Loses = 'nothing' | 'meaning' | 'dropped'

/** Choices that the rules leave to the user, with a default each. */
export interface RuleChoices {
  /** Add a `.keyword` sub-field to each analysed `string`. */
  readonly stringKeyword: boolean
  /** What becomes of `flattened` where the target has no flat_object (before 2.7). */
  readonly flattened: 'refuse' | 'object' | 'unsearchable'
  /**
   * What becomes of an index with several mapping types: one mapping of all, the same with the type of each document in a
   * field and in its id, an index for each (parts.ts), or refused.
   */
  readonly types: 'union' | 'keep' | 'split' | 'refuse'
  /** The field for `keep`. */
  readonly typeField: string
}

export const defaultChoices: RuleChoices = {
  stringKeyword: false,
  flattened: 'refuse',
  types: 'union',
  typeField: 'doc_type',
}

export interface RuleContext {
  readonly source: EngineVersion
  /** The version that made the index, where that is known: it decides about defaults. */
  readonly created: EngineVersion
  readonly target: EngineVersion
  readonly choices: RuleChoices
  /** Copies of each shard must be a multiple of it: the values of the target's awareness attribute. 1: no matter. */
  readonly awarenessCopies: number
  /** Search pipelines that the target has, or gets. */
  readonly searchPipelines: ReadonlySet<string>
  /** The settings as the source has them. */
  readonly settings: FlatSettings
}

/** A mapping under the name of its type; `_doc` where the engine has none. */
export type MappingsByType = { readonly [type: string]: JsonObject }

/** Where a field rule stands. */
export interface FieldPlace {
  /** Dotted name from the root; `*` in a dynamic template. */
  readonly name: string
  readonly inDynamicTemplate: boolean
  /** True for what stands under `fields` of another field. */
  readonly isMultiField: boolean
  /** What a dynamic template fits by `match_mapping_type`. */
  readonly matchMappingType?: string
  /** Settings of the same content, which a field may need (`index.knn`). */
  readonly settings: Edit
}

interface RuleBase {
  readonly name: string
  readonly source: VersionRange
  readonly target: VersionRange
  readonly loses: Loses
  /** What is done and why, as a clause: the reason of each change unless the rule gives another. */
  readonly why: string
  /** Documentation of the change that makes it needed. */
  readonly link: string
  readonly cases: readonly RuleCase[]
  /** Why it could not be tried on a real target, where it could not. */
  readonly untried?: string
}

/** For every field: of properties, of multi-fields, of dynamic templates. */
export interface FieldRule extends RuleBase {
  readonly kind: 'field'
  readonly matches: (field: JsonObject, context: RuleContext, place: FieldPlace) => boolean
  readonly does: (field: Edit, context: RuleContext, place: FieldPlace) => void
}

/** For the root of a mapping. */
export interface RootRule extends RuleBase {
  readonly kind: 'root'
  readonly matches: (mapping: JsonObject, context: RuleContext) => boolean
  readonly does: (mapping: Edit, context: RuleContext, settings: Edit) => void
}

/** For settings by name. The first rule of this kind that fits a setting is the only one. */
export interface SettingRule extends RuleBase {
  readonly kind: 'setting'
  /** Full names, `*` for any run of characters. */
  readonly names: readonly string[]
  readonly matches?: (value: Json, context: RuleContext) => boolean
  readonly does:
    'drop' | 'withhold' | ((settings: Edit, name: string, context: RuleContext) => void)
}

/** For `index.analysis` and `index.similarity`. */
export interface AnalysisRule extends RuleBase {
  readonly kind: 'analysis'
  readonly does: (analysis: Analysis, context: RuleContext) => void
}

/** For mappings by type, before they are one. Paths of its notes begin with `mappings`. */
export interface TypesRule extends RuleBase {
  readonly kind: 'types'
  readonly matches: (types: MappingsByType, context: RuleContext) => boolean
  readonly does: (types: MappingsByType, notes: Notes, context: RuleContext) => MappingsByType
}

export type Rule = TypesRule | FieldRule | RootRule | SettingRule | AnalysisRule

/**
 * One case: the whole table is run over `before` and must give `after`, with exactly these changes. What `before` and
 * `after` are follows from the kind of the rule: a field, a mapping, settings; or a whole content.
 */
export interface RuleCase {
  /** `5.6 > 3.6`: Elasticsearch 5.6 to OpenSearch 3.6; `os2.19 > 3.6`: OpenSearch to OpenSearch. */
  readonly on: string
  readonly before: JsonObject
  readonly after: JsonObject
  /** For a field or a mapping: the settings beside it, before and after. */
  readonly settings?: readonly [JsonObject, JsonObject]
  /** For settings and analysis: the mapping beside it, before and after. */
  readonly mapping?: readonly [JsonObject, JsonObject]
  /** `path what`, with a `!` at the end where something is lost; the path from `before` on. */
  readonly changes: readonly string[]
  readonly choices?: Partial<RuleChoices>
  readonly awarenessCopies?: number
  readonly searchPipelines?: readonly string[]
  /** What a real target says to `before`: refused unless said; `after` it must always accept. */
  readonly without?: 'refused' | 'accepted'
  /** Why no real target could be asked. */
  readonly untried?: string
}
