import { pathToFileURL } from 'node:url'
import { declaredStep } from '../transform/declared.ts'
import type { TransformModule } from '../transform/module.ts'
import type { Step, StepShape } from '../transform/pipeline.ts'
import type { StepSpec } from '../transform/spec.ts'

const functionNames = ['mapping', 'document', 'documentBack', 'request'] as const

/** Imports the modules of the steps. Throws Error, a sentence that names the step, for one that cannot be used. */
export async function loadSteps(specs: readonly StepSpec[]): Promise<Step[]> {
  const steps: Step[] = []
  for (const { action, ...spec } of specs) {
    const functions =
      action.kind === 'module' ? await loadModule(spec.name, action.path) : declaredStep(action)
    steps.push({ ...spec, ...functions })
  }
  return steps
}

export function shapeOf(step: Step): StepShape {
  const { name, indices, allowDrop } = step
  const functions = functionNames.filter((one) => step[one] !== undefined)
  return { name, indices, allowDrop, functions }
}

async function loadModule(name: string, path: string): Promise<TransformModule> {
  const module = await importModule(name, path)
  const found: Record<string, unknown> = {}
  for (const one of functionNames) {
    if (module[one] === undefined) continue
    if (typeof module[one] !== 'function') {
      throw new Error(`${name}: the export ${one} is no function`)
    }
    found[one] = module[one]
  }
  if (Object.keys(found).length === 0) {
    throw new Error(`${name} exports none of ${functionNames.join(', ')}`)
  }
  if (found['documentBack'] !== undefined && found['document'] === undefined) {
    throw new Error(`${name} exports documentBack without document`)
  }
  return found
}

async function importModule(name: string, path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    throw new Error(`${name} cannot be loaded: ${reason}`, { cause: error })
  }
}
