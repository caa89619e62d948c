/** Even closed indices, and none that is gone meanwhile is an error. */
export const evenClosed = { expand_wildcards: 'all', ignore_unavailable: true } as const

/** An address may have 4 KB in all. */
const addressMax = 3000

/** Names of indices as a part of an address. */
export function addressOf(indices: readonly { readonly name: string }[]): string {
  return indices.map(({ name }) => encodeURIComponent(name)).join()
}

/** Cut up, such that the names of each stretch fit into one address. */
export function inAddresses<T extends { readonly name: string }>(indices: readonly T[]): T[][] {
  const stretches: T[][] = []
  let length = addressMax
  for (const index of indices) {
    const own = encodeURIComponent(index.name).length + 1
    if (length + own > addressMax) {
      stretches.push([])
      length = 0
    }
    stretches.at(-1)!.push(index)
    length += own
  }
  return stretches
}
