/**
 * Waits for all, then throws the error of the first in the list that failed: what still works on the memory or the files of
 * the others must have ended.
 */
export async function allOf(promises: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === 'rejected') throw result.reason
  }
}
