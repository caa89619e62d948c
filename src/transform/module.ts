/**
 * What a module of a user exports to change things on their way; a user imports these types from 'osmigrate'. This file
 * is published as it stands and imports nothing.
 */

/**
 * A number that no double holds, such as 12345678901234567890: what JSON.rawJSON(text) gives. It may be kept, moved and
 * copied, and no digit is lost; to calculate with it, say how: `BigInt(number.rawJSON)`.
 */
export interface ExactNumber {
  readonly rawJSON: string
}

/** A value of a document. A bigint is written as a number; what stands for nothing in JSON (NaN, functions) is refused. */
export type Value = null | boolean | number | string | bigint | ExactNumber | Value[] | Fields

/** The `_source` of a document, or an object in it. What is left alone keeps its very text. */
export interface Fields {
  [name: string]: Value
}

/** A document on its way. Change it, or make a new one. */
export interface Document {
  /** May only change where the index has one shard: the source's numbers are each shard's own. */
  id: string
  routing?: string
  /** The mapping type of documents of Elasticsearch before 7; has no meaning to OpenSearch. */
  readonly type?: string
  source: Fields
}

/** A document that is not carried over, as said by `ctx.drop(reason)`. */
export interface Dropped {
  readonly dropped: string
}

/** The mapping of an index as it would be sent to the target: `properties`, `dynamic` and so on. */
export interface Mapping {
  [name: string]: Value
}

/** A search or other reading request of a client, for the replay on the target. */
export interface ReadRequest {
  method: string
  /** With the query string. */
  path: string
  body?: string
}

/** Where a function is called. */
export interface Context {
  /** Name on the source. */
  readonly index: string
  /** `options` of the step in migration.yaml. */
  readonly options: { readonly [name: string]: unknown }
}

export interface MappingContext extends Context {
  /** The name of the template that it is the mapping of; `index` is the first of its patterns then. */
  readonly template?: string
}

/** `index` is what the path names, `shop-*,orders`; empty where it names none. */
export type RequestContext = Context

export interface DocumentContext extends Context {
  /**
   * Leaves the document out: `return ctx.drop('a test account')`. It is counted under its reason; the exit code is 3
   * unless the step says `allowDrop: true`. Keep the number of reasons small.
   */
  drop(reason: string): Dropped
}

/**
 * All functions that a module may export, by these names. They are called in a thread of their own, one after the other,
 * without waiting for promises. What they throw makes the document a dead letter.
 */
export interface TransformModule {
  /** Changes the mapping of an index, or of a template, before it is made on the target. */
  mapping?(mapping: Mapping, ctx: MappingContext): Mapping
  /** Changes a document before it is sent to the target. */
  document?(document: Document, ctx: DocumentContext): Document | Dropped
  /** The inverse of `document`: with it the way back from the target stays open. */
  documentBack?(document: Document, ctx: DocumentContext): Document | Dropped
  /** Changes a request before it is sent to the target as well; tried by `osmigrate transform test --request`. */
  request?(request: ReadRequest, ctx: RequestContext): ReadRequest
}
