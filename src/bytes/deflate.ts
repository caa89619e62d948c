import { inflateRawSync } from 'node:zlib'
import { CorruptData } from '../base/errors.ts'

export interface DeflateStream {
  readonly input: Uint8Array
  /** Exact length of the output. */
  readonly outputBytes: number
  /** A preset dictionary, where the writer set one. */
  readonly dictionary?: Uint8Array | undefined
}

/**
 * Decompresses one raw DEFLATE stream (RFC 1951, without a zlib frame) that must give exactly `outputBytes` bytes.
 * Anything else is CorruptData; nothing beyond that length is ever allocated.
 */
export function inflateRaw(stream: DeflateStream, file: string, offset: number): Buffer {
  const { input, outputBytes, dictionary } = stream
  let output: Buffer
  try {
    // One byte more than needed: zlib then ends in one piece, without a second buffer and a copy.
    output = inflateRawSync(input, {
      chunkSize: Math.max(64, outputBytes + 1),
      maxOutputLength: Math.max(1, outputBytes),
      ...(dictionary !== undefined && dictionary.length > 0 && { dictionary }),
    })
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    throw new CorruptData({ file, offset, expected: 'a DEFLATE stream', found }, error)
  }
  if (output.length !== outputBytes) {
    throw new CorruptData({
      file,
      offset,
      expected: `${outputBytes} bytes of decompressed data`,
      found: `${output.length}`,
    })
  }
  return output
}
