/** Wall time in epoch microseconds: as fine as the monotonic clock, and never further from the system's than this. */
const driftMaxMs = 20

let originMs = Date.now() - performance.now()

export function epochMicros(): number {
  const ms = originMs + performance.now()
  const system = Date.now()
  if (Math.abs(system - ms) <= driftMaxMs) return Math.round(ms * 1000)
  originMs += system - ms
  return system * 1000
}
