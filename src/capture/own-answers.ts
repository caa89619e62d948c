import { STATUS_CODES } from 'node:http'
import type { Refusal } from './observer.ts'

/** An error of the proxy itself, in the form in which the engines tell theirs. */
export function ownError(status: number, type: string, reason: string): Refusal {
  const cause = { type: `osmigrate_${type}`, reason: `osmigrate capture: ${reason}` }
  return {
    status,
    headers: ['content-type', 'application/json; charset=UTF-8'],
    body: JSON.stringify({ error: { root_cause: [cause], ...cause }, status }),
  }
}

/** The bytes of an answer that the source did not give. */
export function refusalBytes(
  refusal: Refusal,
  { method, close }: { method: string; close: boolean },
): Buffer {
  const { status, headers, body } = refusal
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
  head += `content-length: ${Buffer.byteLength(body)}\r\n${close ? 'connection: close\r\n' : ''}\r\n`
  return Buffer.from(method === 'HEAD' ? head : head + body)
}
