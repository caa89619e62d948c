/** The cases of the rules, as whole requests that can be translated and sent. */
import { isJsonObject, type JsonObject } from '../../base/json.ts'
import type { CaseRequest, RequestCase, RequestRule, RuleContext, Version } from './rule.ts'
import type { PlainRequest } from './translate.ts'

/** One case with what it stands for written out. */
export interface WholeCase {
  readonly rule: RequestRule
  readonly title: string
  readonly case: RequestCase
  readonly context: RuleContext
  readonly before: PlainRequest
  /** Without what every search of a source before 7 gets: the form of the totals. */
  readonly after: PlainRequest
  readonly fired: readonly string[]
}

export function casesOf(rules: readonly RequestRule[]): WholeCase[] {
  return rules.flatMap((rule) =>
    rule.cases.map((one, at) => {
      const context = contextOf(one.on)
      const isShort = !isWhole(one.before)
      const after = requestOf(rule, one.after)
      const withTotals =
        isShort && context.source.flavour === 'elasticsearch' && context.source.major < 7
      return {
        rule,
        title: `case ${at + 1}, ${one.on}`,
        case: one,
        context,
        before: requestOf(rule, one.before),
        after: withTotals ? { ...after, path: `${after.path}?rest_total_hits_as_int=true` } : after,
        fired: [...(withTotals ? ['exact-totals'] : []), ...(one.fired ?? [rule.name])].sort(),
      }
    }),
  )
}

function isWhole(one: JsonObject | CaseRequest): one is CaseRequest {
  return 'line' in one
}

function requestOf(rule: RequestRule, one: JsonObject | CaseRequest): PlainRequest {
  if (!isWhole(one))
    return { method: 'POST', path: '/shop/_search', body: JSON.stringify(bodyOf(rule, one)) }
  const [method = '', path = ''] = one.line.split(' ')
  const { body } = one
  if (body === undefined || typeof body === 'string')
    return { method, path, ...(body !== undefined && { body }) }
  const lines = Array.isArray(body)
    ? body.map((line) => `${JSON.stringify(line)}\n`).join('')
    : undefined
  return { method, path, body: lines ?? JSON.stringify(body) }
}

function bodyOf({ at }: RequestRule, one: JsonObject): JsonObject {
  if (at === 'query') return isJsonObject(one.query) ? one : { query: one }
  return at === 'aggregation' ? { size: 0, aggs: { a: one } } : one
}

/** `old` is called `new` on the target; everything else has kept its name. */
function contextOf(on: string): RuleContext {
  const [, isOpenSearch, source, target] = /^(os)?([\d.]+) > ([\d.]+)$/.exec(on) ?? []
  if (source === undefined || target === undefined)
    throw new Error(`a case on "${on}": write \`5.6 > 3.6\``)
  return {
    source: versionOf(isOpenSearch === undefined ? 'elasticsearch' : 'opensearch', source),
    target: versionOf('opensearch', target),
    placeOf: (index) => (index === 'old' ? { indices: ['new'] } : undefined),
  }
}

function versionOf(flavour: Version['flavour'], text: string): Version {
  const [major = 0, minor = 0] = text.split('.').map(Number)
  return { flavour, major, minor }
}
