import type { CaptureLogReader } from '../../traffic/capture-log.ts'
import { decodeBody } from '../../traffic/content-encoding.ts'
import type { CapturedRequest } from '../../traffic/exchange.ts'
import { headerValue } from '../../traffic/kept-heads.ts'
import { bodyBytesMax, type RequestReservoir } from './chosen-requests.ts'

export interface CapturedInput {
  readonly reader: CaptureLogReader
  readonly into: RequestReservoir
  readonly signal: AbortSignal
  readonly onRequest: () => void
}

/**
 * Reads the sampled reads of a capture log, as they were sent. What is not whole in the log (cut, or left out because of
 * capture.redact) is counted and left out.
 */
export async function readCapturedRequests(input: CapturedInput): Promise<void> {
  const { reader, signal } = input
  for (const { oldest } of await reader.streams()) {
    for await (const { record } of reader.read(oldest, { follow: false, signal })) {
      if (record.kind === 'request' && !record.mayWrite) addRequest(record, input)
    }
  }
}

function addRequest(record: CapturedRequest, { into, onRequest }: CapturedInput): void {
  onRequest()
  const { method, target, body, bodyBytes, headers } = record
  if (body.length < bodyBytes)
    return into.leaveOut('are not whole in the log (cut, or with fields of capture.redact)')
  let text: string
  try {
    const encoding = headerValue(headers, 'content-encoding')
    text = Buffer.from(decodeBody(body, encoding, bodyBytesMax)).toString('utf8')
  } catch {
    return into.leaveOut('have a body that cannot be unpacked')
  }
  const type = headerValue(headers, 'content-type')
  if (type !== undefined && /cbor|smile|yaml/i.test(type))
    return into.leaveOut('have a body that is no JSON')
  const path = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/]*/i, '')
  into.add({
    method,
    path: path === '' ? '/' : path,
    origin: 'captured',
    ...(text !== '' && { body: text }),
  })
}
