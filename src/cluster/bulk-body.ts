/** An NDJSON body of `count` items; item i is bytes [itemStart[i], itemStart[i + 1]) of `bytes`. */
export interface BulkBody {
  readonly bytes: Buffer
  /** count + 1 offsets; the last is the end of the body. */
  readonly itemStart: Int32Array
  readonly count: number
}

/** What came of one item that was not simply written. */
export interface ItemProblem {
  /** Position in the body. */
  readonly item: number
  readonly status: number
  /** e.g. mapper_parsing_exception, version_conflict_engine_exception. */
  readonly type: string
  readonly reason: string
}

/** Every item of a delivered body is settled: written, in conflict, or refused. */
export interface BulkOutcome {
  readonly written: number
  /** 409: the target holds a higher version. Whether that is success is for the caller to say (design §3.1). */
  readonly conflicts: readonly ItemProblem[]
  /** To become dead letters. */
  readonly refused: readonly ItemProblem[]
  /**
   * Of a body whose items name their places: what the index of the item alone is to blame for (it is gone, blocked, or has
   * no primary just now). It was answered, and was not written; the caller says when it is sent again.
   */
  readonly held?: readonly ItemProblem[]
  readonly bytesSent: number
  readonly requests: number
  /** How often something was waited for: the target asks for less at once. */
  readonly waits: number
  /** A 413 came: bodies should become smaller. */
  readonly tooLarge: boolean
}
