import type { DocumentBlock } from '../document/document-block.ts'
import type { TransformSpec } from '../transform/spec.ts'
import { Transformer, type TransformTask } from './transformer.ts'

/** A transform whose thread is started when it is first needed. */
export class Transform {
  readonly spec: TransformSpec
  #opening: Promise<Transformer> | undefined

  constructor(spec: TransformSpec) {
    this.spec = spec
  }

  open(): Promise<Transformer> {
    return (this.#opening ??= Transformer.open(this.spec))
  }

  /** The blocks with their documents changed; the very blocks where no step changes documents of the index. */
  async *blocks(
    blocks: AsyncIterable<DocumentBlock>,
    task: TransformTask,
  ): AsyncIterable<DocumentBlock> {
    const transformer = await this.open()
    if (transformer.changesDocuments(task.index)) yield* transformer.blocks(blocks, task)
    else yield* blocks
  }

  async close(): Promise<void> {
    // What failed to open has told so already.
    const transformer = await this.#opening?.catch(() => undefined)
    await transformer?.close()
  }
}
