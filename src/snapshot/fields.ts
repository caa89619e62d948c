import { CorruptData } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import type { Json, JsonObject } from '../base/json.ts'

/**
 * Reads the fields of an object out of parsed metadata, checking the kind of each. Whatever is missing or of another
 * kind is CorruptData that names the blob and the path of the field.
 */
export class Fields {
  readonly file: string
  readonly path: string
  readonly object: JsonObject

  constructor(file: string, path: string, value: Json | undefined) {
    this.file = file
    this.path = path
    if (!isJsonObject(value)) throw wrong(file, path, 'an object', value)
    this.object = value
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined
  }

  text(name: string): string {
    const value = this.#get(name)
    if (typeof value !== 'string') throw this.wrong(name, 'a text', value)
    return value
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined
  }

  /** A whole number from 0 to 2^53 - 1. */
  count(name: string): number {
    const value = this.#get(name)
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw this.wrong(name, 'a number from 0', value)
    }
    return value
  }

  optionalCount(name: string): number | undefined {
    return this.has(name) ? this.count(name) : undefined
  }

  fields(name: string): Fields {
    return new Fields(this.file, this.at(name), this.#get(name))
  }

  list(name: string): Json[] {
    const value = this.#get(name)
    if (!Array.isArray(value)) throw this.wrong(name, 'a list', value)
    return value
  }

  texts(name: string): string[] {
    return this.list(name).map((value, i) => {
      if (typeof value !== 'string') throw this.wrong(`${name}[${i}]`, 'a text', value)
      return value
    })
  }

  /** A list of objects. */
  each(name: string): Fields[] {
    return this.list(name).map((value, i) => new Fields(this.file, `${this.at(name)}[${i}]`, value))
  }

  /** A text that becomes part of a blob's path: one segment, nothing that leads elsewhere. */
  pathSegment(name: string): string {
    const value = this.text(name)
    if (!isPathSegment(value)) throw this.wrong(name, 'a name without slashes', value)
    return value
  }

  wrong(name: string, expected: string, found: Json | undefined): CorruptData {
    return wrong(this.file, this.at(name), expected, found)
  }

  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  /** `null` counts as absent: the engines write it for what they do not have. */
  #get(name: string): Json | undefined {
    return Object.hasOwn(this.object, name) ? (this.object[name] ?? undefined) : undefined
  }
}

export function isPathSegment(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && name.length <= 255 && !/[/\\\0]/.test(name)
}

function wrong(file: string, path: string, expected: string, found: Json | undefined): CorruptData {
  return new CorruptData({
    file,
    offset: 0,
    expected: `${expected} in field ${path === '' ? '(root)' : shortened(path)}`,
    found: found === undefined ? 'nothing' : JSON.stringify(found).slice(0, 80),
  })
}

/** Names in a path may be of damaged bytes, and any length. */
function shortened(path: string): string {
  return path.length <= 300 ? path : `${path.slice(0, 299)}…`
}
