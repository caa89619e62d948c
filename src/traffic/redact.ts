import { decodeBody } from './content-encoding.ts'

/**
 * Takes the values of fields out of a recorded read (`capture.redact`). In an answer every value that stands under the
 * field's path is replaced, in the text itself, so that nothing else in it changes. A request that names the field may
 * hold its values anywhere, and so may the answer (buckets, sort values): both are kept without bodies then. So is what
 * cannot be read, or was cut.
 */
export interface ReadBodies {
  readonly target: string
  readonly request: Uint8Array
  readonly requestEncoding: string | undefined
  readonly response: Uint8Array
  readonly responseEncoding: string | undefined
  /** Above it a body is not unpacked to be looked at. */
  readonly bytesMax: number
}

export interface KeptBodies {
  readonly target: string
  readonly request: Uint8Array
  readonly response: Uint8Array
  /** The answer is kept in another form than it was sent in: unpacked, with values replaced. */
  readonly isRewritten: boolean
}

const nothing = new Uint8Array(0)
const replaced = '"***"'

export function redactRead(fields: readonly string[], bodies: ReadBodies): KeptBodies {
  const { target, request, response } = bodies
  if (fields.length === 0) return { target, request, response, isRewritten: false }
  const asked = textOf(request, bodies.requestEncoding, bodies.bytesMax)
  if (asked === undefined || isNamed(fields, asked) || isNamed(fields, readable(target))) {
    const path = target.split('?')[0]!
    return { target: path, request: nothing, response: nothing, isRewritten: false }
  }
  const answer = textOf(response, bodies.responseEncoding, bodies.bytesMax)
  const kept = answer === undefined ? undefined : redactJson(answer, fields)
  return {
    target,
    request,
    response: kept === undefined ? nothing : Buffer.from(kept),
    isRewritten: kept !== undefined,
  }
}

function textOf(body: Uint8Array, encoding: string | undefined, max: number): string | undefined {
  try {
    return Buffer.from(decodeBody(body, encoding, 8 * max)).toString('utf8')
  } catch {
    return undefined
  }
}

function readable(target: string): string {
  try {
    return decodeURIComponent(target.replaceAll('+', ' '))
  } catch {
    return target
  }
}

/** Also by an escape, since a name can be written with those. */
function isNamed(fields: readonly string[], text: string): boolean {
  return fields.some((field) => text.includes(field)) || text.includes('\\u')
}

/** The JSON text with the values of these fields replaced; undefined where it is no JSON. Empty stays empty. */
export function redactJson(text: string, fields: readonly string[]): string | undefined {
  if (text.trim() === '') return text
  try {
    return new Redaction(text, fields).run()
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const depthMax = 500

/** One pass over a JSON text: remembers where values begin and end, and changes nothing else. */
class Redaction {
  readonly #text: string
  readonly #fields: readonly string[]
  #at = 0
  #kept = ''
  #keptUntil = 0

  constructor(text: string, fields: readonly string[]) {
    this.#text = text
    this.#fields = fields
  }

  run(): string {
    this.#value('', 0)
    this.#blanks()
    if (this.#at !== this.#text.length) throw new SyntaxError('more than one value')
    return this.#kept + this.#text.slice(this.#keptUntil)
  }

  #value(path: string, depth: number): void {
    if (depth > depthMax) throw new SyntaxError('too deep')
    this.#blanks()
    const first = this.#text[this.#at]
    if (first === '{') this.#members(path, depth)
    else if (first === '[') this.#elements(path, depth)
    else if (first === '"') this.#string()
    else this.#scalar()
  }

  #members(path: string, depth: number): void {
    this.#items('}', () => {
      const key = this.#string()
      this.#blanks()
      if (this.#text[this.#at++] !== ':') throw new SyntaxError('no colon')
      const below = path === '' ? key : `${path}.${key}`
      this.#blanks()
      const start = this.#at
      // What was replaced inside of a value goes when the whole is.
      const before = { kept: this.#kept, keptUntil: this.#keptUntil }
      this.#value(below, depth + 1)
      if (!this.#isMeant(below)) return
      this.#kept = before.kept + this.#text.slice(before.keptUntil, start) + replaced
      this.#keptUntil = this.#at
    })
  }

  #elements(path: string, depth: number): void {
    this.#items(']', () => this.#value(path, depth + 1))
  }

  #items(close: string, item: () => void): void {
    this.#at++
    this.#blanks()
    if (this.#text[this.#at] === close) {
      this.#at++
      return
    }
    for (;;) {
      this.#blanks()
      item()
      this.#blanks()
      const next = this.#text[this.#at++]
      if (next === close) return
      if (next !== ',') throw new SyntaxError('no comma')
    }
  }

  #isMeant(path: string): boolean {
    return this.#fields.some((field) => path === field || path.endsWith(`.${field}`))
  }

  #string(): string {
    const start = this.#at
    if (this.#text[start] !== '"') throw new SyntaxError('no string')
    let end = start + 1
    for (; this.#text[end] !== '"'; end++) {
      if (end >= this.#text.length) throw new SyntaxError('a string without end')
      if (this.#text[end] === '\\') end++
    }
    this.#at = end + 1
    return JSON.parse(this.#text.slice(start, this.#at)) as string
  }

  #scalar(): void {
    const scalar = /[-+.\w]+/y
    scalar.lastIndex = this.#at
    const found = scalar.exec(this.#text)
    if (found === null) throw new SyntaxError('no value')
    this.#at += found[0].length
  }

  #blanks(): void {
    while (' \n\r\t'.includes(this.#text[this.#at] ?? 'x')) this.#at++
  }
}
