import { MigrationError } from '../base/errors.ts'
import { isInside } from './blob-path.ts'

/** Where a repository on object storage is: SCHEME://NAME[/NAME…][/PREFIX]. */
export interface ObjectPlace {
  /** The location without what is not part of it, for messages. */
  readonly where: string
  /** Bucket; or account and container. */
  readonly names: readonly string[]
  /** Without slashes at its ends; '' is the whole bucket. */
  readonly prefix: string
}

export interface ObjectForm {
  readonly scheme: string
  /** What each name is, as messages call it, and how it may look. */
  readonly names: readonly { readonly what: string; readonly pattern: RegExp }[]
  /** Where credentials come from, since they may not stand in the location. */
  readonly credentials: string
}

/** Takes a location apart. Throws MA_CONFIG, and never repeats what may be a secret. */
export function parseObjectPlace(location: string, form: ObjectForm): ObjectPlace {
  const { scheme, names, credentials } = form
  const parts = location.slice(`${scheme}://`.length).split('/')
  const found = parts.slice(0, names.length)
  if (!names.every(({ pattern }, i) => pattern.test(found[i] ?? ''))) {
    const shape = names.map(({ what }) => what).join('/')
    throw new MigrationError(
      'MA_CONFIG',
      `the repository location is not of the form ${scheme}://${shape}/PREFIX (credentials do not belong into it: ${credentials})`,
    )
  }
  const prefix = parts
    .slice(names.length)
    .join('/')
    .replace(/^\/+|\/+$/g, '')
  const root = `${scheme}://${found.join('/')}`
  if (prefix !== '' && !isInside(prefix.split('/'))) {
    throw new MigrationError(
      'MA_CONFIG',
      `the PREFIX of the repository location ${root}/… has an empty part, or . or ..: give the base_path that the repository was registered with`,
    )
  }
  return { where: prefix === '' ? root : `${root}/${prefix}`, names: found, prefix }
}

/** The key of a blob in its bucket. */
export function keyOf({ prefix }: ObjectPlace, path: string): string {
  return prefix === '' ? path : `${prefix}/${path}`
}

/** What the keys of all blobs of a folder begin with; '' is the whole bucket. */
export function keysWithin(place: ObjectPlace, folder: string): string {
  if (folder !== '') return `${keyOf(place, folder)}/`
  return place.prefix === '' ? '' : `${place.prefix}/`
}
