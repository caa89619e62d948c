import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { keyOf, parseObjectPlace } from './object-place.ts'
import { s3Error } from './s3-errors.ts'
import { clientConfig, openAgents, s3Form, type S3StoreOptions } from './s3-store.ts'

/** Puts a file into a bucket under a name; one that is there under it is replaced. At most 5 GB. */
export type UploadFile = (path: string, name: string, signal: AbortSignal) => Promise<void>

/** For s3://BUCKET/PREFIX. The SDK is loaded and credentials are looked up at the first file. */
export function s3Upload(location: string, options: S3StoreOptions = {}): UploadFile {
  const place = parseObjectPlace(location, s3Form)
  const [Bucket] = place.names
  const open = async () => {
    const { S3Client, PutObjectCommand } = await import('@aws-sdk/client-s3')
    const client = new S3Client(clientConfig(options, await openAgents(options)))
    return { client, PutObjectCommand }
  }
  let opened: ReturnType<typeof open> | undefined
  return async (path, name, signal) => {
    const { client, PutObjectCommand } = await (opened ??= open())
    try {
      const { size: ContentLength } = await stat(path)
      const object = {
        Bucket,
        Key: keyOf(place, name),
        Body: createReadStream(path),
        ContentLength,
      }
      await client.send(new PutObjectCommand(object), { abortSignal: signal })
    } catch (error) {
      throw s3Error(error, { where: place.where, endpoint: options.endpoint, blob: name, signal })
    }
  }
}
