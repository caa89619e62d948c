import { zstdDecompressSync } from 'node:zlib'
import { CorruptData } from '../base/errors.ts'

export interface ZstdFrame {
  readonly input: Uint8Array
  /** Exact length of the output. */
  readonly outputBytes: number
  /** A preset dictionary, where the writer set one. */
  readonly dictionary?: Uint8Array | undefined
}

/**
 * Decompresses Zstandard data (RFC 8878) that must give exactly `outputBytes` bytes. Anything else is CorruptData;
 * nothing beyond that length is ever allocated for the output.
 */
export function inflateZstd(frame: ZstdFrame, file: string, offset: number): Buffer {
  const { input, outputBytes, dictionary } = frame
  let output: Buffer
  try {
    output = zstdDecompressSync(input, {
      // One byte more than needed: zlib then ends in one piece, without a second buffer and a copy.
      chunkSize: Math.max(64, outputBytes + 1),
      maxOutputLength: Math.max(1, outputBytes),
      ...(dictionary !== undefined && dictionary.length > 0 && { dictionary }),
    })
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    throw new CorruptData({ file, offset, expected: 'a Zstandard frame', found }, error)
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
