import { inflateRawSync, zstdDecompressSync } from 'node:zlib'
import { CorruptData } from '../base/errors.ts'

export interface CompressedBytes {
  readonly input: Uint8Array
  /** Exact length of the output. */
  readonly outputBytes: number
  /** A preset dictionary, where the writer set one. */
  readonly dictionary?: Uint8Array | undefined
}

const codecs = {
  /** RFC 1951, without a zlib frame. */
  deflate: { what: 'a DEFLATE stream', decompress: inflateRawSync },
  /** RFC 8878. */
  zstd: { what: 'a Zstandard frame', decompress: zstdDecompressSync },
} as const

/**
 * Decompresses bytes that must give exactly `outputBytes` bytes. Anything else is CorruptData, which names `file` and
 * `offset`; nothing beyond that length is ever allocated for the output.
 */
export function inflate(
  codec: keyof typeof codecs,
  compressed: CompressedBytes,
  { file, offset }: { file: string; offset: number },
): Buffer {
  const { what, decompress } = codecs[codec]
  const { input, outputBytes, dictionary } = compressed
  let output: Buffer
  try {
    // One byte more than needed: zlib then ends in one piece, without a second buffer and a copy.
    output = decompress(input, {
      chunkSize: Math.max(64, outputBytes + 1),
      maxOutputLength: Math.max(1, outputBytes),
      ...(dictionary !== undefined && dictionary.length > 0 && { dictionary }),
    })
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    throw new CorruptData({ file, offset, expected: what, found }, error)
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
