/**
 * The same dates in the letters of java.time; undefined where there are none. `Y` is the year of an era in Joda, and
 * the week's year in java.time, which makes 2019-12-29 of 2020-05-06. `Z` and `ZZ` read an offset with or without its
 * colon in Joda, and `Z`: so one format becomes two.
 */
export function javaFormat(format: string): string | undefined {
  if (format.startsWith('8')) return format
  const converted = format.split('||').map(javaPattern)
  if (converted.includes(undefined)) return undefined
  return [...new Set(converted.join('||').split('||'))].join('||')
}

function javaPattern(pattern: string): string | undefined {
  if (named.test(pattern)) return pattern
  const whole = weeks[pattern]
  if (whole !== undefined) return whole
  const letters = pattern.match(/'[^']*'|[A-Za-z]+|[^A-Za-z']+/g) ?? []
  const runs = letters.flatMap((run) => run.match(/'[^']*'|([A-Za-z])\1*|[^A-Za-z']+/g) ?? [])
  if (runs.some((run) => /^[Cx]/.test(run) || /^[we]/.test(run))) return undefined
  const spelled = (zone1: string, zone2: string): string =>
    runs
      .map((run) => {
        if (/^Y+$/.test(run)) return run.toLowerCase()
        if (run === 'Z') return zone1
        if (run === 'ZZ') return zone2
        return run === 'ZZZ' ? 'VV' : run
      })
      .join('')
  const forms = [spelled('Z', 'ZZZZZ'), spelled('ZZZZZ', 'XX')]
  return [...new Set(forms)].join('||')
}

/** Names of formats, which are words of more than one letter: `date_optional_time`, `dateOptionalTime`, `date`. */
const named = /^(strict_?|basic_?)?[a-z]+(_[a-z]+)*$|^(strict|basic)?[A-Z]?[a-z]+([A-Z][a-z]+)*$/

const weeks: { readonly [pattern: string]: string } = {
  "xxxx-'W'ww-e": 'week_date',
  "xxxx'W'wwe": 'basic_week_date',
}
