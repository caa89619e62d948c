import type { Json, JsonObject } from '../../base/json.ts'
import { parseBody, parseLines, printLines } from './body-text.ts'
import { parsePath, printPath, type RequestPath } from './request-path.ts'
import {
  isIn,
  objectOf,
  type BodyRule,
  type Done,
  type PathRule,
  type RequestLoses,
  type RequestRule,
  type RuleContext,
} from './rule.ts'
import { requestRules } from './table.ts'
import { Walk } from './walk.ts'

/** A reading request: method, path with query string, and a body of JSON or NDJSON. */
export interface PlainRequest {
  readonly method: string
  readonly path: string
  readonly body?: string
}

/** A rule that fired, once or more often. */
export interface FiredRule {
  readonly rule: string
  readonly loses: RequestLoses
  readonly why: string
}

export interface TranslatedRequest extends PlainRequest {
  /** In order, each rule once, with the most that it lost. Empty: the request is the one that was given. */
  readonly fired: readonly FiredRule[]
}

/**
 * Says a request of a client of the source in the words of the target. Pure and synchronous; a body is parsed only where
 * it mentions something that a rule between these two versions is for. What is no JSON goes as it is.
 */
export type RequestTranslator = (request: PlainRequest) => TranslatedRequest

/** Whether paths of this version may name types. */
export function hasTypes({ flavour, major }: RuleContext['source']): boolean {
  return flavour === 'elasticsearch' ? major < 8 : major < 2
}

export function createRequestTranslator(context: RuleContext): RequestTranslator {
  const rules = new RuleSet(context)
  return (request) => new Translation(context, rules).run(request)
}

/** A rule may make what another one fits; no chain of them is longer. */
const roundsMax = 8

/** What a body must hold for any of the rules to be for it; a name may also be written with escapes. */
function mentions(rules: readonly RequestRule[]): RegExp {
  const texts = new Set(rules.flatMap((rule) => (rule.at === 'path' ? [] : rule.mentions)))
  if (texts.size === 0) return /(?!)/
  const quoted = [...texts].map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`${quoted.join('|')}|\\\\u`)
}

/** The rules between two versions, as they are needed. */
class RuleSet {
  readonly path: readonly PathRule[]
  readonly mentioned: RegExp
  readonly #body: readonly BodyRule[]
  readonly #found = new Map<string, readonly BodyRule[]>()

  constructor({ source, target }: RuleContext) {
    const rules = requestRules.filter((one) => isIn(source, one.source) && isIn(target, one.target))
    this.path = rules.filter((rule) => rule.at === 'path')
    this.#body = rules.filter((rule) => rule.at !== 'path')
    this.mentioned = mentions(rules)
  }

  for(at: BodyRule['at'], name: string): readonly BodyRule[] {
    const key = `${at} ${name}`
    let found = this.#found.get(key)
    if (found === undefined) {
      found = this.#body.filter((rule) => rule.at === at && rule.of?.includes(name) !== false)
      // Names come from clients: only those that rules have are remembered.
      if (found.some((rule) => rule.of !== undefined)) this.#found.set(key, found)
    }
    return found
  }
}

/** Which kind of body an API has. */
function bodyKind(api: string): 'search' | 'lines' | 'documents' | 'suggest' | undefined {
  if (/^_m(search|search\/template)$/.test(api)) return 'lines'
  if (api === '_mget') return 'documents'
  if (api === '_suggest') return 'suggest'
  return /^_(search|count|validate\/query|explain|search\/template|search\/exists|async_search)$/.test(
    api,
  )
    ? 'search'
    : undefined
}

class Translation {
  readonly #context: RuleContext
  readonly #rules: RuleSet
  readonly #fired = new Map<string, FiredRule>()
  readonly #walk: Walk

  constructor(context: RuleContext, rules: RuleSet) {
    this.#context = context
    this.#rules = rules
    this.#walk = new Walk((at, object, name) => this.#visit(at, object, name))
  }

  run(request: PlainRequest): TranslatedRequest {
    const path = parsePath(request, hasTypes(this.#context.source))
    if (path === undefined) return { ...request, fired: [] }
    const kind = bodyKind(path.api)
    for (const rule of this.#rules.path) this.#note(rule, rule.does(path, this.#context))
    const body = this.#body(path.body, kind, path)
    if (this.#fired.size === 0) return { ...request, fired: [] }
    const printed = { method: path.method, path: printPath(path) }
    return { ...printed, ...(body !== undefined && { body }), fired: [...this.#fired.values()] }
  }

  #body(
    text: string | undefined,
    kind: ReturnType<typeof bodyKind>,
    path: RequestPath,
  ): string | undefined {
    const { addToBody } = path
    if (kind === undefined) return text
    const isMentioned = text !== undefined && this.#rules.mentioned.test(text)
    if (addToBody === undefined && !isMentioned) return text
    if (kind === 'lines') return this.#lines(text ?? '', addToBody)
    const body = text === undefined || text.trim() === '' ? {} : parseBody(text)
    if (body === undefined) return text
    const before = this.#fired.size
    if (kind === 'search') this.#search(body)
    else if (kind === 'suggest') this.#walk.suggest(body)
    else this.#documents(body)
    const object = objectOf(body)
    if (addToBody !== undefined && object !== undefined) return JSON.stringify(addToBody(object))
    return this.#fired.size === before ? text : JSON.stringify(body)
  }

  #search(body: Json): void {
    this.#walk.search(body)
    this.#walk.search(objectOf(body)?.source)
  }

  #lines(text: string, addToBody: RequestPath['addToBody']): string {
    const lines = parseLines(text)
    if (lines === undefined) return text
    const before = this.#fired.size
    const written = lines.map((line, at) => {
      const object = objectOf(line)
      if (at % 2 === 0) {
        const next = objectOf(lines[at + 1])
        if (object !== undefined) this.#visit('header', object, 'header', next)
        return line
      }
      this.#search(line)
      return object !== undefined && addToBody !== undefined ? addToBody(object) : line
    })
    return this.#fired.size === before && addToBody === undefined ? text : printLines(written)
  }

  #documents(body: Json): void {
    const docs = objectOf(body)?.docs
    for (const one of Array.isArray(docs) ? docs : []) {
      const document = objectOf(one)
      if (document !== undefined) this.#visit('get', document, 'get')
    }
  }

  #visit(at: BodyRule['at'], object: JsonObject, name: string, next?: JsonObject): void {
    let now = name
    for (let round = 0; round < roundsMax; round++) {
      let isDone = true
      for (const rule of this.#rules.for(at, now)) {
        const fired = rule.does(object, now, this.#context, next)
        if (fired === false) continue
        this.#note(rule, fired)
        isDone &&= (fired.loses ?? rule.loses) === 'cannot'
      }
      if (isDone) return
      // A clause that became another one has another name.
      if (at === 'query') now = Object.keys(object)[0] ?? ''
    }
  }

  #note({ name, loses, why }: RequestRule, fired: Done | false): void {
    if (fired === false) return
    const one: FiredRule = { rule: name, loses: fired.loses ?? loses, why: fired.note ?? why }
    const before = this.#fired.get(name)
    if (before === undefined || weight[one.loses] > weight[before.loses]) this.#fired.set(name, one)
  }
}

const weight: Readonly<Record<RequestLoses, number>> = { nothing: 0, meaning: 1, cannot: 2 }
