import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8's space for new objects as large as it is. It grows to more than 100 MB, for good, where much of what is new
 * outlives a collection, as documents do that wait to be sent. A bound for it (--max-semi-space-size) is taken at the
 * start of a process alone; the factor is asked for at each growth.
 */
export function keepYoungSpaceSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}
