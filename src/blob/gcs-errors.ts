import type { MigrationError } from '../base/errors.ts'
import { serviceError, type AskedBlob, type Refusal } from './service-errors.ts'

/** An answer of Google Cloud Storage that is neither a blob nor a listing. */
export interface GcsAnswer {
  readonly status: number
  readonly text: string
}

const login: Refusal = {
  code: 'MA_BLOB_READ',
  text:
    'the credentials are not accepted: check the service account (GOOGLE_APPLICATION_CREDENTIALS or ' +
    'snapshot.gcs.credentials), or log in again (gcloud auth application-default login)',
}
const noBucket: Refusal = {
  code: 'MA_BLOB_READ',
  text: 'there is no such bucket: check its name',
}

/** What an answer means, in this program's words. */
export function gcsError({ status, text }: GcsAnswer, asked: AskedBlob): MigrationError {
  const message = messageOf(text)
  const ofBucket = /bucket does not exist/i.test(message)
  return serviceError(
    undefined,
    { name: '', status, message },
    {
      isMissing: status === 404 && !ofBucket,
      isDenied: status === 403,
      refusal: refusalOf(status, message, ofBucket),
    },
    asked,
  )
}

function refusalOf(status: number, message: string, ofBucket: boolean): Refusal | undefined {
  if (ofBucket) return noBucket
  if (status === 401) return login
  if (status === 400 && /requester pays|user project/i.test(message)) {
    return {
      code: 'MA_CONFIG',
      text: `who reads this bucket pays for it: set snapshot.gcs.project to the project that does (${message})`,
    }
  }
  if (status !== 403) return undefined
  return {
    code: 'MA_BLOB_READ',
    text:
      `access denied: ${message}. The account needs storage.objects.get and storage.objects.list ` +
      '(role Storage Object Viewer); without the second a blob that is missing is answered so, too',
  }
}

/** Errors are JSON; those of a blob's bytes plain text. */
function messageOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } }
    if (typeof error?.message === 'string') return oneLine(error.message)
  } catch {
    // Plain text, then.
  }
  return oneLine(text)
}

function oneLine(text: string): string {
  return text.trim().split('\n', 1)[0]!.slice(0, 300)
}
