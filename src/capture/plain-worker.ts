/** The entry of a worker that records nothing: a proxy and no more. */
import { serveWorker } from './worker.ts'

serveWorker(async () => ({ observer: undefined, close: async () => {} }))
