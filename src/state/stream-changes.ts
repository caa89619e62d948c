import { kind } from './store.ts'

/**
 * What later writes of the source made of a document behind a data stream, noted before it is done, while the backfill of
 * its index runs: what the backfill inserts has no version that could tell that it is older. Key: streamChangeKey().
 */
export type StreamChange = {
  /** Source index name. */
  index: string
  id: string
  routing: string | null
  /** The source's number of the write; a lower one is no news any more. */
  seqNo: number
  isDeleted: boolean
}
export const streamChangeKind = kind<StreamChange>('stream-change')

export function streamChangeKey({
  index,
  id,
  routing,
}: Pick<StreamChange, 'index' | 'id' | 'routing'>): string {
  return `${index}/${JSON.stringify([id, routing])}`
}

/** The backfill of an index behind a data stream inserts nothing more: changes need no note. Key: source index name. */
export type StreamFilled = {
  index: string
  /** Of the target index that is filled; another one is not. */
  targetUuid: string
}
export const streamFilledKind = kind<StreamFilled>('stream-filled')
