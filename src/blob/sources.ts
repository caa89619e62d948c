import { allOf } from '../base/all-of.ts'
import { CorruptData } from '../base/errors.ts'
import type { ByteSource } from './byte-source.ts'
import { checkRange, readInto } from './range.ts'

/** Bytes in memory as a source: a virtual file, whose content is in the shard's file list. Reads are views. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    byteLength: bytes.length,
    async read(offset, length, into) {
      checkRange(name, bytes.length, offset, length)
      const range = bytes.subarray(offset, offset + length)
      if (into === undefined) return range
      const target = readInto(name, length, into)
      target.set(range)
      return target
    },
    async close() {},
  }
}

export interface SourcePart {
  readonly byteLength: number
  open(): Promise<ByteSource>
}

/**
 * Several sources read as one: a file that the engine cut into parts of `chunk_size`. Each part is opened when a read
 * first touches it, and parts are read at the same time; one whose length is not as announced is CorruptData.
 */
export function concatenatedSource(name: string, parts: readonly SourcePart[]): ByteSource {
  const starts: number[] = []
  let byteLength = 0
  for (const part of parts) {
    starts.push(byteLength)
    byteLength += part.byteLength
  }
  const opened = new Map<number, Promise<ByteSource>>()
  const open = (i: number): Promise<ByteSource> => {
    const known = opened.get(i)
    if (known !== undefined) return known
    const source = openPart(parts[i]!)
    opened.set(i, source)
    return source
  }
  return {
    name,
    byteLength,
    async read(offset, length, into) {
      checkRange(name, byteLength, offset, length)
      const first = partAt(starts, offset)
      const within = offset - (starts[first] ?? 0)
      if (length === 0) return readInto(name, 0, into)
      if (within + length <= parts[first]!.byteLength) {
        return await (await open(first)).read(within, length, into)
      }
      const target = readInto(name, length, into)
      const reads: Promise<void>[] = []
      for (let i = first, done = 0; done < length; i++) {
        const from = offset + done - starts[i]!
        const count = Math.min(length - done, parts[i]!.byteLength - from)
        if (count <= 0) continue
        reads.push(readPart(open(i), from, target.subarray(done, done + count)))
        done += count
      }
      await allOf(reads)
      return target
    },
    async close() {
      const sources = await Promise.allSettled(opened.values())
      opened.clear()
      for (const source of sources) if (source.status === 'fulfilled') await source.value.close()
    },
  }
}

async function readPart(
  part: Promise<ByteSource>,
  offset: number,
  into: Uint8Array,
): Promise<void> {
  await (await part).read(offset, into.length, into)
}

async function openPart(part: SourcePart): Promise<ByteSource> {
  const source = await part.open()
  if (source.byteLength === part.byteLength) return source
  await source.close()
  throw new CorruptData({
    file: source.name,
    offset: Math.min(source.byteLength, part.byteLength),
    expected: `${part.byteLength} bytes`,
    found: `${source.byteLength}`,
  })
}

/** Index of the last part that starts at or before the offset. */
function partAt(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return Math.max(low, 0)
}
