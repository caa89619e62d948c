import type { Consumer } from '@platformatic/kafka'
import type { StreamEnd } from './capture-log.ts'
import { streamName } from './kafka-client.ts'
import { fetchMessages } from './kafka-fetch.ts'
import { MessageJoiner } from './kafka-join.ts'
import { decodeRecord } from './record-decode.ts'
import { recordTime } from './record-time.ts'

/** How many messages before the end are looked at for the proxy: few at first, and more where others write there, too. */
const tailLengths = [50, 2000]

/**
 * What a proxy's records in a partition ended with; undefined where it has none. Where others have written so much since
 * that its last ones are not found, the answer is one that holds in any case: not clean, at any time, with a number above
 * every one that counting can have come to.
 */
export async function findEndOf(
  consumer: Consumer,
  topic: string,
  tail: { proxy: string; partition: number; oldest: number; end: number },
): Promise<StreamEnd | undefined> {
  const { oldest, end } = tail
  for (const length of tailLengths) {
    const from = Math.max(oldest, end - length)
    const found = await readTail(consumer, topic, { ...tail, from })
    if (found !== undefined) return found
    if (from === oldest) return undefined
  }
  return { isClean: false, at: 0, number: Date.now() * 1000 }
}

async function readTail(
  consumer: Consumer,
  topic: string,
  { proxy, partition, from, end }: { proxy: string; partition: number; from: number; end: number },
): Promise<StreamEnd | undefined> {
  const file = streamName(topic, partition)
  const joiner = new MessageJoiner(file)
  let found: StreamEnd | undefined
  for await (const message of fetchMessages(consumer, topic, { partition, from, to: end })) {
    if (message.key !== proxy) continue
    for (const frame of joiner.accept(message)) {
      const record = decodeRecord(frame, { file, offset: message.offset })
      found = {
        isClean: record.kind === 'stopped',
        at: Math.max(found?.at ?? 0, recordTime(record)),
        number: Math.max(found?.number ?? 0, 'exchange' in record ? record.exchange.number : 0),
      }
    }
  }
  return found
}
