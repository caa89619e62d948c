import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { PlannedChange } from '../plan.ts'
import type { Loses } from './rule.ts'

/** The rule at work, as an Edit needs it. */
export interface Worker {
  readonly name: string
  readonly loses: Loses
  readonly why: string
}

/** What is said of one change where it is not as the rule says. */
export interface Remark {
  readonly why?: string
  readonly loses?: Loses
}

/** Where the changes of one content are written down, each with the name of the rule at work. */
export class Notes {
  readonly changes: PlannedChange[] = []
  worker: Worker = { name: '', loses: 'nothing', why: '' }

  add(path: string, what: PlannedChange['what'], values: Values, remark: Remark = {}): void {
    const { name, why, loses } = this.worker
    this.changes.push({
      rule: name,
      path,
      what,
      ...(values.from !== undefined && { from: values.from }),
      ...(values.to !== undefined && { to: values.to }),
      reason: remark.why ?? why,
      loss: (remark.loses ?? loses) !== 'nothing',
    })
  }
}

export interface Values {
  readonly from?: Json | undefined
  readonly to?: Json | undefined
}

/**
 * An object that is being changed. Each call that changes it writes a PlannedChange with the rule's name, so that
 * nothing is changed silently. `path` is the place in the body, e.g. `mappings.properties.user`.
 */
export class Edit {
  readonly path: string
  readonly #notes: Notes
  #node: JsonObject

  constructor(node: JsonObject, path: string, notes: Notes) {
    this.#node = { ...node }
    this.path = path
    this.#notes = notes
  }

  /** As it is by now. */
  get node(): Readonly<JsonObject> {
    return this.#node
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#node, key)
  }

  get(key: string): Json | undefined {
    return this.has(key) ? this.#node[key] : undefined
  }

  /** Does nothing where the value is that already. */
  set(key: string, value: Json, remark?: Remark): void {
    const from = this.get(key)
    if (from !== undefined && JSON.stringify(from) === JSON.stringify(value)) return
    this.#note(key, from === undefined ? 'added' : 'changed', { from, to: value }, remark)
    this.#node[key] = value
  }

  drop(key: string, remark?: Remark): void {
    if (!this.has(key)) return
    this.#note(key, 'dropped', { from: this.get(key) }, remark)
    delete this.#node[key]
  }

  dropAll(keys: readonly string[], remark?: Remark): void {
    for (const key of keys) this.drop(key, remark)
  }

  /** Drops some of the keys of an object that is a value, and the value when nothing is left of it. */
  dropWithin(key: string, names: readonly string[], remark?: Remark): void {
    const value = this.get(key)
    if (!isJsonObject(value)) return
    const left = { ...value }
    for (const name of names) {
      if (!Object.hasOwn(left, name)) continue
      this.#note(`${key}.${name}`, 'dropped', { from: left[name] }, remark)
      delete left[name]
    }
    if (Object.keys(left).length === 0) delete this.#node[key]
    else this.#node[key] = left
  }

  /** Moves a value to another name, changed or not. The other name must be free, else the value is dropped. */
  rename(key: string, to: string, value = this.get(key), remark?: Remark): void {
    if (!this.has(key)) return
    if (this.has(to) || value === undefined) return this.drop(key, remark)
    this.#note(key, 'changed', { from: this.get(key), to: { [to]: value } }, remark)
    delete this.#node[key]
    this.#node[to] = value
  }

  /** Takes a value off for now; it comes back at the switch. */
  withhold(key: string): Json {
    const from = this.get(key) ?? null
    this.#note(key, 'withheld', { from })
    delete this.#node[key]
    return from
  }

  /** Says something of it without changing it. */
  remark(key: string, remark?: Remark): void {
    this.#note(key, 'noted', { from: this.get(key) }, remark)
  }

  /** It cannot be made on the target: the object that holds it is refused, with what to do. */
  cannot(key: string, why: string): void {
    this.#note(key, 'cannot', { from: this.get(key) }, { why, loses: 'dropped' })
  }

  #note(key: string, what: PlannedChange['what'], values: Values, remark?: Remark): void {
    this.#notes.add(key === '' ? this.path : `${this.path}.${key}`, what, values, remark)
  }
}
