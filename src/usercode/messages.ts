import type { PackedDocuments } from '../transform/packed-documents.ts'
import type { ReadRequest } from '../transform/module.ts'
import type { Direction, MappingOf, StepShape, Unsent } from '../transform/pipeline.ts'
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
  | { readonly type: 'mapping'; readonly of: MappingOf; readonly mapping: string }
  | { readonly type: 'request'; readonly request: ReadRequest }

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
  | { readonly type: 'request'; readonly request: ReadRequest }
  /** What a function for mappings or requests threw. */
  | { readonly type: 'failed'; readonly reason: string }
