import type { DocumentTypes } from '../base/document-types.ts'
import { fingerprint } from '../transform/spec.ts'
import { typedBlocks } from '../transform/typed-documents.ts'
import type { Transform } from '../usercode/transform.ts'
import { mayRename } from '../usercode/transformer.ts'
import type { BlockChange } from './hit-blocks.ts'

/** What is done to documents of an index on their way, so that both sides have one form. */
export interface DocumentChange {
  /** undefined: nothing. */
  readonly change: BlockChange | undefined
  /** The user's transform is part of it. */
  readonly transforms: boolean
}

export async function documentChange(
  index: string,
  target: {
    readonly types?: DocumentTypes
    readonly sourceShards?: number
    readonly targetShards?: number
  },
  transform: Transform | undefined,
): Promise<DocumentChange> {
  const transforms =
    transform !== undefined &&
    fingerprint(transform.spec, index) !== null &&
    (await transform.open()).changesDocuments(index)
  const { types, sourceShards = 0, targetShards = 0 } = target
  const task = { index, mayRename: mayRename({ sourceShards, targetShards }) }
  const steps: BlockChange[] = [
    ...(types === undefined ? [] : [(blocks: Blocks) => typedBlocks(blocks, types)]),
    ...(transforms ? [(blocks: Blocks) => transform.blocks(blocks, task)] : []),
  ]
  if (steps.length === 0) return { change: undefined, transforms }
  return {
    change: (blocks) => steps.reduce((before, step) => step(before), blocks),
    transforms,
  }
}

type Blocks = Parameters<BlockChange>[0]
