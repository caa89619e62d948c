import { isObject, listOf, own } from './answer-value.ts'

/**
 * error = { "root_cause": [ { "type", … } ], "type", "reason" } | "SearchPhaseExecutionException[…]" (before 2.0)
 * The type of the first root cause, in small letters without `_exception`, since engines wrap causes differently; undefined
 * where the body is no error. What stands in reasons is not compared: engines put it differently.
 */
export function errorType(body: unknown): string | undefined {
  const error = own(body, 'error')
  if (typeof error === 'string') return ofName(/^(\w+?)(\[|:|$)/.exec(error)?.[1] ?? error)
  if (!isObject(error)) return undefined
  const type = own(listOf(error.root_cause)[0], 'type') ?? error.type
  return typeof type === 'string' ? plain(type) : undefined
}

function ofName(name: string): string {
  return plain(name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase())
}

function plain(type: string): string {
  return type.replace(/^(elasticsearch|opensearch)_/, '').replace(/_exception$/, '')
}
