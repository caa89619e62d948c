/** A thread that wakes the one that sends the load ten times a millisecond: timers of Node.js have one millisecond. */
import { parentPort, workerData } from 'node:worker_threads'

/** The first: 1 while a tick is on its way, so that none pile up; the second: 1 when no more are wanted. */
const shared = workerData as Int32Array
const everyMs = 0.1

while (Atomics.wait(shared, 1, 0, everyMs) === 'timed-out') {
  if (Atomics.exchange(shared, 0, 1) === 0) parentPort!.postMessage(0)
}
