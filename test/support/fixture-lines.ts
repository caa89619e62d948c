/** The lines of a fixture's .ndjson, as test/fixtures/README.md has them. */
import { createHash } from 'node:crypto'

/** Longer sources stand as their length and SHA-256: fixtures are kept small. */
const sourceBytesMax = 2_000

/** `converted`: the document was not sent as JSON, and its source is compared by value. */
export function fixtureLine(
  head: object,
  source: string | undefined,
  { converted }: { converted: boolean },
): string {
  return JSON.stringify(head).slice(0, -1) + sourceMember(source, converted) + '}'
}

/** True for a line of a document that was not sent as JSON. */
export function isConverted(line: string): boolean {
  return line.includes(',"value":')
}

function sourceMember(source: string | undefined, converted: boolean): string {
  if (source === undefined) return ''
  if (converted) return `,"value":${valueText(source)}`
  const bytes = Buffer.byteLength(source)
  if (bytes <= sourceBytesMax) return `,"source":${source}`
  const sha256 = createHash('sha256').update(source).digest('hex')
  return `,"sourceBytes":${bytes},"sourceSha256":"${sha256}"`
}

/** The same for two texts of one value: strings unescaped, numbers with a point or an exponent as doubles. */
function valueText(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => {
    if (token.startsWith('"')) return JSON.stringify(JSON.parse(token))
    if (!/[.eE]/.test(token)) return token
    const value = Number(token)
    const text = Object.is(value, -0) ? '-0' : String(value)
    return /^-?\d+$/.test(text) ? `${text}.0` : text
  })
}
