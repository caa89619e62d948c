import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { findingShown, type ComparedSearch } from './search-tally.ts'
import type { SearchExample } from './search-verdict.ts'
import { shapeOf } from './shape.ts'

const hidden = '***'

/**
 * Takes out what capture.redact names: a request that names such a field may hold its values anywhere, so it goes without
 * parameters and body, and what was found without values; of others what was found in such a field.
 */
export function redactExample(
  fields: readonly string[],
): (example: SearchExample) => SearchExample {
  if (fields.length === 0) return (example) => example
  const isNamed = (text: string | null): boolean =>
    text !== null && (text.includes('\\u') || fields.some((field) => decoded(text).includes(field)))
  return (example) => {
    const { path, body, target, findings } = example
    const isAsked = isNamed(path) || isNamed(body)
    const without = (one: string): string => one.split('?')[0]!
    return {
      ...example,
      ...(isAsked && { path: without(path), body: body === null ? null : hidden }),
      ...(isAsked &&
        target !== null && {
          target: {
            ...target,
            path: without(target.path),
            body: target.body === null ? null : hidden,
          },
        }),
      findings: findings.map((finding) => {
        if (!isAsked && !isNamed(finding.where)) return finding
        const shown = (value: string | null): string | null => (value === null ? null : hidden)
        return { ...finding, source: shown(finding.source), target: shown(finding.target) }
      }),
    }
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/** Writes what was compared, a JSON object a line, into a file that only its owner can read. */
export class SearchDetails {
  readonly path: string
  readonly #file: FileHandle
  readonly #redact: (example: SearchExample) => SearchExample
  #written: Promise<unknown> = Promise.resolve()

  private constructor(
    path: string,
    file: FileHandle,
    redact: (example: SearchExample) => SearchExample,
  ) {
    this.path = path
    this.#file = file
    this.#redact = redact
  }

  /** Makes the folder where there is none, and a file of this run in it. */
  static async open(
    folder: string,
    startedAt: string,
    redact: (example: SearchExample) => SearchExample,
  ): Promise<SearchDetails> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const path = join(folder, `searches-${startedAt.replaceAll(':', '-')}.ndjson`)
    return new SearchDetails(path, await open(path, 'wx', 0o600), redact)
  }

  /** Lines are written one behind the other; an error is thrown by close(). */
  add({ request, target, rules, answers, difference }: ComparedSearch): void {
    const { method, path, body = null, origin, name = null } = request
    const said = { method: target.method, path: target.path, body: target.body ?? null }
    const example = this.#redact({
      ...{ method, path, body, target: said },
      findings: difference.findings.map(findingShown),
    })
    const side = (one: 'source' | 'again' | 'target'): object => {
      const { status, ms, bytes, error } = answers[one]
      return {
        status,
        ms: Math.round(ms * 100) / 100,
        bytes,
        ...(error !== undefined && { error }),
      }
    }
    const { findings, ...figures } = difference
    const line = {
      ...{ name, origin, shape: shapeOf(request).key, ...example, rules },
      answers: { source: side('source'), again: side('again'), target: side('target') },
      ...{ ...figures, findings: example.findings.slice(0, findings.length) },
    }
    this.#written = this.#written.then(() => this.#file.write(`${JSON.stringify(line)}\n`))
    this.#written.catch(() => {})
  }

  async close(): Promise<void> {
    try {
      await this.#written
    } finally {
      await this.#file.close()
    }
  }
}
