import { kind, type StateRecord, type StateStore } from './store.ts'
import { ledgerKind, type LedgerEntry } from './records.ts'
import { untilMet } from './until-met.ts'

/**
 * Settings that the migration changes on a cluster, and puts back. The record is written before the change, so that a
 * process killed between the two leaves a record too many (putting back what was not changed does nothing) and never
 * one too few.
 */

/** A setting of an index, or of the cluster where index is null. */
export interface SettingName {
  side: 'source' | 'target'
  index: string | null
  setting: string
}

/** How settings are read and changed; the one who calls knows the clusters. */
export interface SettingAccess {
  /** The value as set, null when it is not set; undefined when the index is not there any more. */
  read(name: SettingName): Promise<string | null | undefined>
  /** Sets it; null takes the setting off. */
  apply(name: SettingName, value: string | null): Promise<void>
}

export interface SettingChange extends SettingName {
  newValue: string | null
  until: LedgerEntry['until']
}

/** Another process writes to the ledger as well (sync beside a backfill): each commit that meets its own is one try more. */
const triesMax = 20

/** Changes a setting and remembers what it was. A change that stands already is applied again and keeps its record. */
export async function changeSetting(
  state: StateStore,
  access: SettingAccess,
  change: SettingChange,
): Promise<void> {
  await untilMet(triesMax, () => changeOnce(state, access, change))
}

async function changeOnce(
  state: StateStore,
  access: SettingAccess,
  change: SettingChange,
): Promise<void> {
  const open = await openEntry(state, change)
  if (open && open.value.newValue === change.newValue) {
    if ((await access.read(change)) !== change.newValue) await access.apply(change, change.newValue)
    return
  }
  const oldValue = open ? open.value.oldValue : ((await access.read(change)) ?? null)
  if (oldValue === change.newValue && !open) return
  const entry: LedgerEntry = {
    side: change.side,
    index: change.index,
    setting: change.setting,
    oldValue,
    newValue: change.newValue,
    changedAt: new Date().toISOString(),
    restoredAt: null,
    until: change.until,
  }
  const place = open
    ? { key: open.key, revision: open.revision }
    : { key: await nextKey(state), revision: 0 }
  await state.commit([{ op: 'put', kind: ledgerKind, ...place, value: entry }])
  await access.apply(change, change.newValue)
}

/** What became of one entry: put back; left, since somebody else has set another value meanwhile; or its index is gone. */
export interface Restored {
  entry: LedgerEntry
  outcome: 'restored' | 'left' | 'gone'
  /** The value found, where it was left. */
  found?: string | null
}

/**
 * Puts back what is open, the newest first, and notes each as it is done: killed at any point it can be called again.
 * A value that is neither the old one nor ours was set by somebody else and is left as it is.
 */
export async function restoreSettings(
  state: StateStore,
  access: SettingAccess,
  only: Partial<Pick<LedgerEntry, 'side' | 'until' | 'setting'>> & { index?: string } = {},
): Promise<Restored[]> {
  const done: Restored[] = []
  for (const record of (await openEntries(state)).reverse()) {
    const entry = record.value
    if (only.side !== undefined && entry.side !== only.side) continue
    if (only.until !== undefined && entry.until !== only.until) continue
    if (only.index !== undefined && entry.index !== only.index) continue
    if (only.setting !== undefined && entry.setting !== only.setting) continue
    const restored = await untilMet(triesMax, () => restoreOnce(state, access, record.key))
    if (restored !== undefined) done.push(restored)
  }
  return done
}

/** Undefined where another process has put it back meanwhile. */
async function restoreOnce(
  state: StateStore,
  access: SettingAccess,
  key: string,
): Promise<Restored | undefined> {
  const record = await state.get(ledgerKind, key)
  if (record === undefined || record.value.restoredAt !== null) return undefined
  const { value: entry, revision } = record
  const found = await access.read(entry)
  const ours = found === entry.newValue
  if (ours) await access.apply(entry, entry.oldValue)
  const value: LedgerEntry = { ...entry, restoredAt: new Date().toISOString() }
  await state.commit([{ op: 'put', kind: ledgerKind, key, value, revision }])
  if (found === undefined) return { entry, outcome: 'gone' }
  if (ours || found === entry.oldValue) return { entry, outcome: 'restored' }
  return { entry, outcome: 'left', found }
}

/**
 * Notes that a change stands no more: its caller has put it back itself, or the cluster refused it. True if one stood.
 */
export async function noteRestored(state: StateStore, name: SettingName): Promise<boolean> {
  return untilMet(triesMax, () => noteOnce(state, name))
}

async function noteOnce(state: StateStore, name: SettingName): Promise<boolean> {
  const open = await openEntry(state, name)
  if (!open) return false
  const { key, revision } = open
  const value: LedgerEntry = { ...open.value, restoredAt: new Date().toISOString() }
  await state.commit([{ op: 'put', kind: ledgerKind, key, value, revision }])
  return true
}

/** Changes that stand, the oldest first. */
export async function openEntries(state: StateStore): Promise<StateRecord<LedgerEntry>[]> {
  const open: StateRecord<LedgerEntry>[] = []
  for await (const record of state.each(ledgerKind)) {
    if (record.value.restoredAt === null) open.push(record)
  }
  return open
}

async function openEntry(
  state: StateStore,
  name: SettingName,
): Promise<StateRecord<LedgerEntry> | undefined> {
  return (await openEntries(state)).find(
    ({ value }) =>
      value.side === name.side && value.index === name.index && value.setting === name.setting,
  )
}

const lastKeyKind = kind<number>('ledger-last')

/** Keys count up, 12 digits: their order is the order of the changes. */
async function nextKey(state: StateStore): Promise<string> {
  const last = await state.get(lastKeyKind, 'last')
  const next = (last?.value ?? 0) + 1
  await state.commit([
    { op: 'put', kind: lastKeyKind, key: 'last', value: next, revision: last?.revision ?? 0 },
  ])
  return String(next).padStart(12, '0')
}
