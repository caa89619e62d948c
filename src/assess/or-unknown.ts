import { MigrationError, type ErrorCode } from '../base/errors.ts'
import type { OrUnknown } from './assessment.ts'

/** Refusals that concern one question and not the cluster: a right that lacks, an API that this version does not have. */
const refusals: readonly ErrorCode[] = ['MA_CLUSTER_AUTH', 'MA_CLUSTER_RESPONSE']

/** The answer, or the reason why this cluster does not give it. A cluster that cannot be reached is thrown. */
export async function orUnknown<T>(ask: () => Promise<T>): Promise<OrUnknown<T>> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof MigrationError) || !refusals.includes(error.code)) throw error
    return { unknown: error.message }
  }
}
