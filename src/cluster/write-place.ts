import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type Json } from '../base/json.ts'
import type { Cluster } from './cluster.ts'

/** Where the documents of an index are written to, under what keeps late writers off. */
export type WritePlace =
  | {
      /** The fence: the only name written to; it must exist as an alias. */
      readonly alias: string
      readonly stream?: undefined
    }
  | { readonly stream: StreamIndex; readonly alias?: undefined }

/** Each item of a bulk names the fence of its index itself (`_index`), so that one request serves many indices. */
export interface PlaceByItem {
  readonly byItem: true
  readonly alias?: undefined
  readonly stream?: undefined
}

/**
 * An index behind a data stream. It takes no alias, no version, and no new document but by an `update` that inserts it.
 * Its fence is a pipeline that does nothing: each write names it, and is refused once it is gone.
 */
export interface StreamIndex {
  readonly index: string
  /** Of the index that this migration made; where another one has taken its name, nothing counts as written. */
  readonly uuid: string
  readonly pipeline: string
  /** What a document must have there is one time, e.g. `@timestamp`. */
  readonly timestampField: string
}

/** As the record of a target index has it. */
export function writePlaceOf(target: {
  readonly targetIndex: string
  readonly targetUuid: string
  readonly fenceAlias: string
  readonly stream?: Pick<StreamIndex, 'pipeline' | 'timestampField'>
}): WritePlace {
  const { targetIndex: index, targetUuid: uuid, fenceAlias: alias, stream } = target
  return stream === undefined ? { alias } : { stream: { index, uuid, ...stream } }
}

/** What a request names, in the address and as a query, to write there. */
export function addressOf(place: WritePlace): {
  readonly name: string
  readonly query: { readonly pipeline: string; readonly require_alias?: true }
} {
  if (place.stream === undefined) {
    return { name: place.alias, query: { pipeline: '_none', require_alias: true } }
  }
  return { name: place.stream.index, query: { pipeline: place.stream.pipeline } }
}

/** As addressOf(), where each item has its own name. An item whose shard has no primary holds the others up no longer. */
export const addressByItem = {
  name: undefined,
  query: { pipeline: '_none', require_alias: true, timeout: '10s' },
} as const

/**
 * Throws MA_TARGET_INDEX unless the index still is the one that was made. Asked after a write: since a UUID never comes
 * back, all that was written since it was found the first time went to this index.
 */
export async function requireSameIndex(
  cluster: Cluster,
  { index, uuid }: StreamIndex,
  signal?: AbortSignal,
): Promise<void> {
  const answer = await cluster.request('GET', `/${encodeURIComponent(index)}/_settings`, {
    query: { filter_path: '*.settings.index.uuid' },
    accept: [404],
    ...(signal && { signal }),
  })
  let found: Json | undefined = answer.status === 404 ? undefined : answer.body
  for (const key of [index, 'settings', 'index', 'uuid']) {
    found = isJsonObject(found) ? found[key] : undefined
  }
  if (found === uuid) return
  throw new MigrationError(
    'MA_TARGET_INDEX',
    `${cluster.side} ${cluster.url}: ${index} was deleted${found === undefined ? '' : ' and made anew'} while it was written to ` +
      `(expected UUID ${uuid}, found ${typeof found === 'string' ? found : 'none'}). Delete the data stream there, then run osmigrate metadata migrate and begin it anew`,
    { details: { index, expected: uuid, found: found ?? null } },
  )
}
