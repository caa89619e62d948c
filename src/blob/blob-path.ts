import { CorruptData } from '../base/errors.ts'

/** What is left of a path without its last parts: a/b/c without b/c is a. undefined where it has another end. */
export function pathWithout(path: string, end: string): string | undefined {
  if (path === end) return ''
  return end !== '' && path.endsWith(`/${end}`) ? path.slice(0, -end.length - 1) : undefined
}

/**
 * The parts of a blob's path. Names come from the snapshot's own metadata, which may be hostile: nothing may lead out
 * of the repository. Throws CorruptData.
 */
export function blobPathParts(location: string, path: string): string[] {
  const parts = path.split('/')
  if (!isInside(parts)) {
    throw new CorruptData({
      file: location,
      offset: 0,
      expected: 'the name of a blob inside the repository',
      found: JSON.stringify(path.slice(0, 200)),
    })
  }
  return parts
}

/** True where none of the parts of a path leads elsewhere than down. */
export function isInside(parts: readonly string[]): boolean {
  return parts.every((part) => !['', '.', '..'].includes(part) && !part.includes('\0'))
}
