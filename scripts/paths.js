// Plain JavaScript for any Node.js from 18 on.
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/** The path of something in the clone. */
export function rootPath(relative) {
  return path.join(fileURLToPath(new URL('..', import.meta.url)), relative)
}

/** Files below a folder of the clone whose name ends so, sorted. */
export function globSync(folder, ending) {
  const start = rootPath(folder)
  if (!existsSync(start)) return []
  return readdirSync(start, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => path.join(folder, name))
    .sort()
}
