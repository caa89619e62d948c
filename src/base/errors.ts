/**
 * Every error that a person can meet has a code in the table below. `retryable` is decided where the
 * error is born; an error of the program itself (a bug) is an assertion and has no code.
 */
export const errorCodes = {
  MA_CORRUPT_DATA: 'bytes are not what their format says',
  MA_FORMAT_TOO_OLD: 'a format version older than any that this program reads',
  MA_FORMAT_TOO_NEW: 'a format version newer than any that this program reads',
  MA_UNSUPPORTED: 'a known format or feature that this program does not read',
  MA_BLOB_MISSING: 'a blob that the snapshot names is not in the repository',
  MA_BLOB_READ: 'a blob could not be read',
  MA_REPOSITORY: 'the location is not a snapshot repository, or not one that can be read',
  MA_SNAPSHOT: 'the snapshot does not exist or cannot be used as it is',
  MA_CONFIG: 'wrong usage or configuration',
  MA_SECRET: 'a secret could not be had from where the configuration points',
  MA_CLUSTER_UNREACHABLE: 'a cluster cannot be reached',
  MA_CLUSTER_AUTH: 'a cluster refuses the credentials or a permission is missing',
  MA_CLUSTER_KIND: 'a cluster is of a kind or version that cannot be used here',
  MA_CLUSTER_RESPONSE: 'a cluster answered something that cannot be used',
  MA_SOURCE_INDEX: 'an index of the source is gone, or does not tell what is needed of it',
  MA_TARGET_INDEX: 'a target index is missing, or is not the one that this migration made',
  MA_TRANSFORM: 'a transform failed, or may not do what it does',
  MA_TOO_MANY_DEAD_LETTERS: 'more documents were refused than deadLettersMax allows',
  MA_STATE: 'the state of the migration cannot be used as it is',
  MA_LOCKED: 'another process works on this migration',
  MA_STOPPED: 'stopped on request',
  MA_CAPTURE_LOG: 'the capture log is full, damaged or cannot be written',
  MA_ENGINE: 'a local engine could not be installed or started',
} as const

export type ErrorCode = keyof typeof errorCodes

/** What is wrong with bytes of the source: it concerns what is made of these bytes, and nothing beside it. */
export const unreadableCodes: readonly ErrorCode[] = [
  'MA_CORRUPT_DATA',
  'MA_FORMAT_TOO_OLD',
  'MA_FORMAT_TOO_NEW',
  'MA_UNSUPPORTED',
  'MA_BLOB_MISSING',
  'MA_BLOB_READ',
]

/**
 * True for an error that concerns bytes of the source alone; false where the place that holds them cannot be reached,
 * which concerns everything.
 */
export function isUnreadable(error: unknown): error is MigrationError {
  return error instanceof MigrationError && unreadableCodes.includes(error.code) && !error.retryable
}

export interface MigrationErrorOptions {
  cause?: unknown
  /** Facts for `--json` and for tests. Never a secret. */
  details?: Record<string, unknown>
  /** True if the same call may succeed later without anybody changing anything. */
  retryable?: boolean
}

/** The base of all operating errors: a code from the table, and a message that says what, where and what to do next. */
export class MigrationError extends Error {
  readonly code: ErrorCode
  readonly details: Record<string, unknown>
  readonly retryable: boolean

  constructor(code: ErrorCode, message: string, options: MigrationErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.details = options.details ?? {}
    this.retryable = options.retryable ?? false
  }
}

/** Where in which bytes something was expected and something else was found. */
export interface BytesFinding {
  /** The file as a person would look for it: blob or physical Lucene name, compound member after `!`. */
  file: string
  /** Byte offset in that file. */
  offset: number
  expected: string
  found: string
}

function bytesMessage(what: string, finding: BytesFinding): string {
  const { file, offset, expected, found } = finding
  return `${what}: ${file} at byte ${offset}: expected ${expected}, found ${found}`
}

/** Bytes that break the rules of their own format: truncated, flipped, or hostile. */
export class CorruptData extends MigrationError {
  constructor(finding: BytesFinding, cause?: unknown) {
    super('MA_CORRUPT_DATA', bytesMessage('corrupt data', finding), {
      cause,
      details: { ...finding },
    })
  }
}

/** A format version below the oldest that a layout is known for. */
export class FormatTooOld extends MigrationError {
  constructor(finding: BytesFinding) {
    super('MA_FORMAT_TOO_OLD', bytesMessage('format too old', finding), { details: { ...finding } })
  }
}

/** A format version above the newest that a layout is known for. */
export class FormatTooNew extends MigrationError {
  constructor(finding: BytesFinding) {
    super('MA_FORMAT_TOO_NEW', bytesMessage('format too new', finding), { details: { ...finding } })
  }
}

/** A codec, format or option that has no row in the tables; `advice` is a sentence on what a person can do. */
export class Unsupported extends MigrationError {
  constructor(finding: BytesFinding, advice?: string) {
    const message = bytesMessage('unsupported', finding)
    super('MA_UNSUPPORTED', advice === undefined ? message : `${message}. ${advice}`, {
      details: { ...finding },
    })
  }
}
