/** Documents that a transform leaves out for one reason. */
export type Dropped = {
  reason: string
  count: number
  /** Of the first of them. */
  id: string
  /** The step allows it: the exit code does not tell. */
  allowed: boolean
}

/** Reasons that are told apart; a reason that names its document would make a list without end. */
const reasonsMax = 20
const otherReasons = 'other reasons'

/** Adds to the list, which is changed. */
export function countDropped(list: Dropped[], { reason, count, id, allowed }: Dropped): void {
  const one = { reason, count, id, allowed }
  const find = (reason: string): Dropped | undefined =>
    list.find((known) => known.reason === reason && known.allowed === one.allowed)
  const known = find(one.reason) ?? (list.length >= reasonsMax ? find(otherReasons) : undefined)
  if (known !== undefined) known.count += one.count
  else if (list.length < reasonsMax) list.push({ ...one })
  else list.push({ ...one, reason: otherReasons })
}

export function sumOf(list: readonly Dropped[]): number {
  return list.reduce((sum, { count }) => sum + count, 0)
}
