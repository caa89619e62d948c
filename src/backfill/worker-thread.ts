import { parentPort, workerData } from 'node:worker_threads'
import { openBlobStore } from '../blob/open.ts'
import { blobRetryChannel, type BlobRetry } from '../blob/retry.ts'
import type { BulkWait } from '../cluster/bulk.ts'
import { connectCluster } from '../cluster/connect.ts'
import { openRepository } from '../snapshot/repository.ts'
import type { LocalWorker, ItemTask } from './local-worker.ts'
import { openLocalWorker } from './open-local-worker.ts'
import {
  errorData,
  errorOf,
  type FromWorker,
  type ToWorker,
  type WorkerData,
} from './worker-messages.ts'

/** The thread of a ThreadWorker: own handles on the snapshot, own connections to the target. The main thread keeps the state. */
const {
  repository,
  store: storeOptions,
  snapshot: name,
  target: cluster,
  options,
  transform,
} = workerData as WorkerData
const port = parentPort!
const send = (message: FromWorker): void => port.postMessage(message)
blobRetryChannel.subscribe((retry) => send({ type: 'blobRetry', retry: retry as BlobRetry }))

const opening = open()
opening.catch(() => {})
/** Reports that the main thread has not stored yet. */
const unstored = new Map<number, { resolve: () => void; reject: (error: Error) => void }>()
let reports = 0

// The first message may come before everything is open, and an error of opening answers it.
port.on('message', (message: ToWorker) => {
  void receive(message)
})

async function open() {
  const store = await openRepository(openBlobStore(repository, storeOptions))
  const snapshot = await store.openSnapshot(name)
  const target = await connectCluster('target', cluster)
  const onWait = (wait: BulkWait): void => send({ type: 'wait', wait })
  return { target, worker: openLocalWorker({ snapshot, target, options, transform, onWait }) }
}

async function receive(message: ToWorker): Promise<void> {
  if (message.type === 'stored') {
    const report = unstored.get(message.report)
    unstored.delete(message.report)
    if (message.error) report?.reject(errorOf(message.error))
    else report?.resolve()
    return
  }
  try {
    const { worker, target } = await opening
    switch (message.type) {
      case 'open':
        send({ type: 'opened', id: message.id, shard: await worker.openShard(message.task) })
        break
      case 'run':
        await run(worker, message.id, message.task)
        break
      case 'check':
        await worker.checkSegment(message.task)
        send({ type: 'checked', id: message.id })
        break
      case 'stop':
        worker.stop(message.index)
        break
      case 'giveUp':
        worker.giveUp()
        break
      case 'close':
        await worker.close()
        await target.close()
        port.close()
        break
    }
  } catch (error) {
    if ('id' in message) send({ type: 'failed', id: message.id, error: errorData(error) })
    else if (message.type === 'close') port.close()
  }
}

async function run(worker: LocalWorker, id: number, task: ItemTask): Promise<void> {
  const { read, settled } = await worker.run(task, (content) => {
    const report = ++reports
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    unstored.set(report, { resolve, reject })
    send({ type: 'report', id, report, content })
    return promise
  })
  send({ type: 'read', id, read })
  await settled.then(
    () => send({ type: 'settled', id }),
    (error: unknown) => send({ type: 'settled', id, error: errorData(error) }),
  )
}
