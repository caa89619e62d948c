/**
 * `work` on every item, a few at a time; gives the results in the order of the items. After the first failure nothing
 * more is begun, what is under way is waited for, and that failure is thrown.
 */
export async function eachAtOnce<T, R>(
  items: readonly T[],
  atOnceMax: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array<R>(items.length)
  const failures: unknown[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const at = next++
      try {
        results[at] = await work(items[at]!)
      } catch (error) {
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnceMax, items.length) }, lane))
  if (failures.length > 0) throw failures[0]
  return results
}
