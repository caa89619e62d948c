/**
 * Quantile of Student's t distribution: the value that is not passed with the chance `p` (above 0.5).
 * By bisection of the distribution function, whose tail is half the regularised incomplete beta function.
 */
export function studentQuantile(p: number, degrees: number): number {
  let low = 0
  let high = 1
  while (studentTail(high, degrees) > 1 - p && high < 1e6) high *= 2
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2
    if (studentTail(middle, degrees) > 1 - p) low = middle
    else high = middle
  }
  return high
}

/** The chance of more than `t`, for t ≥ 0. */
export function studentTail(t: number, degrees: number): number {
  return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2
}

/** Abramowitz and Stegun 26.5.8, the continued fraction, evaluated by Lentz' method. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a)
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x),
  )
  const tiny = 1e-300
  let c = 1
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1), tiny)
  let fraction = d
  for (let m = 1; m <= 300; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonZero(1 + even * d, tiny)
    c = nonZero(1 + even / c, tiny)
    fraction *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonZero(1 + odd * d, tiny)
    c = nonZero(1 + odd / c, tiny)
    fraction *= d * c
    if (Math.abs(d * c - 1) < 1e-14) break
  }
  return (front * fraction) / a
}

function nonZero(value: number, tiny: number): number {
  return Math.abs(value) < tiny ? tiny : value
}

/** Stirling's series, after the argument is raised to where it is exact to 1e-12. */
function logGamma(x: number): number {
  let shift = 0
  let at = x
  while (at < 12) shift -= Math.log(at++)
  const inverse = 1 / (at * at)
  const series = 1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))
  return shift + (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series / at
}
