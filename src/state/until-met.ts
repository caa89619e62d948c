import { MigrationError } from '../base/errors.ts'

/**
 * Does compare-and-set anew, from what the store holds then, for as long as another process has written meanwhile: `triesMax`
 * times at most, then the conflict is thrown. `work` reads what it decides by.
 */
export async function untilMet<T>(triesMax: number, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!isConflict(error) || tries === triesMax) throw error
    }
  }
}

function isConflict(error: unknown): boolean {
  return (
    error instanceof MigrationError && error.code === 'MA_STATE' && error.details.conflict === true
  )
}
