export const multiplier1 = 0x9e3779b1 | 0
export const multiplier2 = 0x85ebca77 | 0
export const numberTag = 0x3c6ef372
export const literalTag = 0x1f83d9ab
export const arrayTag = 0x510e527f
export const objectTag = 0x5be0cd19
export const pairTag = 0x6a09e667

/**
 * Mixes two halves so that each bit of the result depends on all 64 of the input. Every step can be undone (a half is
 * changed by a bijection of itself and by the other half), so two inputs never meet in one output.
 */
export function mix(into: { half1: number; half2: number }, half1: number, half2: number): void {
  let a = half1 | 0
  let b = half2 | 0
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35)
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35)
  a = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d) ^ Math.imul(b ^ (b >>> 14), 0x297a2d39)
  b = Math.imul(b ^ (b >>> 15), 0x2c1b3c6d) ^ Math.imul(a ^ (a >>> 14), 0x297a2d39)
  into.half1 = a ^ (a >>> 16)
  into.half2 = b ^ (b >>> 16)
}
