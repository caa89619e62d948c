import { MigrationError } from '../base/errors.ts'
import type { TlsMaterial } from './transport.ts'

/** `sent`: whether the request may have arrived, so that only what is idempotent may be sent again. */
export interface UnreachableDetails {
  readonly kind: 'connect' | 'cut' | 'timeout' | 'tls'
  readonly sent: boolean
}

export interface ConnectionFacts {
  readonly side: string
  readonly url: URL
  readonly sent: boolean
  readonly tls: TlsMaterial
}

/** The MA_CLUSTER_UNREACHABLE for an error of socket, TLS or HTTP parser, in words that say what to do. */
export function connectionError(error: Error, facts: ConnectionFacts): MigrationError {
  const { side, url, sent } = facts
  const where = `${side} ${url.origin}`
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const tls = tlsAdvice(code, error, facts)
  if (tls !== undefined) return unreachable(`${where}: ${tls}`, { kind: 'tls', sent }, error)
  const found = plainWords(code, url) ?? `${error.message}${code === '' ? '' : ` (${code})`}`
  const kind = sent ? 'cut' : 'connect'
  return unreachable(`${where}: ${found}`, { kind, sent }, error)
}

export interface TimeoutFacts {
  readonly where: string
  readonly what: string
  readonly ms: number
  readonly sent: boolean
}

export function timeoutError(facts: TimeoutFacts): MigrationError {
  const { where, what, ms, sent } = facts
  return unreachable(`${where}: no answer to ${what} within ${ms / 1000} s`, {
    kind: 'timeout',
    sent,
  })
}

export function answerTooLargeError(where: string, request: string, bytes: number): MigrationError {
  return new MigrationError(
    'MA_CLUSTER_RESPONSE',
    `${where}: the answer to ${request} is larger than ${bytes} bytes`,
  )
}

export function badEncodingError(where: string, encoding: string, cause?: unknown): MigrationError {
  return new MigrationError(
    'MA_CLUSTER_RESPONSE',
    `${where}: the answer's content encoding ${encoding} cannot be read`,
    { cause, retryable: cause !== undefined },
  )
}

/** Whether the request surely has not reached the cluster, so that even what is not idempotent may be sent again. */
export function neverSent(error: unknown): boolean {
  return (
    error instanceof MigrationError &&
    error.code === 'MA_CLUSTER_UNREACHABLE' &&
    error.details['sent'] === false
  )
}

// A wrong certificate stays wrong until somebody changes it; everything else may pass by itself.
function unreachable(message: string, details: UnreachableDetails, cause?: Error): MigrationError {
  return new MigrationError('MA_CLUSTER_UNREACHABLE', message, {
    cause,
    details: { ...details },
    retryable: details.kind !== 'tls',
  })
}

function plainWords(code: string, url: URL): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens there (connection refused); is it running, and is the port right?`
    case 'ENOTFOUND':
      return `the host name ${url.hostname} is not known (DNS)`
    case 'EAI_AGAIN':
      return `the host name ${url.hostname} could not be looked up (DNS does not answer)`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no way to ${url.hostname} in this network`
    case 'ETIMEDOUT':
      return `no answer from ${url.hostname}; is a firewall between?`
    case 'ECONNRESET':
    case 'EPIPE':
      return `the connection was cut (${code})`
    default:
      return undefined
  }
}

const unknownAuthority = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
])

function tlsAdvice(code: string, error: Error, facts: ConnectionFacts): string | undefined {
  const { side, tls } = facts
  if (unknownAuthority.has(code)) {
    return tls.ca === undefined
      ? `its certificate is signed by an authority that this machine does not know; set ${side}.tls.ca to file:PATH of that authority's certificate (PEM)`
      : `its certificate is not signed by the authority in ${side}.tls.ca; put the certificate of the right authority (PEM) there`
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `its certificate is for other names (${error.message}); use one of those names in ${side}.url`
  }
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired; it must be renewed'
  if (code === 'CERT_NOT_YET_VALID') {
    return `its certificate is not valid yet; is this machine's clock right?`
  }
  if (/wrong version number|packet length too long/i.test(error.message)) {
    return `it does not speak TLS; write http:// in ${side}.url`
  }
  // OpenSSL names the alert that the server sent; its code differs between TLS 1.2 and 1.3.
  if (/^ERR_SSL_.*(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE)/.test(code)) {
    return tls.cert === undefined
      ? `it asks for a client certificate; set ${side}.tls.cert and ${side}.tls.key`
      : `it refuses the client certificate in ${side}.tls.cert`
  }
  if (/^ERR_SSL_.*(UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED)/.test(code)) {
    return `it does not accept the client certificate in ${side}.tls.cert`
  }
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return `TLS failed: ${error.message}`
  if (code.startsWith('CERT_')) return `its certificate cannot be trusted (${code})`
  return undefined
}
