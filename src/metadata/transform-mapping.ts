import { isDeepStrictEqual } from 'node:util'
import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { fingerprint } from '../transform/spec.ts'
import type { EvaluateInput } from './evaluate-input.ts'
import type { PlannedChange } from './plan.ts'

/** What the transform does to an index. */
export interface PlannedTransform {
  readonly mapping: JsonObject
  readonly changes: readonly PlannedChange[]
  /** Why the index cannot be made: its mapping function threw. */
  readonly refused?: string
}

/** Runs the mapping functions of the transform, and says what its document functions mean for the way back. */
export async function planTransform(
  { transform }: Pick<EvaluateInput, 'transform'>,
  index: string,
  mapping: JsonObject,
): Promise<PlannedTransform> {
  if (transform === undefined || fingerprint(transform.spec, index) === null) {
    return { mapping, changes: [] }
  }
  const transformer = await transform.open()
  const changes: PlannedChange[] = []
  if (transformer.changesDocuments(index)) changes.push(note(transformer.withoutInverse(index)))
  if (!transformer.changesMapping(index)) return { mapping, changes }
  try {
    const to = await transformer.mapping(index, mapping)
    return { mapping: to, changes: [...mappingChanges(mapping, to), ...changes] }
  } catch (error) {
    if (!(error instanceof MigrationError) || error.code !== 'MA_TRANSFORM') throw error
    return { mapping, changes, refused: error.message }
  }
}

function note(withoutInverse: string | undefined): PlannedChange {
  const back =
    withoutInverse === undefined
      ? 'each step has an inverse, so the way back stays open'
      : `${withoutInverse} has no inverse (documentBack): the way back will carry transformed documents`
  return {
    path: 'documents',
    what: 'noted',
    reason: `documents are changed by the transform; ${back}`,
    loss: false,
  }
}

const reason = 'asked for by the transform'

/** A line for each field that is another one now, and for each other part of the mapping. */
function mappingChanges(from: JsonObject, to: JsonObject): PlannedChange[] {
  return differences(from, to, 'mappings')
}

function differences(from: JsonObject, to: JsonObject, path: string): PlannedChange[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])]
  return names.flatMap((name): PlannedChange[] => {
    const [before, after] = [from[name], to[name]]
    if (isDeepStrictEqual(before, after)) return []
    const at = `${path}.${name}`
    const deeper = name === 'properties' || (isJsonObject(before) && 'properties' in before)
    if (deeper && isJsonObject(before) && isJsonObject(after)) {
      return differences(before, after, at)
    }
    if (after === undefined) {
      return [{ path: at, what: 'dropped', from: before!, reason, loss: false }]
    }
    if (before === undefined) return [{ path: at, what: 'added', to: after, reason, loss: false }]
    return [{ path: at, what: 'changed', from: before, to: after, reason, loss: false }]
  })
}
