import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { MigrationError } from '../base/errors.ts'
import { resolveSecret } from '../base/secrets.ts'
import type { ClusterAuth, ClusterTls, Side } from './cluster.ts'
import { requestSigner, type SignRequest, type SigV4Options } from './sigv4.ts'
import type { TlsMaterial } from './transport.ts'

export interface Credentials {
  /** The header's value; undefined without authentication by a header that is always the same. */
  readonly authorization: string | undefined
  /** Signs each request by itself; absent where none is signed. */
  readonly sign?: SignRequest
  /** For messages, e.g. `the user migrator`. */
  readonly identity: string
}

/** Resolves the secrets of `auth`. Errors: MA_SECRET, MA_CONFIG. */
export async function resolveAuth(
  side: Side,
  auth: ClusterAuth | undefined,
  tls: ClusterTls | undefined,
): Promise<Credentials> {
  if (auth === undefined) {
    const identity = tls?.cert === undefined ? 'requests without credentials' : certificateIdentity
    return { authorization: undefined, identity }
  }
  if ('username' in auth) {
    const password = await resolveSecret(auth.password, `${side}.auth.password`)
    const pair = Buffer.from(`${auth.username}:${password}`).toString('base64')
    return { authorization: `Basic ${pair}`, identity: `the user ${auth.username}` }
  }
  if ('apiKey' in auth) {
    const what = `${side}.auth.apiKey`
    const key = await resolveHeaderSecret(auth.apiKey, what)
    // The encoded form that the engine hands out is Base64 and has no colon; `id:key` is the same before encoding.
    const encoded = key.includes(':') ? Buffer.from(key).toString('base64') : key
    return { authorization: `ApiKey ${encoded}`, identity: 'the API key' }
  }
  if ('sigv4' in auth) return signing(auth.sigv4)
  const token = await resolveHeaderSecret(auth.bearer, `${side}.auth.bearer`)
  return { authorization: `Bearer ${token}`, identity: 'the bearer token' }
}

function signing(options: SigV4Options): Credentials {
  const { profile } = options
  const of = profile === undefined ? '' : ` of the profile ${profile}`
  const identity = `the AWS credentials${of}`
  return { authorization: undefined, identity, sign: requestSigner(options) }
}

const certificateIdentity = 'the client certificate'

async function resolveHeaderSecret(reference: string, what: string): Promise<string> {
  const secret = await resolveSecret(reference, what)
  if (/^[\x21-\x7e]+$/.test(secret)) return secret
  throw new MigrationError(
    'MA_SECRET',
    `${what}: the secret holds blanks, line breaks or characters that no HTTP header can carry`,
    { details: { what } },
  )
}

/** Resolves and checks the PEM texts of `tls`, so that a wrong file is named now and not at the first handshake. */
export async function resolveTls(side: Side, tls: ClusterTls | undefined): Promise<TlsMaterial> {
  const read = async (name: 'ca' | 'cert' | 'key'): Promise<string | undefined> => {
    const reference = tls?.[name]
    return reference === undefined ? undefined : resolveSecret(reference, `${side}.tls.${name}`)
  }
  const material = {
    ca: await read('ca'),
    cert: await read('cert'),
    key: await read('key'),
    insecure: tls?.insecure ?? false,
  }
  if ((material.cert === undefined) !== (material.key === undefined)) {
    throw new MigrationError(
      'MA_CONFIG',
      `${side}.tls: a client certificate needs both cert and key`,
    )
  }
  checkCertificate(`${side}.tls.ca`, material.ca)
  checkCertificate(`${side}.tls.cert`, material.cert)
  checkKeyPair(side, material)
  return material
}

function checkCertificate(what: string, pem: string | undefined): void {
  if (pem === undefined) return
  try {
    new X509Certificate(pem)
  } catch (error) {
    throw new MigrationError('MA_CONFIG', `${what} is not a certificate in PEM form`, {
      cause: error,
    })
  }
}

function checkKeyPair(side: Side, material: TlsMaterial): void {
  if (material.key === undefined) return
  try {
    createSecureContext({ cert: material.cert, key: material.key })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const found =
      code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH'
        ? `does not belong to the certificate in ${side}.tls.cert`
        : 'is not a private key in PEM form without a passphrase'
    throw new MigrationError('MA_CONFIG', `${side}.tls.key ${found}`, { cause: error })
  }
}
