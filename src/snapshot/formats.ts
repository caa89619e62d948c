/**
 * What a repository's root may hold, by the `min_version` that it names, the oldest engine that can read it, and by its
 * fields. An engine
 * that finds snapshots of older ones beside its own keeps writing the older root, so it says nothing about who wrote
 * it. A version is added by a row here; a new layout of some blob gets a file of its own.
 */
export interface RepositoryFormat {
  /** `min_version` of the root; undefined where the root has none. */
  readonly minVersion: string | undefined
  readonly writtenSince: string
  /** All fields of the root. An unknown one means that something is not understood. */
  readonly rootFields: readonly string[]
  /**
   * True: a snapshot names its indices' metadata by content (`index_metadata_lookup`), one blob for many snapshots;
   * snapshots without a lookup, made before an upgrade, follow the old rule. False: always meta-<snapshot uuid>.dat.
   */
  readonly metadataByContent: boolean
  /** True: snapshots that the engine cannot restore any more are listed in the blob `incompatible-snapshots`. */
  readonly incompatibleSnapshots: boolean
}

const oldFields = ['snapshots', 'indices']

export const repositoryFormats: readonly RepositoryFormat[] = [
  {
    minVersion: undefined,
    writtenSince: 'Elasticsearch 5.0',
    rootFields: oldFields,
    metadataByContent: false,
    incompatibleSnapshots: true,
  },
  {
    // Adds shard_generations to each index: needed by those who write.
    minVersion: '7.6.0',
    writtenSince: 'Elasticsearch 7.6',
    rootFields: [...oldFields, 'min_version'],
    metadataByContent: false,
    incompatibleSnapshots: false,
  },
  {
    minVersion: '7.9.0',
    writtenSince: 'Elasticsearch 7.9',
    rootFields: [...oldFields, 'min_version', 'index_metadata_identifiers'],
    metadataByContent: true,
    incompatibleSnapshots: false,
  },
  {
    minVersion: undefined,
    writtenSince: 'OpenSearch 2.0',
    rootFields: [...oldFields, 'index_metadata_identifiers'],
    metadataByContent: true,
    incompatibleSnapshots: false,
  },
  {
    // Not OpenSearch, which keeps to the root of 7.9.
    minVersion: '7.12.0',
    writtenSince: 'Elasticsearch 7.12',
    rootFields: [...oldFields, 'min_version', 'index_metadata_identifiers', 'uuid', 'cluster_id'],
    metadataByContent: true,
    incompatibleSnapshots: false,
  },
]

/** The first engine that makes snapshots. */
export const oldestEngineMajor = 1
