/**
 * Appends records to a local capture log as fast as it takes them, until it is killed; each line of its output is a number
 * up to which all of its records are durable. Its arguments: folder of the stream, first number, bytes of a segment.
 */
import { writeSync } from 'node:fs'
import { openLocalLog } from '../../src/traffic/local-log.ts'
import { bodyBytesOf, numberedRequest } from './capture-records.ts'

const [folder = '', first = '0', segmentBytesMax = '100000'] = process.argv.slice(2)
const log = await openLocalLog({
  ...{ folder, stream: 'p1', bytesMax: 1 << 30, segmentBytesMax: Number(segmentBytesMax) },
})
if (log.last !== undefined && log.last.number !== Number(first) - 1) {
  writeSync(2, `last is ${JSON.stringify(log.last)}\n`)
}
let number = Number(first)
let waiting = 0

function appendSome(): void {
  while (waiting < 40) {
    const now = number++
    waiting++
    log.append(numberedRequest(now, bodyBytesOf(now)), (error) => {
      if (error !== undefined) throw error
      waiting--
      writeSync(1, `${now}\n`)
      setImmediate(appendSome)
    })
  }
}

appendSome()
