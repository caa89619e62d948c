/** Why a result is too old to go by; undefined: it is not. */
export function staleness(
  endedAt: string,
  { now, freshForMs }: { now: Date; freshForMs: number },
): string | undefined {
  const age = now.getTime() - Date.parse(endedAt)
  return age > freshForMs ? `stale: ${ageText(age)} old` : undefined
}

export function ageText(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 120) return `${Math.max(minutes, 0)} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`
}
