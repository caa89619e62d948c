import type { ByteSource } from './byte-source.ts'
import { checkRange, readInto } from './range.ts'

/** A window is one request. Memory of a source that is read ahead: windowBytes × windowsMax. */
export interface ReadAheadOptions {
  readonly windowBytes?: number
  readonly windowsMax?: number
}

const defaultWindowBytes = 4 * 1024 * 1024
/** With 30 ms to the first byte and 60 MB/s a connection, four windows of 4 MB are about 165 MB/s. */
const defaultWindowsMax = 4

interface Window {
  readonly start: number
  readonly end: number
  readonly memory: Uint8Array
  readonly bytes: Promise<Uint8Array>
  /** Nothing writes into the memory any more. */
  settled: boolean
}

/**
 * Fetches what expectReads() announces before it is asked for, so that a reader from front to back waits for bandwidth
 * and not for round trips. Reads elsewhere go straight to the source. Nothing outside the announced stretch is fetched.
 */
export function readAhead(
  source: ByteSource,
  { windowBytes = defaultWindowBytes, windowsMax = defaultWindowsMax }: ReadAheadOptions = {},
): ByteSource {
  const { name, byteLength } = source
  /** In order and without gaps; the first holds the next byte that the reader wants. */
  let windows: Window[] = []
  /** What is not fetched yet: [next, stop). */
  let next = 0
  let stop = 0
  let free: Uint8Array[] = []

  const fetchWindows = (): void => {
    while (windows.length < windowsMax && next < stop) {
      const end = Math.min(stop, next + windowBytes)
      const memory = free.pop() ?? new Uint8Array(Math.min(windowBytes, stop - next))
      windows.push(fetchWindow(source, memory, { start: next, end }))
      next = end
    }
  }
  /** Lets go of what lies before `offset`; its memory is used again. */
  const passTo = (offset: number): void => {
    while (windows.length > 0 && windows[0]!.end <= offset) {
      const { memory, settled } = windows.shift()!
      if (settled && memory.length === windowBytes && free.length < windowsMax) free.push(memory)
    }
    if (windows.length === 0) next = Math.max(next, offset)
    fetchWindows()
  }
  const isAhead = (offset: number, end: number): boolean =>
    end > offset && end <= stop && offset >= (windows[0]?.start ?? next)
  const copyFromWindows = async (offset: number, target: Uint8Array): Promise<void> => {
    const end = offset + target.length
    for (let at = offset; at < end;) {
      if (!isAhead(at, end)) {
        // Another reader of the same source has announced its own stretch meanwhile.
        await source.read(at, end - at, target.subarray(at - offset))
        return
      }
      passTo(at)
      const window = windows[0]!
      const bytes = await window.bytes
      const count = Math.min(end, window.end) - at
      target.set(bytes.subarray(at - window.start, at - window.start + count), at - offset)
      at += count
    }
    // All is read: parts of a file stay open, and their memory must not.
    if (end !== stop) return
    windows = []
    free = []
  }
  // One reader at a time: windows that are passed are used again.
  let turn: Promise<unknown> = Promise.resolve()
  return {
    name,
    byteLength,
    async read(offset, length, into) {
      checkRange(name, byteLength, offset, length)
      if (!isAhead(offset, offset + length)) return source.read(offset, length, into)
      const target = readInto(name, length, into)
      const reading = turn.then(() => copyFromWindows(offset, target))
      turn = reading.catch(() => undefined)
      await reading
      return target
    },
    expectReads(offset, end) {
      checkRange(name, byteLength, offset, end - offset)
      windows = []
      next = offset
      stop = end
    },
    async close() {
      stop = 0
      const pending = windows.map(({ bytes }) => bytes)
      windows = []
      free = []
      await source.close()
      await Promise.allSettled(pending)
    },
  }
}

function fetchWindow(
  source: ByteSource,
  memory: Uint8Array,
  { start, end }: { start: number; end: number },
): Window {
  const bytes = source.read(start, end - start, memory)
  const window: Window = { start, end, memory, bytes, settled: false }
  const settle = (): void => {
    window.settled = true
  }
  // Who reads the window meets its error; nobody may.
  bytes.then(settle, settle)
  return window
}
