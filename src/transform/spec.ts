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
  /** Absolute path of a module. */
  readonly path: string
  /** Changes with the step and with the text of its module. */
  readonly digest: string
}

/** What is done to an index, in short: another text means that something else may be done. null: nothing. */
export function fingerprint(spec: TransformSpec | undefined, index: string): string | null {
  const own = stepsOf(spec?.steps ?? [], index)
  return own.length === 0 ? null : own.map(({ digest }) => digest).join('+')
}
