/** Ways to make bytes hostile. All of them depend on the random source alone. */
export type Random = () => number

/** A whole number in [0, below). */
export function pick(random: Random, below: number): number {
  return Math.floor(random() * below)
}

export function pickOf<T>(random: Random, list: readonly T[]): T {
  return list[pick(random, list.length)]!
}

/** One byte so many times: where it opens something, deeper than any stack. */
const longRun = 30_000

/** What is wrong at the edges of lengths, counts and offsets. */
const extremes = [
  0n,
  1n,
  -1n,
  -2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0xffffn,
  0x10000n,
  0xffffffn,
  0x7fffffffn,
  -0x80000000n,
  0xffffffffn,
  0x1_0000_0000n,
  0x1fffffffffffffn,
  0x20000000000000n,
  0x7fffffffffffffffn,
  -0x8000000000000000n,
]

export interface Place {
  /** Mutations fall in [from, …) nineteen times in twenty: what stands before is a header, and soon refused. */
  readonly from?: number
  /** Bytes that a piece may be taken from. */
  readonly donors?: readonly Uint8Array[]
}

/** One to three mutations, one after the other. */
export function mutate(random: Random, bytes: Uint8Array, place: Place = {}): Uint8Array {
  let mutated: Buffer = Buffer.from(bytes)
  for (let i = 1 + pick(random, 2) * pick(random, 3); i > 0; i--)
    mutated = one(random, mutated, place)
  return mutated
}

function one(random: Random, bytes: Buffer, { from = 0, donors = [] }: Place): Buffer {
  const low = random() < 0.05 ? 0 : Math.min(from, bytes.length)
  const at = low + pick(random, bytes.length - low + 1)
  const some = 1 + pick(random, random() < 0.7 ? 8 : 200)
  if (random() < 0.002) return replaced(bytes, at, 0, Buffer.alloc(longRun, bytes[at] ?? 0))
  switch (pick(random, 12)) {
    case 0:
    case 1:
      return replaced(bytes, at, 1, [bytes[at]! ^ (1 << pick(random, 8))])
    case 2:
      return replaced(bytes, at, 1, [pickOf(random, [0, 1, 0x7f, 0x80, 0xff, pick(random, 256)])])
    case 3:
      return bytes.subarray(0, at)
    case 4:
      return replaced(bytes, at, 0, randomBytes(random, some))
    case 5:
      return replaced(bytes, at, some, [])
    case 6:
      return replaced(bytes, at, some, Buffer.alloc(some, pickOf(random, [0, 0xff, 0x80])))
    case 7: {
      const width = pickOf(random, [2, 4, 8])
      return replaced(bytes, at, width, extreme(random, width))
    }
    case 8:
    case 9:
      return replaced(bytes, at, vintLength(bytes, at), vint(pickOf(random, extremes)))
    case 10: {
      const donor = donors.length > 0 ? pickOf(random, donors) : bytes
      const start = pick(random, donor.length)
      const piece = Uint8Array.from(donor.subarray(start, start + some))
      return replaced(bytes, at, random() < 0.5 ? 0 : piece.length, piece)
    }
    default: {
      const start = low + pick(random, bytes.length - low + 1)
      return replaced(bytes, at, 0, Uint8Array.from(bytes.subarray(start, start + some)))
    }
  }
}

export function randomBytes(random: Random, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, () => pick(random, 256)))
}

function replaced(
  bytes: Buffer,
  at: number,
  length: number,
  by: readonly number[] | Uint8Array,
): Buffer {
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(by), bytes.subarray(at + length)])
}

function extreme(random: Random, width: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt.asIntN(64, pickOf(random, extremes)))
  const low = bytes.subarray(0, width)
  return random() < 0.5 ? low : low.reverse()
}

/** The bytes that stand for a number with a high bit on all but the last. */
function vintLength(bytes: Uint8Array, at: number): number {
  let end = at
  while (end < bytes.length && end < at + 9 && bytes[end]! >= 0x80) end++
  return end - at + 1
}

function vint(value: bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(value < 0n && value >= -0x80000000n ? 32 : 64, value)
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}
