const lineFeed = 0x0a
const carriageReturn = 0x0d
const blank = 0x20
const quote = 0x22
const star = 0x2a
const slash = 0x2f
const backslash = 0x5c

/** Where bytes are written to. */
export interface LineOutput {
  /** May be the bytes that are read, at places that have been read or are no part of them. */
  readonly bytes: Uint8Array
  /** Needs room for twice the bytes that are read: at worst each is a line break inside a string. */
  readonly at: number
}

/**
 * Copies the JSON at [start, end) to `output` on one line, and returns where it ends. Elasticsearch takes more than
 * JSON: line breaks inside strings (they become escapes here) and comments (they become a blank, since one that ends
 * with its line would swallow the rest).
 */
export function joinLines(
  bytes: Uint8Array,
  start: number,
  end: number,
  output: LineOutput,
): number {
  const into = output.bytes
  let dest = output.at
  let inString = false
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (inString) {
      if (byte === lineFeed || byte === carriageReturn) {
        into[dest++] = backslash
        into[dest++] = byte === lineFeed ? 0x6e : 0x72
        continue
      }
      into[dest++] = byte
      if (byte === backslash && at + 1 < end) {
        const next = bytes[at + 1]!
        if (next !== lineFeed && next !== carriageReturn) into[dest++] = bytes[++at]!
      } else if (byte === quote) inString = false
      continue
    }
    if (byte === quote) inString = true
    else if (byte === slash) {
      const after = commentEnd(bytes, at, end)
      if (after > at) {
        into[dest++] = blank
        at = after - 1
        continue
      }
    }
    into[dest++] = byte === lineFeed || byte === carriageReturn ? blank : byte
  }
  return dest
}

/** Where the comment that begins at `at` ends; `at` itself when none does. */
function commentEnd(bytes: Uint8Array, at: number, end: number): number {
  const second = at + 1 < end ? bytes[at + 1] : 0
  if (second === slash) {
    let to = at + 2
    while (to < end && bytes[to] !== lineFeed && bytes[to] !== carriageReturn) to++
    return to
  }
  if (second !== star) return at
  for (let to = at + 3; to < end; to++) {
    if (bytes[to] === slash && bytes[to - 1] === star && to - 1 > at + 1) return to + 1
  }
  return end
}
