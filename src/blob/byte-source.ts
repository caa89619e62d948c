/** A readable thing of known length: a blob, a file of a shard, a member of a compound file. */
export interface ByteSource {
  /** As a person would look for it: a path in the repository, a Lucene file name, `file!member`. */
  readonly name: string
  /** Length in bytes. */
  readonly byteLength: number
  /**
   * Reads exactly `length` bytes from `offset`, into the start of `into` when it is given (it must be long enough),
   * and returns a view of exactly those bytes. Throws CorruptData when the range is outside the source,
   * MA_BLOB_MISSING or MA_BLOB_READ when the store fails.
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>
  /**
   * Announces that [offset, end) will be read from front to back from now on, so that a store far away can fetch ahead.
   * Takes the place of what was announced before. Absent where it would not help.
   */
  expectReads?(offset: number, end: number): void
  /** Releases what the source holds (a file handle). Reading afterwards is a bug. */
  close(): Promise<void>
}

export interface BlobEntry {
  /** Name relative to the listed folder, without slashes; folders are not listed. */
  readonly name: string
  readonly byteLength: number
}

/** A place that holds blobs under slash-separated paths: a folder, object storage, a web server. */
export interface BlobStore {
  /** The location as the user gave it, for messages. */
  readonly location: string
  /** True: bytes come over a network, and what is read twice costs twice. False: a second read is nearly free. */
  readonly isFar: boolean
  /**
   * The blobs directly in `folder` ('' is the root), sorted by name; a folder that does not exist is empty. undefined
   * where the place tells no listing: a web server, or object storage without the permission for it.
   */
  list(folder: string): Promise<BlobEntry[] | undefined>
  /**
   * Opens one blob; throws MA_BLOB_MISSING when it is not there. With `byteLength`, from a list of files, a store far away
   * asks for nothing yet: a missing blob, or one of another length (CorruptData), is told by the first read.
   */
  open(path: string, known?: { readonly byteLength: number }): Promise<ByteSource>
  /**
   * The place in which this one lies at `path`: of s3://bucket/a/b above b it is s3://bucket/a. undefined where this one
   * lies at no such path. Absent where nothing but the place itself is reached.
   */
  above?(path: string): BlobStore | undefined
}

/** A set of named files: the files of a shard in a snapshot, or the members of a compound file. */
export interface Directory {
  readonly name: string
  /** All file names, in any order. */
  names(): Iterable<string>
  has(name: string): boolean
  /** Opens one file; throws MA_BLOB_MISSING when there is none of that name. */
  open(name: string): Promise<ByteSource>
}
