import { MigrationError } from '../base/errors.ts'
import { networkError } from './network-errors.ts'

/** What a service of object storage answered in place of a blob, taken out of what its SDK throws. */
export interface ServiceAnswer {
  /** As the service calls it: AccessDenied, BlobNotFound …; '' where it has no name. */
  readonly name: string
  /** Of HTTP; undefined: there was no answer. */
  readonly status: number | undefined
  readonly message: string
}

/** What an answer means, and what to do about it. */
export interface Refusal {
  readonly code: 'MA_BLOB_READ' | 'MA_SECRET' | 'MA_CONFIG'
  readonly text: string
}

export interface AskedBlob {
  /** The repository as a person writes it, without what follows the bucket's prefix. */
  readonly where: string
  /** Address of the service where it is a configured one. */
  readonly endpoint?: string | undefined
  readonly blob: string
  readonly signal: AbortSignal
}

/** What of an answer is particular to a service. */
export interface ServiceMeaning {
  readonly isMissing: boolean
  readonly refusal: Refusal | undefined
  /** True where the same request may succeed later; answers 408, 429 and 5xx always may. */
  readonly passes?: boolean
  /** True where nobody may do this: a permission is missing, or it is hidden whether there is such a blob. */
  readonly isDenied?: boolean
}

/** What a service refused, or what became of the way to it, in this program's words. */
export function serviceError(
  error: unknown,
  { name, status, message }: ServiceAnswer,
  { isMissing, refusal, passes = false, isDenied = false }: ServiceMeaning,
  { where, endpoint, blob, signal }: AskedBlob,
): MigrationError {
  if (error instanceof MigrationError) return error
  const details = {
    blob,
    repository: where,
    error: isDenied ? 'AccessDenied' : name,
    ...(status !== undefined && { status }),
  }
  if (isMissing) {
    return new MigrationError('MA_BLOB_MISSING', `there is no blob ${blob} in ${where}`, {
      details,
    })
  }
  const failed = (code: Refusal['code'], text: string, retryable = false): MigrationError =>
    new MigrationError(code, `${blob} could not be read from ${where}: ${text}`, {
      cause: error,
      details,
      retryable,
    })
  if (refusal !== undefined) return failed(refusal.code, refusal.text)
  if (status === undefined) return networkError(error, { place: endpoint ?? where, blob, signal })
  const said = message.split('\n', 1)[0]!.slice(0, 300)
  return failed(
    'MA_BLOB_READ',
    `the service answers ${status} ${name}: ${said}`,
    passes || status >= 500 || status === 429 || status === 408,
  )
}
