import type { JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { objectOf } from './json-objects.ts'

/** All names in use on the target: an index cannot have the name of an alias, nor an alias that of an index. */
export interface NamesInUse {
  readonly indices: ReadonlySet<string>
  /** Aliases with the indices that have them. */
  readonly aliases: ReadonlyMap<string, readonly string[]>
  /** The index that is written to by an alias, by the name of the alias. */
  readonly writtenTo: ReadonlyMap<string, string>
}

export const noNamesInUse: NamesInUse = {
  indices: new Set(),
  aliases: new Map(),
  writtenTo: new Map(),
}

export async function readNamesInUse(target: Cluster, signal?: AbortSignal): Promise<NamesInUse> {
  const { body } = await target.request('GET', '/_alias', {
    query: { expand_wildcards: 'all' },
    ...(signal && { signal }),
  })
  const aliases = new Map<string, string[]>()
  const writtenTo = new Map<string, string>()
  for (const [index, has] of Object.entries(body)) {
    for (const [alias, options] of Object.entries(objectOf(objectOf(has).aliases))) {
      aliases.set(alias, [...(aliases.get(alias) ?? []), index])
      if (objectOf(options).is_write_index === true) writtenTo.set(alias, index)
    }
  }
  return { indices: new Set(Object.keys(body)), aliases, writtenTo }
}

/** Why an index of this name with these aliases cannot be made; undefined when nothing is in the way. */
export function nameConflict(
  { targetIndex, fenceAlias }: { targetIndex: string; fenceAlias: string },
  aliases: JsonObject,
  inUse: NamesInUse,
): string | undefined {
  const fault = nameFault(targetIndex)
  if (fault !== undefined) return fault
  if (inUse.aliases.has(targetIndex)) return `${targetIndex} is the name of an alias on the target`
  const elsewhere = inUse.aliases.get(fenceAlias)?.filter((index) => index !== targetIndex) ?? []
  if (elsewhere.length > 0) {
    return `${elsewhere.join(', ')} on the target was made for it before, under another name; delete that one there to have it as ${targetIndex}`
  }
  const taken = Object.keys(aliases).find((alias) => inUse.indices.has(alias))
  if (taken !== undefined) {
    return `its alias ${taken} is the name of an index or data stream on the target`
  }
  // One that is there already may have been rolled over since.
  if (inUse.indices.has(targetIndex)) return undefined
  const written = Object.keys(aliases).find(
    (alias) => objectOf(aliases[alias]).is_write_index === true && inUse.writtenTo.has(alias),
  )
  return written === undefined
    ? undefined
    : `its alias ${written} writes to ${inUse.writtenTo.get(written)} on the target already`
}

const nameBytesMax = 255

/** Why OpenSearch allows no index of this name; undefined when it does. 1.x and 2.x let names pass that newer ones do not. */
export function nameFault(name: string): string | undefined {
  const forbidden = /[:#\\/*?"<>| ,]/.exec(name)?.[0]
  if (forbidden !== undefined) {
    return `OpenSearch allows no "${forbidden}" in the name of an index (${name})`
  }
  if (/^[-_+]/.test(name)) {
    return `OpenSearch allows no name of an index that begins with "${name[0]}" (${name})`
  }
  if (name === '' || name === '.' || name === '..') {
    return `OpenSearch allows no index named "${name}"`
  }
  if (name !== name.toLowerCase()) {
    return `OpenSearch allows no upper-case letters in the name of an index (${name})`
  }
  const bytes = Buffer.byteLength(name)
  if (bytes <= nameBytesMax) return undefined
  return `OpenSearch allows names of indices of at most ${nameBytesMax} bytes, and ${name} has ${bytes}`
}
