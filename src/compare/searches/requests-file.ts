import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { MigrationError } from '../../base/errors.ts'
import { isJsonObject, type Json } from '../../base/json.ts'
import type { RequestReservoir } from './chosen-requests.ts'
import type { SearchRequest } from './search-request.ts'

/**
 * Reads requests from a file, a JSON object a line:
 *
 *     {"method":"POST","path":"/shop/_search?size=5","body":{"query":{"match_all":{}}},"name":"start page"}
 *     {"path":"/_msearch","body":[{"index":"shop"},{"size":1}]}
 *
 * `method` is POST where there is a body, else GET; `body` is JSON, a list of the lines of `_msearch`, or their text.
 * Empty lines, and those that begin with `#`, are passed over. Throws MA_CONFIG with the line's number.
 */
export async function readRequestsFile(file: string, into: RequestReservoir): Promise<void> {
  const stream = createReadStream(file, { encoding: 'utf8' })
  const lines = createInterface({ input: stream, crlfDelay: Infinity })
  let number = 0
  try {
    for await (const line of lines) {
      number++
      if (line.trim() === '' || line.startsWith('#')) continue
      into.add(parseRequestLine(line, `${file}, line ${number}`))
    }
  } catch (error) {
    if (error instanceof MigrationError) throw error
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
    throw new MigrationError('MA_CONFIG', `${file}: ${why}`, { cause: error, details: { file } })
  } finally {
    lines.close()
    stream.destroy()
  }
}

export function parseRequestLine(line: string, where: string): SearchRequest {
  const refuse = (why: string): never => {
    throw new MigrationError(
      'MA_CONFIG',
      `${where}: ${why}; a line is {"method": "POST", "path": "/index/_search", "body": {…}}`,
    )
  }
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return refuse('this is no JSON')
  }
  if (!isJsonObject(value)) return refuse('this is no object')
  const { method, path, body, name } = value
  if (typeof path !== 'string' || !path.startsWith('/'))
    return refuse('path must begin with a slash')
  if (method !== undefined && (typeof method !== 'string' || !/^[A-Za-z]+$/.test(method))) {
    return refuse('method must be a word such as GET')
  }
  if (name !== undefined && typeof name !== 'string') return refuse('name must be a text')
  const text = bodyText(line, body)
  return {
    method: method === undefined ? (text === undefined ? 'GET' : 'POST') : method.toUpperCase(),
    path,
    ...(text !== undefined && { body: text }),
    origin: 'file',
    ...(name !== undefined && { name }),
  }
}

/** Numbers stay as they are written: the body is parsed once more, each number kept as its text. */
function bodyText(line: string, body: Json | undefined): string | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string') return body
  const exact = (exactJson.parse(line, exactly) as { body: Json }).body
  if (!Array.isArray(exact)) return JSON.stringify(exact)
  return exact.map((one) => `${JSON.stringify(one)}\n`).join('')
}

const exactJson = JSON as unknown as {
  rawJSON(text: string): unknown
  parse(text: string, reviver: typeof exactly): unknown
}

function exactly(_key: string, value: unknown, { source }: { source?: string }): unknown {
  return typeof value === 'number' ? exactJson.rawJSON(source!) : value
}
