import type { PackedDocuments } from '../transform/packed-documents.ts'
import type { Direction, StepShape, Unsent } from '../transform/pipeline.ts'
import type { TransformSpec } from '../transform/spec.ts'

/** What the thread of a Transformer is started with. */
export interface ThreadData {
  readonly spec: TransformSpec
  /** One number: the document at work, by its place in what was sent; -1 between two. */
  readonly place: Int32Array<SharedArrayBuffer>
}

export interface DocumentsTask {
  readonly index: string
  readonly direction: Direction
  /** Id and routing may change. */
  readonly mayRename: boolean
  /** Documents that are not to be run: they ended a thread before. */
  readonly leaveOut: readonly number[]
  readonly documents: PackedDocuments
}

export type ToThread =
  | ({ readonly type: 'documents' } & DocumentsTask)
  | { readonly type: 'mapping'; readonly index: string; readonly mapping: string }

export type FromThread =
  | { readonly type: 'ready'; readonly steps: readonly StepShape[] }
  /** The modules cannot be used. */
  | { readonly type: 'unusable'; readonly reason: string }
  | {
      readonly type: 'documents'
      readonly documents: PackedDocuments
      readonly unsent: readonly (readonly [number, Unsent])[]
    }
  | { readonly type: 'mapping'; readonly mapping: string }
  /** What a mapping function threw. */
  | { readonly type: 'failed'; readonly reason: string }
