import { crc32 } from 'node:zlib'
import { damaged } from './log-errors.ts'
import { frameBytes } from './record-decode.ts'
import { frameHeadBytes } from './record-layout.ts'

/**
 * One message of the topic: the records of one flush, or a part of a record that is longer than the brokers take.
 * Specified in docs/formats/capture-log.md; numbers are big-endian. The message's key is the proxy's name.
 *
 *   message  = checksum:uint32 version:byte flags:byte writer:uint48 sequence:uint48 content
 *   checksum = CRC-32 (ISO 3309) of all that follows it
 *   flags    = 1 a record begins with the content, 2 a record ends with it
 *   content  = frame*                       ; with both flags: at most 4,096 records
 *            | part                         ; else: those of all its messages make up the frame
 *   writer   = epoch milliseconds at which the proxy opened the log
 *   sequence = rises by one with each message of a writer, from 1 on
 *
 * A writer that is not answered sends again what may have arrived, so a message can stand there twice, the second time
 * after younger ones: what is not above the last sequence of its writer was seen already.
 */
export const recordsMax = 4096
export const messageHeadBytes = 18
const messageVersion = 1
const beginsHere = 1
const endsHere = 2

export interface MessageHead {
  readonly begins: boolean
  readonly ends: boolean
  readonly writer: number
  readonly sequence: number
}

export function buildMessage(head: MessageHead, content: readonly Buffer[]): Buffer {
  const bytes = content.reduce((sum, piece) => sum + piece.length, messageHeadBytes)
  const message = Buffer.allocUnsafe(bytes)
  message[4] = messageVersion
  message[5] = (head.begins ? beginsHere : 0) | (head.ends ? endsHere : 0)
  message.writeUIntBE(head.writer, 6, 6)
  message.writeUIntBE(head.sequence, 12, 6)
  let end = messageHeadBytes
  for (const piece of content) end += piece.copy(message, end)
  message.writeUInt32BE(crc32(message.subarray(4)), 0)
  return message
}

/** The content is a view. Throws MA_CAPTURE_LOG for bytes that are not such a message. */
export function parseMessage(
  message: Buffer,
  place: { file: string; offset: number },
): MessageHead & { content: Buffer } {
  if (message.length < messageHeadBytes) {
    const found = `${message.length} bytes`
    throw damaged({ ...place, expected: `a message of at least ${messageHeadBytes} bytes`, found })
  }
  if (message.readUInt32BE(0) !== crc32(message.subarray(4))) {
    const found = 'another, or a message that osmigrate did not write'
    throw damaged({ ...place, expected: 'a message that fits its checksum', found })
  }
  if (message[4] !== messageVersion) {
    const found = `version ${message[4]}, which a newer osmigrate wrote`
    throw damaged({ ...place, expected: `version ${messageVersion}`, found })
  }
  const flags = message[5]!
  return {
    begins: (flags & beginsHere) !== 0,
    ends: (flags & endsHere) !== 0,
    writer: message.readUIntBE(6, 6),
    sequence: message.readUIntBE(12, 6),
    content: message.subarray(messageHeadBytes),
  }
}

/** The frames of a message that holds whole records, as views. Throws MA_CAPTURE_LOG where they do not fill it. */
export function splitFrames(content: Buffer, place: { file: string; offset: number }): Buffer[] {
  const frames: Buffer[] = []
  for (let start = 0; start < content.length;) {
    const left = content.length - start
    const bytes = left < frameHeadBytes ? undefined : frameBytes(content, start)
    if (bytes === undefined || bytes > left || frames.length === recordsMax) {
      const expected = `at most ${recordsMax} whole records`
      throw damaged({ ...place, expected, found: `${left} other bytes at byte ${start}` })
    }
    frames.push(content.subarray(start, start + bytes))
    start += bytes
  }
  return frames
}
