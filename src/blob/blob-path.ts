import { CorruptData } from '../base/errors.ts'

/**
 * The parts of a blob's path. Names come from the snapshot's own metadata, which may be hostile: nothing may lead out
 * of the repository. Throws CorruptData.
 */
export function blobPathParts(location: string, path: string): string[] {
  const parts = path.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) {
    throw new CorruptData({
      file: location,
      offset: 0,
      expected: 'the name of a blob inside the repository',
      found: JSON.stringify(path.slice(0, 200)),
    })
  }
  return parts
}
