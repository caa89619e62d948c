import type { ConvertType } from './declared.ts'
import { stepsOf } from './pipeline.ts'

/** What a transform is made of, as plain data that goes to other threads. */
export interface TransformSpec {
  readonly steps: readonly StepSpec[]
  /** How long one document may take. */
  readonly deadlineMs: number
}

/** A step as configured. */
export interface StepSpec {
  readonly name: string
  readonly indices?: readonly string[]
  readonly allowDrop: boolean
  readonly options: { readonly [name: string]: unknown }
  readonly action: ModuleAction | DeclaredAction
  /** Changes with the step and with the text of its module. */
  readonly digest: string
}

export interface ModuleAction {
  readonly kind: 'module'
  /** Absolute. */
  readonly path: string
}

/** What migration.yaml can say without a module. */
export type DeclaredAction =
  /** Old path to new path. */
  | { readonly kind: 'rename'; readonly rename: { readonly [from: string]: string } }
  | { readonly kind: 'copy'; readonly copy: { readonly [from: string]: string } }
  | { readonly kind: 'remove'; readonly remove: readonly string[] }
  | { readonly kind: 'set'; readonly set: { readonly [field: string]: unknown } }
  | { readonly kind: 'convert'; readonly convert: { readonly [field: string]: ConvertType } }
  | { readonly kind: 'keepType'; readonly keepType: { readonly field: string } }
  /** Does nothing to a document: the metadata makes an index for each type (metadata/parts.ts). */
  | { readonly kind: 'splitTypes'; readonly splitTypes: true }
  | { readonly kind: 'onlyTypes'; readonly onlyTypes: readonly string[] }

/** True where a step asks for an index of its own for each mapping type. */
export function splitsTypes(spec: TransformSpec | undefined, index: string): boolean {
  return stepsOf(spec?.steps ?? [], index).some(({ action }) => action.kind === 'splitTypes')
}

/** What is done to an index, in short: another text means that something else may be done. null: nothing. */
export function fingerprint(spec: TransformSpec | undefined, index: string): string | null {
  const own = stepsOf(spec?.steps ?? [], index)
  return own.length === 0 ? null : own.map(({ digest }) => digest).join('+')
}
