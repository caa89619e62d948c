import { MigrationError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { settingText } from '../cluster/settings.ts'
import { changeSetting, noteRestored, type SettingName } from '../state/ledger.ts'
import { targetIndexKind } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { highestPriority, putOwnTemplate } from './own-template.ts'
import { objectPresent, settingAccess } from './setting-access.ts'

/**
 * The fence: documents are written to the alias `osmigrate-<source uuid>-<epoch>` alone, with `require_alias`, so that
 * a late writer finds nothing once the alias is gone. Deletes do not obey `require_alias`: they would make an index of
 * that name, which `action.auto_create_index` forbids (or, where that cannot be set, a template with a write block).
 *
 * Indices behind data streams take no alias. They are written to by their names through a pipeline, and a late write
 * finds nothing once that is gone (data-stream-apply.ts); where the data stream itself was deleted it would make an index
 * of the name `.ds-…`, which is forbidden likewise. Data streams make theirs all the same.
 */
const setting = 'action.auto_create_index'
const autoCreate: SettingName = { side: 'target', index: null, setting }
const forbidden = ['-osmigrate-*', '-.ds-*'] as const
const fenceTemplate = '_index_template/osmigrate-fence'

/** Forbids that indices named like a fence come to be by themselves; noted in the ledger until close. */
export async function forbidAutoCreate(
  target: Cluster,
  state: StateStore,
): Promise<'setting' | 'template'> {
  try {
    await forbidBySetting(target, state)
    return 'setting'
  } catch (error) {
    if (!isRefusal(error)) throw error
    await noteRestored(state, autoCreate)
    await putFenceTemplate(target, state)
    return 'template'
  }
}

async function forbidBySetting(target: Cluster, state: StateStore): Promise<void> {
  const { value, transient } = await readAutoCreate(target)
  if (transient) {
    throw new MigrationError(
      'MA_CONFIG',
      `the target ${target.url} has the transient setting ${setting} = "${value}", which hides the persistent one; make it persistent (or clear it), then run again`,
    )
  }
  const newValue = forbidding(value)
  if (newValue === undefined) return
  await changeSetting(state, settingAccess({ target }), { ...autoCreate, newValue, until: 'close' })
}

async function readAutoCreate(target: Cluster): Promise<{ value: string; transient: boolean }> {
  const { body } = await target.request('GET', '/_cluster/settings', {
    query: { flat_settings: true, include_defaults: true },
  })
  for (const group of ['transient', 'persistent', 'defaults']) {
    const values = body[group]
    const value = isJsonObject(values) ? values[setting] : undefined
    if (value === undefined || value === null) continue
    const text = settingText(value)
    return { value: text, transient: group === 'transient' && forbidding(text) !== undefined }
  }
  return { value: 'true', transient: false }
}

/** The value that forbids our names besides what the old one forbade; undefined when the old one does so already. */
export function forbidding(value: string): string | undefined {
  const text = value.trim()
  const first = text.split(',').map((pattern) => pattern.trim())
  if (text === 'false' || forbidden.every((pattern, i) => pattern === first[i])) return undefined
  const rest = first.filter((pattern) => pattern !== forbidden[0])
  return [...forbidden, ...(text === 'true' || text === '' ? ['+*'] : rest)].join()
}

// Managed services refuse cluster settings that are not on their list, with 401, 403 or 400.
function isRefusal(error: unknown): boolean {
  if (!(error instanceof MigrationError)) return false
  const { status } = error.details
  return status === 400 || status === 401 || status === 403
}

/** The other fence, for targets whose cluster settings cannot be set: an index made by a late delete takes no document. */
export async function putFenceTemplate(target: Cluster, state: StateStore): Promise<void> {
  await changeSetting(state, settingAccess({ target }), {
    side: 'target',
    index: null,
    setting: fenceTemplate,
    newValue: objectPresent,
    until: 'close',
  })
  await putOwnTemplate(target, fenceTemplate, {
    patterns: ['osmigrate-*', ...(await behindStreams(state))],
    priority: highestPriority - 1,
    settings: { 'index.blocks.write': 'true', 'index.number_of_replicas': '0' },
  })
}

/** Names of indices behind the data streams that this migration writes to. The template of a stream makes its own. */
async function behindStreams(state: StateStore): Promise<string[]> {
  const streams = new Set<string>()
  for await (const { value } of state.each(targetIndexKind)) {
    if (value.stream && value.dataStream !== undefined) streams.add(value.dataStream)
  }
  return [...streams].map((stream) => `.ds-${stream}-*`)
}
