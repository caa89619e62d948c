import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { parseRequest, type ParsedRequest } from '../traffic/api/parse-request.ts'
import type { PlainRequest } from './plan-request.ts'

/** Another name in the place of a name or pattern of indices; undefined: none can be given. */
export type NameOf = (name: string) => string | undefined

/** What kept a request from being understood well enough to be let through. */
class NotUnderstood extends Error {}

/**
 * The request with every name of an index, alias or data stream replaced; undefined where it is not sure that all of them
 * were seen, or where something else could write elsewhere: pipelines and scripts that may set `_index`, templates, settings
 * of the cluster. So what nobody thought of is left out, and is not let through.
 *
 * Ingest pipelines are switched off (`pipeline=_none`), and taken out of the settings of indices that are made.
 */
export function renameIndices(
  request: PlainRequest,
  nameOf: NameOf,
  options: { readonly typed: boolean },
): PlainRequest | undefined {
  const parsed = parseRequest(request.method, request.path, options)
  try {
    return new Renaming(request, parsed, nameOf).run()
  } catch (error) {
    if (error instanceof NotUnderstood || error instanceof SyntaxError) return undefined
    throw error
  }
}

type Body =
  | 'none'
  | 'plain'
  | 'bulk'
  | 'msearch'
  | 'mget'
  | 'reindex'
  | 'alias'
  | 'aliases'
  | 'create'
  | 'settings'

interface Form {
  readonly body: Body
  /** Without an index in the path it is for all, or for what the body names. */
  readonly withoutIndex: 'all' | 'body' | 'refused'
  /** Parts of the path that name indices besides the first. */
  readonly parts?: readonly string[]
  readonly setsPipeline?: boolean
}

const document: Form = { body: 'plain', withoutIndex: 'refused', setsPipeline: true }
const plain: Form = { body: 'plain', withoutIndex: 'all' }
const onIndex: Form = { body: 'plain', withoutIndex: 'refused' }
const resized: Form = { body: 'create', withoutIndex: 'refused', parts: ['target'] }

/** What is let through. Anything else is not. */
const forms: Readonly<Record<string, Form>> = {
  search: plain,
  count: plain,
  explain: onIndex,
  get: onIndex,
  get_source: onIndex,
  field_caps: plain,
  validate_query: plain,
  termvectors: onIndex,
  msearch: { body: 'msearch', withoutIndex: 'body' },
  mget: { body: 'mget', withoutIndex: 'body' },
  scroll: { body: 'plain', withoutIndex: 'body' },
  clear_scroll: { body: 'plain', withoutIndex: 'body' },
  close_pit: { body: 'plain', withoutIndex: 'body' },
  open_pit: onIndex,
  bulk: { body: 'bulk', withoutIndex: 'body', setsPipeline: true },
  index: document,
  create: document,
  update: onIndex,
  delete: onIndex,
  delete_by_query: onIndex,
  update_by_query: { ...onIndex, setsPipeline: true },
  reindex: { body: 'reindex', withoutIndex: 'body' },
  create_index: { body: 'create', withoutIndex: 'refused' },
  delete_index: onIndex,
  open: onIndex,
  close: onIndex,
  put_mapping: onIndex,
  put_settings: { body: 'settings', withoutIndex: 'refused' },
  shrink: resized,
  split: resized,
  clone: resized,
  rollover: { body: 'create', withoutIndex: 'refused', parts: ['new_index'] },
  put_alias: { body: 'alias', withoutIndex: 'refused', parts: ['name'] },
  delete_alias: { body: 'plain', withoutIndex: 'refused', parts: ['name'] },
  update_aliases: { body: 'aliases', withoutIndex: 'body' },
  refresh: plain,
  flush: plain,
  force_merge: plain,
}

class Renaming {
  readonly #request: PlainRequest
  readonly #parsed: ParsedRequest
  readonly #nameOf: NameOf

  constructor(request: PlainRequest, parsed: ParsedRequest, nameOf: NameOf) {
    this.#request = request
    this.#parsed = parsed
    this.#nameOf = nameOf
  }

  run(): PlainRequest {
    const { api } = this.#parsed
    const form = Object.hasOwn(forms, api) ? forms[api]! : refuse(`nothing is known of ${api}`)
    const { method, body } = this.#request
    const path = this.#path(form)
    const text = this.#body(form, body)
    return { method, path, ...(text !== undefined && { body: text }) }
  }

  #name(name: string): string {
    return this.#nameOf(name) ?? refuse(`no name for ${name}`)
  }

  /** Names with commas between. */
  #names(names: string): string {
    return names
      .split(',')
      .map((name) => this.#name(name))
      .join(',')
  }

  #path(form: Form): string {
    const { parts, query, api } = this.#parsed
    const [given = ''] = this.#request.path.split('?', 1)
    let segments = given.split('/').filter((segment) => segment !== '')
    if (parts['source'] !== undefined) refuse('another index is read')
    const named = ['index', ...(form.parts ?? [])].filter((part) => parts[part] !== undefined)
    for (const part of named) {
      // The first segment that reads so; names of parts are in the order of the path.
      const from = part === 'index' ? 0 : 1
      const at = segments.findIndex((one, i) => i >= from && decoded(one) === parts[part])
      if (at < 0) refuse(`${part} is not found in the path`)
      segments = segments.with(at, encoded(this.#names(parts[part]!)))
    }
    if (parts['index'] === undefined && form.withoutIndex === 'refused') refuse('no index is named')
    if (parts['index'] === undefined && form.withoutIndex === 'all' && !this.#isOfPit(api)) {
      segments = [encoded(this.#names('_all')), ...segments]
    }
    return `/${segments.join('/')}${this.#query(query, form)}`
  }

  /** A PIT knows its indices. */
  #isOfPit(api: string): boolean {
    return api === 'search' && this.#request.body?.includes('"pit"') === true
  }

  #query(query: string, { setsPipeline }: Form): string {
    const pairs = query.split('&').filter((pair) => pair !== '')
    const names = pairs.map((pair) => decoded(pair.split('=', 1)[0]!))
    // What names indices again, or hands the body on in another place.
    if (names.some((name) => name === 'source' || name === 'index'))
      refuse('a parameter names more')
    const kept = pairs.filter((_, i) => names[i] !== 'pipeline')
    if (setsPipeline === true) kept.push('pipeline=_none')
    return kept.length === 0 ? '' : `?${kept.join('&')}`
  }

  #body(form: Form, text: string | undefined): string | undefined {
    switch (form.body) {
      case 'none':
        return undefined
      case 'plain':
        return text
      case 'bulk':
        return this.#lines(text ?? '', (line) => this.#bulkLine(line))
      case 'msearch':
        return this.#searches(text ?? '')
      case 'mget':
        return this.#mget(text)
      case 'reindex':
        return JSON.stringify(this.#reindex(object(text)))
      case 'alias':
        return blank(text) ? text : JSON.stringify(this.#alias(object(text)))
      case 'aliases':
        return JSON.stringify(this.#aliases(object(text)))
      case 'create':
        return blank(text) ? text : JSON.stringify(this.#creation(object(text)))
      case 'settings':
        return JSON.stringify(withoutPipelines(object(text)))
    }
  }

  /** bulk = *( action LF [ source LF ] ) */
  #lines(text: string, action: (line: JsonObject) => JsonObject): string {
    const lines = text.split('\n')
    const written: string[] = []
    for (let i = 0; i < lines.length; i++) {
      if (blank(lines[i])) continue
      const line = object(lines[i])
      const [verb = ''] = Object.keys(line)
      written.push(JSON.stringify(action(line)))
      if (verb === 'delete') continue
      const source = lines[++i]
      if (source === undefined || blank(source)) refuse('an action without a source')
      written.push(source)
    }
    return `${written.join('\n')}\n`
  }

  #bulkLine(line: JsonObject): JsonObject {
    const entries = Object.entries(line)
    const [verb, of] = entries[0] ?? refuse('an empty action')
    if (entries.length !== 1 || !isJsonObject(of)) refuse('an action of another form')
    if (!['index', 'create', 'update', 'delete'].includes(verb)) refuse(`a bulk cannot ${verb}`)
    const { _index: index, pipeline, ...rest } = of
    if (index === undefined && this.#parsed.parts['index'] === undefined) refuse('no index')
    if (index !== undefined && typeof index !== 'string') refuse('an index that is no text')
    const isSwitchedOff = pipeline !== undefined && (verb === 'index' || verb === 'create')
    return {
      [verb]: {
        ...(index !== undefined && { _index: this.#name(index) }),
        ...rest,
        ...(isSwitchedOff && { pipeline: '_none' }),
      },
    }
  }

  /** msearch = *( header LF search LF ); a header may be empty. */
  #searches(text: string): string {
    const lines = text.replace(/\n$/, '').split('\n')
    const isNamed = this.#parsed.parts['index'] !== undefined
    return lines
      .map((line, i) => {
        if (i % 2 === 1) return line
        const header = blank(line) ? {} : object(line)
        const given = header['index'] ?? header['indices']
        if (given === undefined && isNamed) return JSON.stringify(header)
        const index = this.#list(given ?? '_all')
        const named = { ...header, ...(header['indices'] !== undefined && { indices: index }) }
        return JSON.stringify({ ...named, index })
      })
      .join('\n')
      .concat('\n')
  }

  #list(given: Json): Json {
    if (typeof given === 'string') return this.#names(given)
    if (!Array.isArray(given)) return refuse('names that are no list')
    return given.map((one) => (typeof one === 'string' ? this.#names(one) : refuse('no name')))
  }

  #mget(text: string | undefined): string | undefined {
    const body = object(text)
    const { docs } = body
    if (docs === undefined) return text
    if (!Array.isArray(docs)) return refuse('documents that are no list')
    const renamed = docs.map((one) => {
      if (!isJsonObject(one)) return refuse('a document that is none')
      const { _index: index } = one
      return typeof index === 'string' ? { ...one, _index: this.#name(index) } : one
    })
    return JSON.stringify({ ...body, docs: renamed })
  }

  /** A script may set `_index`, and another cluster may be read. */
  #reindex(body: JsonObject): JsonObject {
    const { source, dest, script } = body
    if (script !== undefined) refuse('a script')
    if (!isJsonObject(source) || !isJsonObject(dest)) return refuse('no source or destination')
    if (source['remote'] !== undefined || source['index'] === undefined) refuse('a remote source')
    if (typeof dest['index'] !== 'string') return refuse('no destination')
    return {
      ...body,
      source: { ...source, index: this.#list(source['index']) },
      dest: { ...dest, index: this.#name(dest['index']), pipeline: '_none' },
    }
  }

  #aliases(body: JsonObject): JsonObject {
    const { actions, ...rest } = body
    if (!Array.isArray(actions) || Object.keys(rest).length > 0) return refuse('no actions')
    return { actions: actions.map((action) => this.#aliasAction(action)) }
  }

  /** The body may name both again. */
  #alias(body: JsonObject): JsonObject {
    const names = ['index', 'alias'].filter((name) => body[name] !== undefined)
    const renamed = names.map((name) => [name, this.#list(body[name]!)])
    return { ...body, ...(Object.fromEntries(renamed) as JsonObject) }
  }

  #aliasAction(action: Json): JsonObject {
    if (!isJsonObject(action)) return refuse('an action that is none')
    return Object.fromEntries(
      Object.entries(action).map(([verb, of]) => {
        if (!['add', 'remove', 'remove_index'].includes(verb) || !isJsonObject(of)) {
          return refuse(`an alias cannot ${verb}`)
        }
        const isNamed = of['index'] !== undefined || of['indices'] !== undefined
        if (!isNamed) refuse('no index')
        const names = ['index', 'indices', 'alias', 'aliases'] as const
        const renamed = names
          .filter((name) => of[name] !== undefined)
          .map((name) => [name, this.#list(of[name]!)])
        return [verb, { ...of, ...(Object.fromEntries(renamed) as JsonObject) }]
      }),
    )
  }

  #creation(body: JsonObject): JsonObject {
    const { aliases } = body
    const own = withoutPipelines(body)
    if (aliases === undefined) return own
    if (!isJsonObject(aliases)) return refuse('aliases of another form')
    const renamed = Object.entries(aliases).map(([name, of]) => [this.#name(name), of])
    return { ...own, aliases: Object.fromEntries(renamed) as JsonObject }
  }
}

/** Without `index.default_pipeline` and `index.final_pipeline`, in each way of writing them. */
function withoutPipelines(settings: JsonObject): JsonObject {
  const kept = Object.entries(settings).filter(
    ([name]) => !/(^|\.)(default|final)_pipeline$/.test(name),
  )
  return Object.fromEntries(
    kept.map(([name, value]) => {
      const isSettings = name === 'settings' || name === 'index'
      return [name, isSettings && isJsonObject(value) ? withoutPipelines(value) : value]
    }),
  )
}

function object(text: string | undefined): JsonObject {
  const value = JSON.parse(text ?? '') as Json
  return isJsonObject(value) ? value : refuse('a body that is no object')
}

function blank(text: string | undefined): boolean {
  return text === undefined || text.trim() === ''
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return refuse('a path that is no percent-encoding')
  }
}

function encoded(names: string): string {
  return encodeURIComponent(names).replaceAll('%2C', ',').replaceAll('%2A', '*')
}

function refuse(why: string): never {
  throw new NotUnderstood(why)
}

/** Names with a prefix: all of them, patterns and exclusions too. Undefined for indices of other clusters. */
export function prefixed(prefix: string): NameOf {
  return (name) => {
    if (name.includes(':') || name === '') return undefined
    if (name === '_all' || name === '*') return `${prefix}*`
    if (name.startsWith('-')) return `-${prefix}${name.slice(1) === '*' ? '*' : name.slice(1)}`
    if (name.startsWith('<')) return `<${prefix}${name.slice(1)}`
    return name.startsWith('_') ? undefined : `${prefix}${name}`
  }
}
