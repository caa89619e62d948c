import { shardOfDocument } from '../base/shard-of.ts'
import { shardIncarnationKind, type ShardIncarnation } from '../state/records.ts'
import type { Change as StateChange, StateStore } from '../state/store.ts'
import { accountKind } from './account-records.ts'
import { Account, type Life } from './account.ts'
import type { SourceIndex } from './source-index.ts'

/** Numbers of one document that the target has acknowledged. */
export interface Acknowledged {
  readonly id: string
  /** undefined: not known, and so neither is the shard. */
  readonly routing: string | null | undefined
  /** Where it is known. */
  readonly shard?: number | undefined
  /** Under which the highest of the numbers was given. */
  readonly primaryTerm?: number | undefined
  readonly seqNos: readonly number[]
}

/**
 * Which numbers of the source's shards are accounted for: each is known to have done nothing that the target lacks.
 *
 * Held in memory, 2 KB a shard and 16 bytes for each hole; `changes()` is put into the state now and then. What is lost
 * with a process is looked for again, and nothing that counts is ever invented: numbers of another incarnation, of another
 * target index, or of a shard that is not known are left to the audit, which finds them by a search.
 */
export class Accounts {
  readonly #byIndex = new Map<string, Account[]>()
  /** UUIDs of indices whose documents lie where their routing says, as the engine has confirmed. */
  readonly #placed = new Set<string>()
  readonly #gone: string[] = []

  /** What the state holds. */
  static async load(state: StateStore): Promise<Accounts> {
    const accounts = new Accounts()
    for await (const { value } of state.each(accountKind)) {
      const list = accounts.#byIndex.get(value.index) ?? []
      const account = new Account(value)
      account.isDirty = false
      list[value.shard] = account
      accounts.#byIndex.set(value.index, list)
    }
    return accounts
  }

  /** Of an index of the source whose number of shards may be more than one: acknowledged numbers count from now on. */
  notePlaced(index: Pick<SourceIndex, 'uuid'>): void {
    this.#placed.add(index.uuid)
  }

  isPlaced({ uuid, numberOfShards }: Pick<SourceIndex, 'uuid' | 'numberOfShards'>): boolean {
    return numberOfShards === 1 || this.#placed.has(uuid)
  }

  acknowledged(index: SourceIndex, document: Acknowledged): void {
    const account = this.#accountOf(index, document)
    for (const number of document.seqNos) account?.acknowledge(number, document.primaryTerm)
  }

  /**
   * Whether what this number did to a document need not be done any more, and must not: the snapshot holds it, or what came
   * after. A document that was deleted before the snapshot would come back.
   */
  isInSnapshot(
    index: SourceIndex,
    document: Omit<Acknowledged, 'seqNos' | 'primaryTerm'>,
    number: number,
  ): boolean {
    return number <= (this.#accountOf(index, document)?.snapshotTo ?? -1)
  }

  #accountOf(
    index: SourceIndex,
    { id, routing, shard }: Omit<Acknowledged, 'seqNos' | 'primaryTerm'>,
  ): Account | undefined {
    const isKnown = shard !== undefined || (this.isPlaced(index) && routing !== undefined)
    if (!isKnown && index.numberOfShards > 1) return undefined
    const at = shard ?? shardOfDocument(id, routing ?? null, index)
    const account = this.#byIndex.get(index.name)?.[at]
    return account !== undefined && isLife(account, lifeOf(index, at)) ? account : undefined
  }

  /**
   * The accounts of an index by shard: those that there are where index, histories and targets are still the same,
   * new ones else. `isOther` tells of the second.
   */
  open(index: SourceIndex, targets: string): { accounts: readonly Account[]; isOther: boolean } {
    const known = this.#byIndex.get(index.name)
    const shards = Array.from({ length: index.numberOfShards }, (_, shard) => shard)
    const isSame =
      known?.length === index.numberOfShards &&
      shards.every((shard) => known[shard] && isLife(known[shard], lifeOf(index, shard))) &&
      known[0]!.targets === targets
    if (isSame) return { accounts: known, isOther: false }
    const accounts = shards.map((shard) =>
      Account.empty({ index: index.name, shard, targets, ...lifeOf(index, shard) }),
    )
    if (known !== undefined) this.forget(index.name)
    this.#byIndex.set(index.name, accounts)
    return { accounts, isOther: known !== undefined }
  }

  /** The index is gone, or its target index was made anew: nothing of it is accounted for. */
  forget(index: string): void {
    for (const { shard } of this.#byIndex.get(index) ?? []) this.#gone.push(`${index}/${shard}`)
    this.#byIndex.delete(index)
  }

  of(index: string): readonly Account[] {
    return this.#byIndex.get(index) ?? []
  }

  indices(): Iterable<string> {
    return this.#byIndex.keys()
  }

  /** What has changed since the last call, for the state. Safe to be lost. */
  changes(): StateChange[] {
    const changes: StateChange[] = this.#gone
      .splice(0)
      .map((key) => ({ op: 'delete', kind: accountKind, key }))
    for (const [index, accounts] of this.#byIndex) {
      for (const account of accounts) {
        if (!account.isDirty) continue
        account.isDirty = false
        const key = `${index}/${account.shard}`
        changes.push({ op: 'put', kind: accountKind, key, value: account.record() })
      }
    }
    return changes
  }
}

/** Counts what the snapshot holds; again and again, since a backfill opens one shard after the other. */
export async function countSnapshot(
  state: StateStore,
  accounts: readonly Account[],
  parts: readonly string[],
): Promise<void> {
  for (const account of accounts) {
    if (account.isOpened || parts.length === 0) continue
    const found = await Promise.all(
      parts.map((part) => state.get(shardIncarnationKind, `${part}/${account.shard}`)),
    )
    const checkpoints = found.map((one) => coverageOf(one?.value, account.life))
    if (checkpoints.includes(undefined)) continue
    account.isOpened = true
    const checkpoint = Math.min(...checkpoints.filter((one) => one !== undefined))
    if (checkpoint >= 0) account.countSnapshot(checkpoint, found[0]?.value.primaryTerm)
  }
}

/**
 * The whole of what a snapshot's commit holds: the numbers up to its local checkpoint. Those between it and the commit's
 * highest were under way, some 100 at most: they are looked for like any others.
 */
function coverageOf(incarnation: ShardIncarnation | undefined, life: Life): number | undefined {
  if (incarnation === undefined || incarnation.historyUuid === null) return undefined
  const isSame =
    incarnation.sourceUuid === life.uuid && incarnation.historyUuid === life.historyUuid
  return isSame ? (incarnation.localCheckpoint ?? -1) : undefined
}

function lifeOf({ uuid, shards }: SourceIndex, shard: number): Life {
  return { uuid, historyUuid: shards[shard]?.historyUuid ?? null }
}

/** Engines before 6 have no histories, and no numbers. */
function isLife({ life }: Account, { uuid, historyUuid }: Life): boolean {
  return life.uuid === uuid && life.historyUuid === historyUuid
}
