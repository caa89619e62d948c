import { isDeepStrictEqual } from 'node:util'
import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { MappingOf } from '../transform/pipeline.ts'
import type { EvaluateInput } from './evaluate-input.ts'
import type { PlannedChange } from './plan.ts'

/** What the transform does to an index, or to the mapping of a template. */
export interface PlannedTransform {
  readonly mapping: JsonObject
  readonly changes: readonly PlannedChange[]
  /** Why the index cannot be made: its mapping function threw. */
  readonly refused?: string
}

/** Runs the mapping functions of the transform, and says what its document functions mean for the way back. */
export async function planTransform(
  input: Pick<EvaluateInput, 'transform'>,
  index: string,
  mapping: JsonObject,
): Promise<PlannedTransform> {
  const planned = await planMappingTransform(input, { index }, mapping)
  const transformer = await input.transform?.open()
  if (transformer?.changesDocuments(index) !== true) return planned
  return { ...planned, changes: [...planned.changes, note(transformer.withoutInverse(index))] }
}

/** Runs the mapping functions for an index or a template. */
export async function planMappingTransform(
  { transform }: Pick<EvaluateInput, 'transform'>,
  of: MappingOf,
  mapping: JsonObject,
): Promise<PlannedTransform> {
  const unchanged = { mapping, changes: [] }
  const transformer = await transform?.open()
  if (transformer?.changesMapping(of) !== true) return unchanged
  try {
    const to = await transformer.mapping(of, mapping)
    return { mapping: to, changes: mappingChanges(mapping, to) }
  } catch (error) {
    if (!(error instanceof MigrationError) || error.code !== 'MA_TRANSFORM') throw error
    return { ...unchanged, refused: error.message }
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
