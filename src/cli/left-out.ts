import type { LeftOut } from '../take/choose-indices.ts'
import { printable } from './output.ts'

const namesShown = 20

/** What is left out although nobody said so, a line for each reason; `where`: `not in the snapshot`. */
export function leftOutLines(leftOut: readonly LeftOut[], where: string): string[] {
  return reasons.flatMap(([reason, why]) => {
    const names = leftOut.filter((one) => one.reason === reason).map(({ index }) => index)
    if (names.length === 0) return []
    const more = names.length > namesShown ? `, and ${names.length - namesShown} more (--json)` : ''
    return [`${where}, ${why}: ${printable(names.slice(0, namesShown).join(', '))}${more}`]
  })
}

const reasons = [
  ['system', 'indices of the engine (name them with --index to have them)'],
  ['hidden', 'hidden indices (name them with --index to have them)'],
  ['closed', 'closed indices, of which this source makes no snapshots (open them first)'],
] as const
