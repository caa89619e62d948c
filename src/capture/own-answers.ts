import { STATUS_CODES } from 'node:http'
import type { Refusal } from './observer.ts'
import type { RequestHeadBytes } from './wire/heads.ts'

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

const ownPrefix = '/_osmigrate/'
const healthTarget = `${ownPrefix}health`

/**
 * What the proxy answers itself on the port of the clients: `/_osmigrate/health`, for load balancers, and 404 for what else
 * is below `/_osmigrate/`. No engine has such a path: an index name may not start with an underscore.
 */
export function ownAnswer(
  { bytes, targetStart, targetEnd }: RequestHeadBytes,
  isDraining: boolean,
): Refusal | undefined {
  // Two bytes tell nearly all requests from these.
  if (bytes[targetStart + 1] !== 0x5f || bytes[targetStart + 2] !== 0x6f) return undefined
  const target = bytes.toString('latin1', targetStart, targetEnd)
  if (!target.startsWith(ownPrefix)) return undefined
  if (target.split('?')[0] !== healthTarget) return ownError(404, 'not_found', `no ${target} here`)
  return {
    status: isDraining ? 503 : 200,
    headers: ['content-type', 'application/json; charset=UTF-8'],
    body: JSON.stringify({ status: isDraining ? 'draining' : 'ok' }),
  }
}
