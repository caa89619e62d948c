import { Unsupported } from '../base/errors.ts'
import type { BlobStore } from '../blob/byte-source.ts'

/** Beginnings of messages of the AWS Encryption SDK: version, then type or id of the suite of algorithms. */
const awsMessages = ['0180', '020478', '020578']
const keysFolder = '.encryption-metadata'

/**
 * Throws Unsupported when the root of a repository is not readable because the repository is encrypted; all its blobs
 * begin then with a head of their own:
 *
 *   Elasticsearch (repositories of type `encrypted`) = id of a key: 22 characters of Base64 without padding, packets;
 *       the key is wrapped in .encryption-metadata/<id>/<id of the password>
 *   OpenSearch (`crypto_settings` of a repository) = a message of the AWS Encryption SDK
 *
 * Specified in Elasticsearch's EncryptedRepository, OpenSearch's EncryptedBlobStore, and the SDK's message format.
 */
export async function requireNotEncrypted(
  store: BlobStore,
  bytes: Buffer,
  file: string,
): Promise<void> {
  if (awsMessages.some((head) => bytes.toString('hex', 0, head.length / 2) === head)) {
    throw encrypted(file, "OpenSearch's crypto_settings")
  }
  const id = bytes.toString('latin1', 0, 22)
  if (!/^[\w-]{22}$/.test(id)) return
  const keys = await store.list(`${keysFolder}/${id}`)
  if (keys !== undefined && keys.length > 0) throw encrypted(file, 'type `encrypted`')
}

function encrypted(file: string, how: string): Unsupported {
  return new Unsupported({
    file,
    offset: 0,
    expected: 'a repository that is not encrypted by the engine',
    found: `one that is (${how}): make a snapshot in another repository; encryption by the store itself is no hindrance`,
  })
}
