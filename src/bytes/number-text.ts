/**
 * Floating-point numbers as Jackson writes them, and with it the engines: always with a point, so that nobody takes them
 * for integers; NaN and the infinities, which JSON has not, as text.
 *
 *   1.0   0.001   1.0E-4   1.0E7   -0.0   "NaN"
 */
export function doubleText(value: number): string {
  const short = Number(value.toPrecision(2))
  return javaText(value, short === value ? value.toExponential(1) : value.toExponential())
}

/** The shortest text of two digits and more that stands for this number of 32 bits. */
export function floatText(value: number): string {
  let digits = 1
  while (digits < 8 && Math.fround(Number(value.toExponential(digits))) !== value) digits++
  return javaText(value, value.toExponential(digits))
}

/** `text`: the number with an exponent. */
function javaText(value: number, text: string): string {
  if (!Number.isFinite(value)) return `"${value}"`
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  if (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e7) {
    const [digits = '', exponent = ''] = text.split('e')
    return `${digits.includes('.') ? digits : `${digits}.0`}E${Number(exponent)}`
  }
  const plain = String(Number(text))
  return plain.includes('.') ? plain : `${plain}.0`
}
