import type { Json } from '../base/json.ts'

/**
 * What a migration remembers: JSON records by kind and key, with a revision each.
 *
 * One interface, two implementations: a SQLite file (sqlite-store.ts), later an OpenSearch index. So it offers only
 * what both can do: read your own writes, compare-and-set on a revision, ordered listing by key, and `commit`, whose
 * changes are applied in order (SQLite: all or nothing; elsewhere a crash may leave a prefix, so callers order their
 * changes such that every prefix is safe: a dead letter before the checkpoint that passes it).
 *
 * Each folder that keeps records has a `records.ts` with its kinds and their types.
 */
export interface StateStore {
  get<T extends Json>(kind: Kind<T>, key: string): Promise<StateRecord<T> | undefined>
  /** Records of a kind in order of key (UTF-8 bytes), at most `limit` (default 1,000), from after `after`, by `prefix`. */
  list<T extends Json>(kind: Kind<T>, options?: ListOptions): Promise<StateRecord<T>[]>
  /** All of them, page by page. */
  each<T extends Json>(kind: Kind<T>, options?: { prefix?: string }): AsyncIterable<StateRecord<T>>
  count(kind: Kind<Json>, options?: { prefix?: string }): Promise<number>
  /** Writes in order. A change whose `revision` does not match any more throws MA_STATE (details.conflict = true). */
  commit(changes: readonly Change[]): Promise<void>
  close(): Promise<void>
}

/** The name of a set of records, carrying their type. Make one with `kind<T>('name')`. */
export interface Kind<T extends Json> {
  readonly name: string
  /** Never set: it only carries the type. */
  readonly example?: T
}

export function kind<T extends Json>(name: string): Kind<T> {
  return { name }
}

export interface StateRecord<T extends Json> {
  readonly key: string
  readonly value: T
  /** Grows with each write of the record; 0 is never used, so `revision: 0` in a change means "must not exist". */
  readonly revision: number
}

export interface ListOptions {
  prefix?: string
  after?: string
  limit?: number
}

export type Change =
  | { op: 'put'; kind: Kind<Json>; key: string; value: Json; revision?: number }
  | { op: 'delete'; kind: Kind<Json>; key: string; revision?: number }
