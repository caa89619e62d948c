import { Unsupported } from '../base/errors.ts'
import type { IndexMetadata } from './snapshot.ts'

/**
 * Indices whose documents are not, or not as they were, in the snapshot that lists them. The marks are settings that the
 * engines put into the metadata: INDEX_STORE_TYPE_SETTING, SourceOnlySnapshotRepository.SOURCE_ONLY.
 */
const marks: readonly {
  readonly setting: string
  readonly value: string
  readonly found: string
}[] = [
  {
    setting: 'index.store.type',
    value: 'snapshot',
    found:
      'a searchable snapshot of Elasticsearch, whose documents lie in another snapshot: move that one ' +
      '(index.store.snapshot.* names it), or exclude this index',
  },
  {
    setting: 'index.store.type',
    value: 'remote_snapshot',
    found:
      'a searchable snapshot of OpenSearch, whose documents lie in another snapshot: move that one ' +
      '(index.searchable_snapshot.* names it), or exclude this index',
  },
  {
    setting: 'index.source_only',
    value: 'true',
    found:
      'one of a source-only repository, which leaves out what this program needs beside _source (sequence numbers, doc ' +
      'values): make a snapshot in a plain repository, or restore and reindex it on the source',
  },
]

/** Throws Unsupported, naming the reason, for an index whose documents the snapshot does not hold. */
export function requireHeldDocuments(
  file: string,
  { name, settings }: Pick<IndexMetadata, 'name' | 'settings'>,
): void {
  const mark = marks.find(({ setting, value }) => settings[setting] === value)
  if (mark === undefined) return
  const { setting, value, found } = mark
  throw new Unsupported({
    file,
    offset: 0,
    expected: `an index ${name} whose documents are in the snapshot`,
    found: `${found} (${setting}: ${value})`,
  })
}
