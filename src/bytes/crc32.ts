/** The polynomial of CRC-32 (ISO 3309, as zlib's crc32 and Lucene's footers have it), reflected: bit 31 is x^0. */
const polynomial = 0xedb88320
const one = 0x80000000
const xTo8 = 0x00800000

/**
 * The CRC-32 of two stretches of bytes, one after the other, from the CRC-32 of each (unsigned, as zlib's crc32 gives it)
 * and the length of the second in bytes: a whole number up to 2^53.
 *
 * A CRC is the remainder of a polynomial over GF(2). To append n bytes is to multiply what stands before by x^(8n) and to
 * add what comes: crc(A B) = crc(A) · x^(8n) + crc(B) modulo the polynomial. What zlib puts before and after (all bits
 * inverted) cancels out of the sum. The power is had by squaring, so the cost is some 50 products at most, whatever n.
 */
export function joinCrc32(first: number, second: number, secondBytes: number): number {
  return (multiply(first, power(secondBytes)) ^ second) >>> 0
}

/** x^(8n) modulo the polynomial. */
function power(n: number): number {
  let result = one
  let square = xTo8
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, square)
    square = multiply(square, square)
  }
  return result
}

/** The product of two polynomials modulo the polynomial. */
function multiply(a: number, b: number): number {
  let product = 0
  let shifted = b
  for (let bit = 31; bit >= 0; bit--) {
    if (((a >>> bit) & 1) === 1) product ^= shifted
    shifted = (shifted & 1) === 1 ? (shifted >>> 1) ^ polynomial : shifted >>> 1
  }
  return product >>> 0
}
