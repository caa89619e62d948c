import type { MigrationError } from '../base/errors.ts'
import { serviceError, type AskedBlob, type Refusal } from './service-errors.ts'

/** What the SDK throws. */
interface RestError {
  name?: string
  message?: string
  /** Of the service, or of Node.js where there was no answer. */
  code?: string
  statusCode?: number
}

const login: Refusal = {
  code: 'MA_BLOB_READ',
  text:
    'the login is not accepted: check the key (AZURE_STORAGE_KEY or snapshot.azure.key), the token ' +
    '(AZURE_STORAGE_SAS_TOKEN or snapshot.azure.sas: its end, its rights r and l), or the clock of this machine',
}
const rights: Refusal = {
  code: 'MA_BLOB_READ',
  text: 'access denied: the login needs the role Storage Blob Data Reader on the container (a SAS token the rights r and l), and the network rules of the account must let this machine in',
}

/** By the service's name of the error. */
const refusals: { readonly [code: string]: Refusal } = {
  ContainerNotFound: {
    code: 'MA_BLOB_READ',
    text: 'there is no such container: check its name',
  },
  AuthenticationFailed: login,
  InvalidAuthenticationInfo: login,
  NoAuthenticationInformation: login,
  AuthorizationFailure: rights,
  AuthorizationPermissionMismatch: rights,
  AuthorizationProtocolMismatch: rights,
  AuthorizationResourceTypeMismatch: rights,
  AuthorizationSourceIPMismatch: rights,
  InsufficientAccountPermissions: rights,
  KeyBasedAuthenticationNotPermitted: {
    code: 'MA_BLOB_READ',
    text: 'the account refuses keys: leave key and SAS token away and log in with an identity (az login, a managed identity)',
  },
  BlobArchived: {
    code: 'MA_BLOB_READ',
    text: 'the blob is archived: rehydrate it before the migration',
  },
}

/** True when a listing is refused for lack of a permission, while blobs may still be readable. */
export function isListingRefused(error: unknown): boolean {
  const { code = '' } = error as RestError
  return refusals[code] === rights
}

export function isOutsideRange(error: unknown): boolean {
  return (error as RestError).statusCode === 416
}

/** What the SDK throws, in this program's words. */
export function azureError(error: unknown, asked: AskedBlob): MigrationError {
  const { name = '', code = '', message = '', statusCode: status } = error as RestError
  const isLogin =
    /^(CredentialUnavailableError|AuthenticationError|AggregateAuthenticationError|AuthenticationRequiredError)$/
  return serviceError(
    error,
    { name: code, status, message },
    {
      isMissing: code === 'BlobNotFound',
      refusal: isLogin.test(name) ? noLogin(message) : refusals[code],
    },
    asked,
  )
}

function noLogin(message: string): Refusal {
  return {
    code: 'MA_SECRET',
    text:
      `no login could be had (${message.split('\n', 1)[0]!.slice(0, 200)}): set AZURE_STORAGE_KEY or ` +
      'AZURE_STORAGE_SAS_TOKEN (or snapshot.azure.key, snapshot.azure.sas), log in with az login, or give this ' +
      'machine a managed identity',
  }
}
