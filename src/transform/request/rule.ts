/**
 * What a request rule is. Rules are data: between which versions one is needed, what it fits, what is lost by it, where
 * the change is documented, and its own cases, each of which is also asked of real engines.
 *
 * translate.ts runs the table (table.ts) over one request: its path and parameters, then what its body says. A rule
 * changes what it is given in place, and tells whether it did.
 */
import type { Json, JsonObject } from '../../base/json.ts'
import {
  anyVersion,
  elasticsearch,
  type Version,
  type VersionRange,
} from '../../base/version-range.ts'
import type { RequestPath } from './request-path.ts'

export {
  anyVersion,
  elasticsearch,
  isFrom,
  isIn,
  openSearch,
  type Version,
  type VersionRange,
} from '../../base/version-range.ts'

/**
 * What is lost by a rule: nothing; the meaning changes (scores, other answers); or it cannot be said to the target, and
 * the request goes as it is.
 */
export type RequestLoses = 'nothing' | 'meaning' | 'cannot'

/** What a rule did. `loses` and `note` where this time it is not what the rule says of itself. */
export interface Done {
  readonly loses?: RequestLoses
  readonly note?: string
}

/** What became of an index of the source, or of one type of it. */
export interface TargetPlace {
  /** Names on the target; more than one where the index was split. */
  readonly indices: readonly string[]
  /** The field that holds the type of each document, and what stands there. */
  readonly type?: { readonly field: string; readonly values: readonly string[] }
  /** The target's index holds documents of other types, too, and nothing tells them apart. */
  readonly holdsOthers?: boolean
}

/** What rules know of the world. */
export interface RuleContext {
  readonly source: Version
  readonly target: Version
  /**
   * What became of the index that a request names so, or of its documents of these types. Undefined: what it names is
   * called the same on the target (an alias, a pattern, an index without rename), and every type is in it.
   */
  readonly placeOf: (index: string, types: readonly string[] | undefined) => TargetPlace | undefined
}

interface RuleBase {
  readonly name: string
  readonly source: VersionRange
  readonly target: VersionRange
  readonly loses: RequestLoses
  /** What is done and why, as a clause. */
  readonly why: string
  /** Documentation of the change that makes it needed. */
  readonly link: string
  /** One of these texts stands in what the rule fits; in no other body does it look. */
  readonly mentions: readonly string[]
  readonly cases: readonly RequestCase[]
}

/** For the path and its parameters. */
export interface PathRule extends RuleBase {
  readonly at: 'path'
  readonly does: (path: RequestPath, context: RuleContext) => Done | false
}

/**
 * For an object of the body, by where it stands:
 * - `query`: a clause, `{ match: … }`, named by its key;
 * - `aggregation`: what stands below the type's name, `{ field: 'price' }`, named by the type;
 * - `search`: the root of a search, and what is like one (top_hits, inner_hits);
 * - `sort`: an element of `sort` that is an object, named by the field;
 * - `highlight`: `highlight` itself, and each field of it;
 * - `script`: a script that is an object;
 * - `header`: the line before a search of `_msearch`;
 * - `get`: a document of `_mget`;
 * - `suggest`: one suggester;
 * - `place`: whatever names an index and a type in the midst of a query (terms lookup, more_like_this).
 */
export interface BodyRule extends RuleBase {
  readonly at:
    | 'query'
    | 'aggregation'
    | 'search'
    | 'sort'
    | 'highlight'
    | 'script'
    | 'header'
    | 'get'
    | 'suggest'
    | 'place'
  /** Names that it is for; absent: all. */
  readonly of?: readonly string[]
  /** `next`: of a header, the search behind it. */
  readonly does: (
    object: JsonObject,
    name: string,
    context: RuleContext,
    next: JsonObject | undefined,
  ) => Done | false
}

export type RequestRule = PathRule | BodyRule

/** A request in the short form of the cases: `POST /shop/_search`, and its body (lines of `_msearch` as a list). */
export interface CaseRequest {
  readonly line: string
  readonly body?: JsonObject | JsonObject[] | string
}

/** The whole table is run over `before` and must give `after`, by exactly the rules of `fired` (default: this one). */
export interface RequestCase {
  /** `5.6 > 3.6`: Elasticsearch 5.6 to OpenSearch 3.6; `os1.3 > 3.6`: OpenSearch to OpenSearch. */
  readonly on: string
  /** A query alone stands for `POST /shop/_search` with it; an object with `line` for a whole request. */
  readonly before: JsonObject | CaseRequest
  readonly after: JsonObject | CaseRequest
  readonly fired?: readonly string[]
  /** What the target says to `before`: refused unless said; `other`: it answers something else. */
  readonly without?: 'refused' | 'other' | 'same'
  /** What differs when the engines answer (by design), or why they could not be asked. */
  readonly untried?: string
}

export const done: Done = {}

/** The value as an object; undefined for everything else, numbers as they were written among them. */
export function objectOf(value: Json | undefined): JsonObject | undefined {
  return typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !('rawJSON' in value)
    ? value
    : undefined
}

/** The value if it is a text; else the empty one. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** Gives the key another name, in its place among the others. */
export function renameKey(object: JsonObject, from: string, to: string): Done | false {
  if (!Object.hasOwn(object, from) || Object.hasOwn(object, to)) return false
  replaceKey(object, from, { [to]: object[from]! })
  return done
}

/** Puts other members into the place of one. */
export function replaceKey(object: JsonObject, from: string, members: JsonObject): void {
  const entries = Object.entries(object)
  for (const [key] of entries) delete object[key]
  for (const [key, value] of entries) {
    if (key === from) Object.assign(object, members)
    else object[key] = value
  }
}

/** Leaves keys out; false where there is none of them. */
export function dropKeys(object: JsonObject, keys: readonly string[]): Done | false {
  let fired: Done | false = false
  for (const key of keys) {
    if (!Object.hasOwn(object, key)) continue
    delete object[key]
    fired = done
  }
  return fired
}

/** A list of texts, from a list or from one text apart at the commas. */
export function namesOf(value: Json | undefined): string[] {
  if (typeof value === 'string') return value.split(',').filter((one) => one !== '')
  if (!Array.isArray(value)) return []
  return value.filter((one) => typeof one === 'string')
}

/** A rule for a clause of Elasticsearch before 5, unless it says otherwise; it is for the clause of its own name. */
export function queryRule(
  one: Pick<BodyRule, 'name' | 'why' | 'link' | 'does' | 'cases'> & Partial<BodyRule>,
): BodyRule {
  const of = one.of ?? [one.name]
  const mentions = of.map((name) => `"${name}"`)
  const versions = { source: elasticsearch({ before: '5' }), target: anyVersion }
  return { at: 'query', ...versions, loses: 'nothing', mentions, ...one, of }
}
