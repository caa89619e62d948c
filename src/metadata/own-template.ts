import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'

/**
 * Above all others. An engine refuses two templates of one priority for one name, so of two hosts that put one each for
 * the same indices the second one is refused (isPriorityTaken()).
 */
export const highestPriority = 2 ** 31 - 1

export interface OwnTemplate {
  readonly patterns: readonly string[]
  readonly priority: number
  readonly settings: JsonObject
}

/**
 * Puts an index template of osmigrate's own at `path` (`_index_template/NAME`). A target that balances copies over its
 * zones takes no template by which an index would get another number of them, and says the number: then that many.
 */
export async function putOwnTemplate(
  target: Cluster,
  path: string,
  { patterns, priority, settings }: OwnTemplate,
): Promise<void> {
  const put = async (more: JsonObject): Promise<void> => {
    await target.request('PUT', `/${path}`, {
      repeatable: true,
      body: {
        index_patterns: [...patterns],
        priority,
        template: { settings: { ...settings, ...more } },
      },
    })
  }
  try {
    await put({})
  } catch (error) {
    const copies = balancedCopies(error)
    if (copies === undefined) throw error
    await put({ 'index.number_of_replicas': String(copies - 1) })
  }
}

function balancedCopies(error: unknown): number | undefined {
  if (!(error instanceof MigrationError)) return undefined
  const found = /total awareness attributes \[(\d+)\]/.exec(error.message)
  return found ? Number(found[1]) : undefined
}

/** Whether the target refuses a template since there is another of its priority for the same names. */
export function isPriorityTaken(refusal: string): boolean {
  return refusal.includes('same priority')
}
