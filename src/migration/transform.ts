import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import type { StepSpec, TransformSpec } from '../transform/spec.ts'
import { declaredAction, type TransformOptions } from '../transform/options.ts'
import type { LoadedConfig } from './config.ts'

/** What is done to metadata and documents on their way, as configured; undefined where nothing is. */
export async function transformSpec({
  config,
  folder,
}: LoadedConfig): Promise<TransformSpec | undefined> {
  const steps = config.transform ?? []
  if (steps.length === 0) return undefined
  return {
    steps: await Promise.all(steps.map((step) => stepSpec(step, folder))),
    deadlineMs: Math.max(...steps.map(({ deadline }) => deadline)),
  }
}

const digestLetters = 12

async function stepSpec(step: TransformOptions[number], folder: string): Promise<StepSpec> {
  const { module, index, options, allowDrop } = step
  const declared = declaredAction(step)
  const action = declared ?? { kind: 'module', path: module! }
  const hash = createHash('sha256')
  hash.update(JSON.stringify([index ?? null, options, declared ?? (await readModule(module!))]))
  const name = declared?.kind ?? relative(folder, module!)
  const digest = hash.digest('hex').slice(0, digestLetters)
  return { name, ...(index && { indices: index }), allowDrop, options, action, digest }
}

async function readModule(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new MigrationError('MA_CONFIG', `transform: the module ${path} cannot be read`, { cause })
  }
}
