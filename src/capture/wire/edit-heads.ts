import { fieldPlace, fieldValue, isNamed, readField } from './fields.ts'
import type { FieldPlace } from './fields.ts'
import type { AnswerHeadBytes, RequestHeadBytes } from './heads.ts'

/** What the source is told beside what the client said. */
export interface RequestEdits {
  /** The client's address for X-Forwarded-For, and the scheme for X-Forwarded-Proto. */
  readonly forwarded?: { readonly address: string; readonly scheme: 'http' | 'https' }
  /** Fields in the place of the client's of the same name; the keys are in lower case. */
  readonly setHeaders?: ReadonlyMap<string, { readonly name: string; readonly value: string }>
  /** The answer must come as it is, since the proxy reads it. */
  readonly withoutEncoding?: boolean
}

/** Fields that no Connection field can take out of a message: they are its framing and its address. */
const neverHopByHop = ['content-length', 'transfer-encoding', 'host', 'connection']

const place = fieldPlace()

/**
 * The head for the source, followed by `body`: the client's bytes with as few changes as can be. Since each client's
 * connection has its own to the source, `close` and `keep-alive` mean the same on both and stay. Upgrades are not for
 * the source to accept, and what Connection names goes no further (RFC 9110 section 7.6.1).
 */
export function editedRequest(head: RequestHeadBytes, edits: RequestEdits, body: Buffer): Buffer {
  const { bytes, start, end } = head
  const { forwarded } = edits
  if (needsFields(head, edits)) return joined(rewrittenFields(head, edits), body)
  if (forwarded === undefined) {
    const isWhole = body.length === 0 || body.buffer === bytes.buffer
    const follows = body.length === 0 || body.byteOffset === bytes.byteOffset + end
    return isWhole && follows
      ? bytes.subarray(start, end + body.length)
      : Buffer.concat([bytes.subarray(start, end), body])
  }
  const { middle, last } = forwardedTexts(forwarded, {
    isNamed: head.forwardedFor !== -1,
    hasProto: head.hasForwardedProto,
  })
  const cut = head.forwardedFor === -1 ? end - 2 : head.forwardedFor
  const length = end - start + middle.length + last.length
  const all = Buffer.allocUnsafe(length + body.length)
  let at = bytes.copy(all, 0, start, cut)
  at += all.write(middle, at, 'latin1')
  at += bytes.copy(all, at, cut, end - 2)
  at += all.write(last, at, 'latin1')
  all[at++] = 0x0d
  all[at++] = 0x0a
  body.copy(all, at)
  return all
}

/** `middle` stands behind the X-Forwarded-For that the source gets from the client, `last` behind all fields. */
function forwardedTexts(
  { address, scheme }: NonNullable<RequestEdits['forwarded']>,
  { isNamed, hasProto }: { isNamed: boolean; hasProto: boolean },
): { middle: string; last: string } {
  const proto = hasProto ? '' : `X-Forwarded-Proto: ${scheme}\r\n`
  return isNamed
    ? { middle: `, ${address}`, last: proto }
    : { middle: '', last: `X-Forwarded-For: ${address}\r\n${proto}` }
}

function needsFields(head: RequestHeadBytes, edits: RequestEdits): boolean {
  return (
    head.options !== undefined ||
    head.hasUpgrade ||
    edits.setHeaders !== undefined ||
    edits.withoutEncoding === true
  )
}

function rewrittenFields(head: RequestHeadBytes, edits: RequestEdits): string {
  const { bytes, start, end, fieldsStart } = head
  const { forwarded, setHeaders } = edits
  let text = bytes.toString('latin1', start, fieldsStart)
  let host: string | undefined
  let isNamed = false
  let hasProto = false
  for (let i = fieldsStart; i < end - 2; i = place.lineEnd) {
    readField(bytes, i, place)
    const name = bytes.toString('latin1', place.lineStart, place.nameEnd).toLowerCase()
    if (name === 'host') host ??= fieldValue(bytes, place)
    if (isDropped(name, head, edits)) continue
    const line = bytes.toString('latin1', place.lineStart, place.lineEnd)
    if (name === 'x-forwarded-proto') hasProto = true
    if (name === 'x-forwarded-for' && !isNamed && forwarded !== undefined) {
      isNamed = true
      text += `${bytes.toString('latin1', place.lineStart, place.valueEnd)}, ${forwarded.address}\r\n`
    } else text += name === 'connection' ? keptConnection(head) : line
  }
  if (forwarded !== undefined) {
    // A field that Connection has taken out is not there: a client cannot hide behind it.
    text += forwardedTexts(forwarded, { isNamed, hasProto }).last
    if (setHeaders?.has('host') === true && host !== undefined) {
      text += `X-Forwarded-Host: ${host}\r\n`
    }
  }
  for (const { name, value } of setHeaders?.values() ?? []) text += `${name}: ${value}\r\n`
  return `${text}\r\n`
}

function isDropped(name: string, head: RequestHeadBytes, edits: RequestEdits): boolean {
  if (name === 'upgrade' || name === 'http2-settings') return true
  if (edits.setHeaders?.has(name) === true) return true
  if (edits.withoutEncoding === true && name === 'accept-encoding') return true
  return head.options?.includes(name) === true && !neverHopByHop.includes(name)
}

function keptConnection(head: RequestHeadBytes): string {
  if (head.saysClose) return 'Connection: close\r\n'
  return head.saysKeepAlive ? 'Connection: keep-alive\r\n' : ''
}

/** The head of an answer after which the proxy closes the connection, though the source does not. */
export function lastAnswerHead(head: AnswerHeadBytes): Buffer {
  return withoutFields(head, ['connection', 'keep-alive'], 'Connection: close\r\n')
}

/** The head of an answer whose body is another one now; `isLast` as in lastAnswerHead(). */
export function answerHeadOfLength(head: AnswerHeadBytes, length: number, isLast: boolean): Buffer {
  const framing = ['content-length', 'transfer-encoding']
  const field = `content-length: ${length}\r\n`
  if (!isLast) return withoutFields(head, framing, field)
  const connection = ['connection', 'keep-alive']
  return withoutFields(head, [...framing, ...connection], `${field}Connection: close\r\n`)
}

function withoutFields(head: AnswerHeadBytes, names: readonly string[], added: string): Buffer {
  const { bytes, start, end, fieldsStart } = head
  let text = bytes.toString('latin1', start, fieldsStart)
  for (let i = fieldsStart; i < end - 2; i = place.lineEnd) {
    readField(bytes, i, place)
    if (!isOneOf(bytes, place, names))
      text += bytes.toString('latin1', place.lineStart, place.lineEnd)
  }
  return Buffer.from(`${text}${added}\r\n`, 'latin1')
}

function isOneOf(bytes: Buffer, field: FieldPlace, names: readonly string[]): boolean {
  return names.some((name) => isNamed(bytes, field, name))
}

function joined(head: string, body: Buffer): Buffer {
  const all = Buffer.allocUnsafe(head.length + body.length)
  body.copy(all, all.write(head, 0, 'latin1'))
  return all
}
