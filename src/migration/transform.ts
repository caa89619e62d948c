import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import type { StepSpec, TransformSpec } from '../transform/spec.ts'
import type { TransformOptions } from '../transform/options.ts'
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
  const { module: path, index, options, allowDrop } = step
  const name = relative(folder, path)
  const text = await readFile(path).catch((cause: unknown) => {
    throw new MigrationError('MA_CONFIG', `transform: the module ${path} cannot be read`, { cause })
  })
  const hash = createHash('sha256').update(text)
  hash.update(JSON.stringify([index, options, allowDrop]))
  const digest = hash.digest('hex').slice(0, digestLetters)
  return { name, ...(index && { indices: index }), allowDrop, options, path, digest }
}
