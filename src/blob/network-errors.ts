import { MigrationError } from '../base/errors.ts'

/** Failures of certificates: trying again does not help, configuring does. */
const unknownAuthority = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_GET_ISSUER_CERT',
  'CERT_UNTRUSTED',
])
const badCertificate = new Set(['ERR_TLS_CERT_ALTNAME_INVALID', 'CERT_HAS_EXPIRED'])

/** What went wrong below HTTP on the way to a store, or why there was no whole answer in time. */
export function networkError(
  error: unknown,
  { place, blob, signal }: { place: string; blob: string; signal: AbortSignal },
): MigrationError {
  if (error instanceof MigrationError) return error
  if (signal.reason instanceof MigrationError) return signal.reason
  const { code = '', message, name } = error as NodeJS.ErrnoException
  const details = { blob, ...(code !== '' && { code }) }
  const failed = (text: string, retryable: boolean): MigrationError =>
    new MigrationError('MA_BLOB_READ', `${blob} could not be read from ${place}: ${text}`, {
      cause: error,
      details,
      retryable,
    })
  if (signal.aborted || name === 'TimeoutError') return failed('no whole answer in time', true)
  if (unknownAuthority.has(code)) {
    return failed(
      `its certificate (${message}) is signed by an authority that this machine does not know; ` +
        "set snapshot.tls.ca to file:PATH of that authority's certificate (PEM)",
      false,
    )
  }
  if (badCertificate.has(code)) return failed(`its certificate does not fit: ${message}`, false)
  if (code === 'ENOTFOUND') return failed(`its name is not known (${message}): check it`, false)
  if (code === 'ECONNREFUSED') {
    return failed(`nothing listens there (${message}): check the address`, true)
  }
  return failed(code === '' || message.includes(code) ? message : `${message} (${code})`, true)
}
