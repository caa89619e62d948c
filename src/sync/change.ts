/**
 * What one exchange made of one document of the source: to be on the target. It comes from what the source answered, never
 * from what a request hoped for.
 */
export interface Change {
  /** The index itself, as the answer names it: never an alias or a data stream. */
  readonly index: string
  readonly id: string
  /** null: it has none. undefined: not told; the document is looked up. */
  readonly routing: string | null | undefined
  /**
   * - `write`: `source` is the document.
   * - `delete`: it is gone, by the write numbered `seqNo`.
   * - `read`: what it is now has to be read from the source.
   */
  readonly what: 'write' | 'delete' | 'read'
  /** `_source` as the client sent it, JSON in one line; of `write` alone. */
  readonly source?: Buffer
  /** The source's number of the write; undefined where it is not told: before 6.0, or no whole answer came. */
  readonly seqNo?: number
  readonly primaryTerm?: number
  /** `_version`, as the answer has it. */
  readonly version?: number
  /** The source knew of no such document before, so that no snapshot holds an older one. */
  readonly isNew?: boolean
  /** The client gave the version (`version_type` external or external_gte): design §3.5. */
  readonly hasClientVersion?: boolean
  /** Before 7: the mapping type. */
  readonly type?: string
  /** Where it is known: the source's shard that gave the number. */
  readonly shard?: number
}

/** The same document, to be read: nothing that came with the write is believed but what says how it is read and written. */
export function asRead(
  {
    index,
    id,
    type,
    hasClientVersion,
  }: Pick<Change, 'index' | 'id'> & {
    readonly type?: string | undefined
    readonly hasClientVersion?: boolean
  },
  routing: Change['routing'],
): Change {
  return {
    ...{ index, id, routing, what: 'read' },
    ...(type && { type }),
    ...(hasClientVersion && { hasClientVersion }),
  }
}

/** Something was done whose reach no answer tells: what it did is looked for on the source. */
export interface Signal {
  /**
   * - `metadata`: indices, aliases, mappings, settings, templates, pipelines may be others now.
   * - `documents`: documents that the answer does not name may have changed; the audit finds them.
   */
  readonly what: 'metadata' | 'documents'
  /** Names and patterns that the request named; undefined: any. */
  readonly indices: readonly string[] | undefined
  /** For people: the API, or why it is not known. */
  readonly cause: string
}

/** What an exchange comes to. Both empty: it changed nothing. */
export interface Outcome {
  readonly changes: readonly Change[]
  readonly signals: readonly Signal[]
}
