import { isExactNumber, numberOf } from './exact-number.ts'
import type { Fields, Value } from './module.ts'

/**
 * A `_source` as text and as objects that may be changed. What is left alone is written as it stood: spelling of numbers
 * and strings, order of keys, blanks. JSON.parse would round numbers, put keys such as "10" first, and let the last of two
 * equal keys win.
 *
 *   text = object of RFC 8259; a byte order mark before it and control characters inside strings are taken, as the
 *          engines take them
 *
 * Throws Error (a sentence) for text that is something else, and for values that JSON cannot hold.
 */
export class SourceText {
  readonly fields: Fields
  readonly #text: string
  readonly #nodes: Map<object, Node>
  #kept = false

  constructor(text: string) {
    const reader = new Reader(text)
    this.fields = reader.read()
    this.#text = text
    this.#nodes = reader.nodes
  }

  /** Text of what has become of the fields (or of whatever stands in their place). */
  write(value: unknown): string {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Error(`source is ${kindOf(value)}; expected an object`)
    }
    return this.#write(value, 'source', 0)
  }

  /** Sets #kept: whether it is the text as it stood of this very value. */
  #write(value: unknown, path: string, depth: number): string {
    this.#kept = false
    switch (typeof value) {
      case 'string':
        return JSON.stringify(value)
      case 'number':
        if (!Number.isFinite(value)) throw new Error(`${path} is ${value}, which JSON cannot hold`)
        return Object.is(value, -0) ? '-0' : String(value)
      case 'boolean':
      case 'bigint':
        return String(value)
      case 'object':
        return value === null ? 'null' : this.#writeObject(value, path, depth)
      case 'undefined':
      case 'function':
      case 'symbol':
        throw new Error(`${path} is ${kindOf(value)}, which JSON cannot hold`)
    }
  }

  #writeObject(value: object, path: string, depth: number): string {
    if (depth > depthMax) {
      throw new Error(`${path.slice(0, 200)} lies deeper than ${depthMax} levels, or in itself`)
    }
    if (isExactNumber(value)) return value.rawJSON
    const node = this.#nodes.get(value)
    if (Array.isArray(value)) return this.#writeArray(value, node, path, depth)
    if ('toJSON' in value && typeof value.toJSON === 'function') {
      const text = this.#write((value as { toJSON(): unknown }).toJSON(), path, depth + 1)
      this.#kept = false
      return text
    }
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      throw new Error(`${path} is a ${value.constructor.name}; expected a plain object`)
    }
    return this.#writeMembers(value as Record<string, unknown>, node, path, depth)
  }

  #writeMembers(
    value: Record<string, unknown>,
    node: Node | undefined,
    path: string,
    depth: number,
  ): string {
    const present = Object.keys(value).filter((key) => value[key] !== undefined)
    const parts: string[] = []
    let kept = node !== undefined && present.length === node.keys.length
    const before = new Set(node?.keys)
    for (const [i, key] of (node?.keys ?? []).entries()) {
      if (!Object.hasOwn(value, key) || value[key] === undefined) {
        kept = false
        continue
      }
      parts.push(
        `${JSON.stringify(key)}:${this.#member(node!, i, value[key], `${path}.${key}`, depth)}`,
      )
      kept &&= this.#kept
    }
    for (const key of present) {
      if (before.has(key)) continue
      kept = false
      parts.push(`${JSON.stringify(key)}:${this.#write(value[key], `${path}.${key}`, depth + 1)}`)
    }
    this.#kept = kept
    return kept ? this.#slice(node!) : `{${parts.join(',')}}`
  }

  #writeArray(value: unknown[], node: Node | undefined, path: string, depth: number): string {
    let kept = node !== undefined && value.length === node.values.length
    const parts = Array.from(value, (element, i) => {
      const text =
        node !== undefined && i < node.values.length
          ? this.#member(node, i, element, `${path}[${i}]`, depth)
          : this.#write(element, `${path}[${i}]`, depth + 1)
      kept &&= this.#kept
      return text
    })
    this.#kept = kept
    return kept ? this.#slice(node!) : `[${parts.join(',')}]`
  }

  /** The value that now stands where the node had its i-th. */
  #member(node: Node, i: number, value: unknown, path: string, depth: number): string {
    const same = Object.is(node.values[i], value)
    if (same && (typeof value !== 'object' || value === null || isExactNumber(value))) {
      this.#kept = true
      return this.#text.slice(node.starts[i], node.ends[i])
    }
    const text = this.#write(value, path, depth + 1)
    this.#kept &&= same
    return text
  }

  #slice({ start, end }: Node): string {
    return this.#text.slice(start, end)
  }
}

/** An object or array as it was read. */
interface Node {
  start: number
  end: number
  /** Empty for an array. */
  keys: string[]
  values: Value[]
  starts: number[]
  ends: number[]
}

const depthMax = 500
const byteOrderMark = '\ufeff'
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const words: readonly [string, null | boolean][] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

class Reader {
  readonly nodes = new Map<object, Node>()
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  read(): Fields {
    if (this.#text.startsWith(byteOrderMark)) this.#at = byteOrderMark.length
    this.#blanks()
    if (this.#text[this.#at] !== '{') throw this.#unexpected('an object')
    const fields = this.#object(0)
    this.#blanks()
    if (this.#at !== this.#text.length) throw this.#unexpected('the end')
    return fields
  }

  #value(depth: number): Value {
    if (depth > depthMax) throw new Error(`_source is nested deeper than ${depthMax} levels`)
    const first = this.#text[this.#at]
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === '"') return this.#string()
    for (const [word, value] of words) {
      if (!this.#text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return value
    }
    numberPattern.lastIndex = this.#at
    const number = numberPattern.exec(this.#text)
    if (number === null) throw this.#unexpected('a value')
    this.#at += number[0].length
    return numberOf(number[0])
  }

  #object(depth: number): Fields {
    const fields: Fields = {}
    const node = this.#node(fields)
    this.#at++
    this.#blanks()
    while (this.#text[this.#at] !== '}') {
      if (node.values.length > 0) this.#expect(',')
      this.#blanks()
      if (this.#text[this.#at] !== '"') throw this.#unexpected('a key')
      const key = this.#string()
      if (Object.hasOwn(fields, key)) {
        throw new Error(`_source has the key ${JSON.stringify(key)} twice in one object`)
      }
      this.#blanks()
      this.#expect(':')
      const value = this.#member(node, depth)
      node.keys.push(key)
      // An assignment to this key would set the prototype.
      if (key === '__proto__') define(fields, key, value)
      else fields[key] = value
    }
    node.end = ++this.#at
    return fields
  }

  #array(depth: number): Value[] {
    const list: Value[] = []
    const node = this.#node(list)
    this.#at++
    this.#blanks()
    while (this.#text[this.#at] !== ']') {
      if (list.length > 0) this.#expect(',')
      list.push(this.#member(node, depth))
    }
    node.end = ++this.#at
    return list
  }

  #node(of: object): Node {
    const node: Node = { start: this.#at, end: 0, keys: [], values: [], starts: [], ends: [] }
    this.nodes.set(of, node)
    return node
  }

  #member(node: Node, depth: number): Value {
    this.#blanks()
    node.starts.push(this.#at)
    const value = this.#value(depth + 1)
    node.ends.push(this.#at)
    node.values.push(value)
    this.#blanks()
    return value
  }

  #string(): string {
    const start = this.#at
    let plain = true
    for (let at = start + 1; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at)
      if (code === 0x22) {
        this.#at = at + 1
        return plain ? this.#text.slice(start + 1, at) : unescaped(this.#text.slice(start, at + 1))
      }
      if (code === 0x5c) at++
      if (code === 0x5c || code < 0x20) plain = false
    }
    throw this.#unexpected('a string that ends')
  }

  #blanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at++
    }
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw this.#unexpected(character)
    this.#at++
  }

  #unexpected(expected: string): Error {
    return new Error(`_source is not JSON: expected ${expected} at character ${this.#at}`)
  }
}

function unescaped(text: string): string {
  const escaped = text.replace(
    /[\u0000-\u001f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  try {
    return JSON.parse(escaped) as string
  } catch {
    throw new Error('_source is not JSON: a string has an escape that is none')
  }
}

/** Sets a member of whatever name. */
export function define(of: object, key: string, value: unknown): void {
  Object.defineProperty(of, key, { value, writable: true, enumerable: true, configurable: true })
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return value === undefined ? 'undefined' : `a ${typeof value}`
}
