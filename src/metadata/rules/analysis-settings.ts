import { textOf } from '../json-objects.ts'
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { Edit, Remark } from './edit.ts'

export type AnalysisKind = 'analyzer' | 'normalizer' | 'tokenizer' | 'filter' | 'char_filter'

/**
 * `index.analysis.KIND.NAME.PARAMETER` and `index.similarity.NAME.PARAMETER` of flat settings, by name. All changes go
 * through the Edit of the settings.
 */
export class Analysis {
  readonly settings: Edit
  readonly #mapping: JsonObject

  constructor(settings: Edit, mapping: JsonObject) {
    this.settings = settings
    this.#mapping = mapping
  }

  names(kind: AnalysisKind | 'similarity'): string[] {
    const prefix = prefixOf(kind)
    const names = Object.keys(this.settings.node)
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length).split('.', 1)[0]!)
    return [...new Set(names)].sort()
  }

  /** Text of a parameter; undefined where it is not set, or a list. */
  text(kind: AnalysisKind | 'similarity', name: string, parameter: string): string | undefined {
    const value = this.settings.get(keyOf(kind, name, parameter))
    return typeof value === 'string' ? value : undefined
  }

  /** A parameter that is a list, which engines also take as one text with commas. */
  list(kind: AnalysisKind, name: string, parameter: string): string[] {
    const value = this.settings.get(keyOf(kind, name, parameter))
    if (Array.isArray(value)) return value.map(String)
    if (typeof value !== 'string') return []
    return value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
  }

  set(kind: AnalysisKind | 'similarity', name: string, of: ParameterValue, remark?: Remark): void {
    this.settings.set(keyOf(kind, name, of.parameter), of.value, remark)
  }

  drop(
    kind: AnalysisKind | 'similarity',
    name: string,
    parameter: string,
    remark: Remark = {},
  ): void {
    this.settings.drop(keyOf(kind, name, parameter), remark)
  }

  /** Drops a component with all that it is made of. */
  dropComponent(kind: AnalysisKind | 'similarity', name: string, remark: Remark = {}): void {
    const prefix = keyOf(kind, name, '')
    for (const key of Object.keys(this.settings.node)) {
      if (key.startsWith(prefix)) this.settings.drop(key, remark)
    }
  }

  /** Analysers and normalisers that name a component in their chain, each with the list that names it. */
  usersOf(kind: 'tokenizer' | 'filter' | 'char_filter', name: string): User[] {
    const users: User[] = []
    for (const user of ['analyzer', 'normalizer'] as const) {
      for (const analyzer of this.names(user)) {
        const list = this.list(user, analyzer, kind)
        if (list.includes(name)) users.push({ kind: user, name: analyzer, list })
      }
    }
    return users
  }

  /** The fields of the mapping that use an analyser, for people: ` (used by the fields title, body)`, or nothing. */
  fieldsText(analyzers: readonly string[]): string {
    const found = new Set<string>()
    collectFields(this.#mapping, '', (name, field) => {
      const used = ['analyzer', 'search_analyzer', 'search_quote_analyzer', 'normalizer']
      if (used.some((key) => analyzers.includes(textOf(field[key])))) found.add(name)
    })
    const names = [...found]
    if (names.length === 0) return ''
    const more = names.length > 5 ? ` and ${names.length - 5} more` : ''
    return ` (used by the field${names.length > 1 ? 's' : ''} ${names.slice(0, 5).join(', ')}${more})`
  }

  /** Every analyser that a field names. */
  analyzersOfFields(): Set<string> {
    const found = new Set<string>()
    collectFields(this.#mapping, '', (_, field) => {
      for (const key of ['analyzer', 'search_analyzer', 'search_quote_analyzer']) {
        if (typeof field[key] === 'string') found.add(field[key])
      }
    })
    return found
  }
}

interface ParameterValue {
  readonly parameter: string
  readonly value: Json
}

interface User {
  readonly kind: 'analyzer' | 'normalizer'
  readonly name: string
  readonly list: readonly string[]
}

function prefixOf(kind: AnalysisKind | 'similarity'): string {
  return kind === 'similarity' ? 'index.similarity.' : `index.analysis.${kind}.`
}

function keyOf(kind: AnalysisKind | 'similarity', name: string, parameter: string): string {
  return `${prefixOf(kind)}${name}.${parameter}`
}

function collectFields(
  parent: JsonObject,
  prefix: string,
  each: (name: string, field: JsonObject) => void,
): void {
  for (const key of ['properties', 'fields']) {
    const children = parent[key]
    if (!isJsonObject(children)) continue
    for (const [name, field] of Object.entries(children)) {
      if (!isJsonObject(field)) continue
      each(prefix + name, field)
      collectFields(field, `${prefix}${name}.`, each)
    }
  }
}
