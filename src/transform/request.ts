import { MigrationError } from '../base/errors.ts'
import { matcher } from '../base/select.ts'
import type { ReadRequest } from './module.ts'
import { describeError, type Step } from './pipeline.ts'

/** The indices that a path names, as it names them: `/shop-*,orders/_search` → `shop-*`, `orders`. None: all. */
export function indicesOf(path: string): string[] {
  const [first = ''] = path.replace(/^\//, '').split(/[/?]/, 1)
  if (first === '' || first.startsWith('_')) return []
  return first.split(',').map((name) => {
    try {
      return decodeURIComponent(name)
    } catch {
      return name
    }
  })
}

/**
 * Runs `request` of the steps in their order. A step for some indices takes part where the path names one that fits, or
 * names none. Throws MA_TRANSFORM with the step's name for what it throws, and for what it gives back that is no request.
 */
export function transformRequest(steps: readonly Step[], request: ReadRequest): ReadRequest {
  const names = indicesOf(request.path)
  let result = { ...request }
  for (const step of steps) {
    const { name, indices, options } = step
    if (step.request === undefined) continue
    if (indices !== undefined && names.length > 0 && !names.some(matcher(indices))) continue
    try {
      result = checked(step.request(result, { index: names.join(','), options }))
    } catch (error) {
      throw new MigrationError('MA_TRANSFORM', `${name}: ${describeError(error)}`, {
        cause: error,
        details: { step: name, method: request.method, path: request.path },
      })
    }
  }
  return result
}

function checked(result: unknown): ReadRequest {
  if (typeof result !== 'object' || result === null) {
    throw new Error(`request returned ${String(result)}; return the request`)
  }
  if ('then' in result) throw new Error('request returned a promise; nobody waits for it')
  const { method, path, body } = result as Partial<ReadRequest>
  if (typeof method !== 'string' || !/^[A-Z]+$/.test(method)) {
    throw new Error('the method that it returned is none, such as GET')
  }
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new Error('the path that it returned does not begin with a slash')
  }
  if (body !== undefined && typeof body !== 'string') {
    throw new Error('the body that it returned is no text: JSON.stringify() it')
  }
  return { method, path, ...(body !== undefined && { body }) }
}
