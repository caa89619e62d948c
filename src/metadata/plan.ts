import type { Json, JsonObject } from '../base/json.ts'
import type { LeftOut } from '../base/select-indices.ts'
import type { TargetIndex } from '../state/records.ts'

/** What is done with one object of the snapshot. */
export type PlannedAction =
  /** It is made on the target. */
  | 'create'
  /** It is on the target already, as wanted (for an index: made by this migration). */
  | 'exists-equal'
  /** One of that name is on the target with other contents, which `reason` names: it is left as it is. */
  | 'exists-different'
  /** An index of that name was there before and is as wanted: it is taken over. */
  | 'adopt'
  /** It cannot be made; `reason` says why. */
  | 'refused'

/** One thing that is not on the target as it is on the source. Nothing is changed without such a line. */
export interface PlannedChange {
  /** The rule that made it (docs/reference/metadata-rules.md); absent for what is no rule's. */
  readonly rule?: string
  /** e.g. `settings.index.uuid`, `mappings._all`, `aliases.logs`. */
  readonly path: string
  /** `cannot`: the target would refuse it, and so the object is refused; `reason` says what to do. */
  readonly what: 'dropped' | 'withheld' | 'changed' | 'added' | 'noted' | 'cannot'
  readonly from?: Json
  readonly to?: Json
  readonly reason: string
  /** True where something that a user set up is not carried over: the exit code says so. */
  readonly loss: boolean
}

export interface PlannedObject {
  readonly name: string
  readonly action: PlannedAction
  /** Why it is refused or different; absent when it is simply made. */
  readonly reason?: string
  readonly changes: readonly PlannedChange[]
  /** What is sent to the target. */
  readonly body: JsonObject
}

export type TemplateKind = 'component-template' | 'legacy-template' | 'index-template'

/** Where each kind lives in the API of the target. */
export const templatePaths = {
  'component-template': '_component_template',
  'legacy-template': '_template',
  'index-template': '_index_template',
} as const

export interface PlannedTemplate extends PlannedObject {
  readonly kind: TemplateKind
  /** Settings kept off the target until the switch: they would hold for every index made from the template. */
  readonly withheld: { readonly [setting: string]: string }
}

/** A stored script, or a pipeline for documents or searches. */
export interface PlannedPipeline extends PlannedObject {
  readonly kind: 'stored-script' | 'ingest-pipeline' | 'search-pipeline'
}

export interface PlannedIndex extends PlannedObject {
  readonly kind: 'index'
  readonly targetIndex: string
  /** The target has made it under another name for a moment, and taken it. */
  readonly probed?: boolean
  /** See TargetIndex. */
  readonly types?: TargetIndex['types'] & {}
  readonly distinctIn?: string | null
  /** The data stream that it is behind on the source. */
  readonly dataStream?: string
  /** Its place in one of the target; absent where it is not behind one there. Positions count from 1, the oldest. */
  readonly stream?: {
    readonly name: string
    readonly position: number
    readonly timestampField: string
  }
  readonly sourceUuid: string
  /** See TargetIndex. */
  readonly life?: number
  readonly fenceAlias: string
  readonly sourceShards: number
  readonly targetShards: number
  readonly mayHoldRouted: boolean
  /** Why documents of this index are, or may be, routed; empty where nothing says so (or nobody had to look). */
  readonly routedBy: readonly string[]
  readonly sourceForm: TargetIndex['sourceForm']
  /** How many documents have no full `_source`, nested ones counted too; null where all have. */
  readonly sourceDocuments: number | null
  readonly withheld: { readonly [setting: string]: string }
}

/** A thing that the snapshot holds and that stays behind. */
export interface NotCarried {
  /** e.g. `ingest pipeline`, `data stream`, `lifecycle policy`, `cluster setting`. */
  readonly kind: string
  readonly name: string
  readonly reason: string
}

/** What was planned from. */
export type PlanSource =
  | {
      readonly kind: 'snapshot'
      readonly repository: string
      readonly snapshot: string
      readonly uuid: string
    }
  | { readonly kind: 'cluster'; readonly url: string }

/** Everything that applying would do. Plain JSON, so that it can be shown, kept and compared. */
export interface MetadataPlan {
  readonly source: PlanSource
  /** Without a url nobody was asked: the plan is for any OpenSearch of that version, with nothing in it. */
  readonly target: { readonly version: string; readonly url?: string }
  /** Stored scripts, then the pipelines that may use them. */
  readonly pipelines: readonly PlannedPipeline[]
  readonly componentTemplates: readonly PlannedTemplate[]
  readonly legacyTemplates: readonly PlannedTemplate[]
  readonly indexTemplates: readonly PlannedTemplate[]
  readonly indices: readonly PlannedIndex[]
  readonly notCarried: readonly NotCarried[]
  /** Templates that the selection leaves out by name. */
  readonly templatesNotSelected: readonly string[]
  /** Of `notSelected` those that nobody excluded: hidden ones and the engine's own. */
  readonly leftOut: readonly LeftOut[]
  /** Indices and data streams of the source that the selection leaves out. */
  readonly notSelected: readonly string[]
}

/** Templates in the order in which they are made (an index template names component templates), then indices. */
export function plannedTemplates(plan: MetadataPlan): PlannedTemplate[] {
  return [...plan.componentTemplates, ...plan.legacyTemplates, ...plan.indexTemplates]
}

/** All objects in the order in which they are made. */
export function plannedObjects(
  plan: MetadataPlan,
): (PlannedPipeline | PlannedTemplate | PlannedIndex)[] {
  return [...plan.pipelines, ...plannedTemplates(plan), ...plan.indices]
}

/** True when all that was selected gets to the target: nothing refused, nothing different, nothing lost. */
export function carriesEverything(plan: MetadataPlan): boolean {
  return (
    plan.notCarried.length === 0 &&
    plannedObjects(plan).every(
      ({ action, changes }) =>
        action !== 'refused' && action !== 'exists-different' && !changes.some(({ loss }) => loss),
    )
  )
}
