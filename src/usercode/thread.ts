import { parentPort, workerData } from 'node:worker_threads'
import { MigrationError } from '../base/errors.ts'
import {
  repackDocuments,
  unpackDocument,
  type PackedDocuments,
} from '../transform/packed-documents.ts'
import {
  describeError,
  Pipeline,
  transformMapping,
  type DocumentText,
  type Step,
  type Unsent,
} from '../transform/pipeline.ts'
import { transformRequest } from '../transform/request.ts'
import { loadSteps, shapeOf } from './load-steps.ts'
import type { DocumentsTask, FromThread, ThreadData, ToThread } from './messages.ts'

/** The thread of a Transformer, in which the code of users runs. It answers one message after the other. */
const data = workerData as ThreadData
const port = parentPort!
const send = (message: FromThread, transfer: ArrayBuffer[] = []): void =>
  port.postMessage(message, transfer)

const { place } = data
try {
  const steps = await loadSteps(data.spec.steps)
  port.on('message', (message: ToThread) => answer(steps, message))
  send({ type: 'ready', steps: steps.map(shapeOf) })
} catch (error) {
  send({ type: 'unusable', reason: error instanceof Error ? error.message : String(error) })
}

function answer(steps: readonly Step[], message: ToThread): void {
  if (message.type === 'documents') {
    const { documents, unsent } = runDocuments(steps, message)
    send({ type: 'documents', documents, unsent }, [documents.bytes.buffer])
    return
  }
  try {
    if (message.type === 'request') {
      send({ type: 'request', request: transformRequest(steps, message.request) })
    } else send({ type: 'mapping', mapping: transformMapping(steps, message.of, message.mapping) })
  } catch (error) {
    const reason = error instanceof MigrationError ? error.message : describeError(error)
    send({ type: 'failed', reason })
  }
}

function runDocuments(
  steps: readonly Step[],
  { documents, leaveOut, ...about }: DocumentsTask,
): { documents: PackedDocuments; unsent: [number, Unsent][] } {
  const pipeline = new Pipeline(steps, about)
  const unsent: [number, Unsent][] = []
  const after: (DocumentText | undefined)[] = []
  for (let i = 0; i < documents.count; i++) {
    Atomics.store(place, 0, i)
    const result = leaveOut.includes(i) ? undefined : runOne(pipeline, documents, i)
    if (result !== undefined && 'why' in result) unsent.push([i, result])
    after.push(result === undefined || 'why' in result ? undefined : result)
  }
  Atomics.store(place, 0, -1)
  return { documents: repackDocuments(documents, after), unsent }
}

function runOne(
  pipeline: Pipeline,
  documents: PackedDocuments,
  i: number,
): DocumentText | Unsent | undefined {
  try {
    const document = unpackDocument(documents, i)
    return document === undefined ? undefined : pipeline.run(document)
  } catch {
    return { why: 'failed', reason: '_source is not UTF-8' }
  }
}
