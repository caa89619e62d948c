/** Homes with a plugin that only some engines are started with: a copy of the engine's home that has it. */
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { MigrationError } from '../base/errors.ts'
import { withCacheLock } from './cache-lock.ts'
import type { EnginePlugin, EngineRow } from './engine-row.ts'
import { exists, makeReadable, unpack, workPrefix } from './home.ts'
import { copyArtifact } from './maven.ts'
import { addModules } from './modules.ts'

/** The home of a row with one of its plugins, made from `home` once. Throws MA_ENGINE. */
export async function prepareWithPlugin(
  row: EngineRow,
  name: string,
  { home, signal }: { home: string; signal?: AbortSignal },
): Promise<string> {
  const plugin = row.plugins?.find((one) => one.name === name)
  if (plugin === undefined) {
    throw new MigrationError(
      'MA_ENGINE',
      `${row.kind} ${row.version} cannot be started with the plugin ${name}: the catalogue of engines has none of that name for it`,
    )
  }
  const withPlugin = `${home}-${name}`
  if (await exists(withPlugin)) return withPlugin
  return withCacheLock(
    `${withPlugin}.lock`,
    async () => {
      if (await exists(withPlugin)) return withPlugin
      const work = await mkdtemp(path.join(path.dirname(home), workPrefix))
      try {
        const copy = path.join(work, 'home')
        await cp(home, copy, { recursive: true })
        await addPlugin(row, plugin, { home: copy, work, ...(signal && { signal }) })
        await makeReadable(copy)
        await rename(copy, withPlugin)
      } finally {
        await rm(work, { recursive: true, force: true })
      }
      return withPlugin
    },
    signal,
  )
}

/** A plugin that is published as a jar is put together like a module, which the server loads as well. */
async function addPlugin(
  row: EngineRow,
  plugin: EnginePlugin,
  { home, work, signal }: { home: string; work: string; signal?: AbortSignal },
): Promise<void> {
  if (plugin.coordinates.type !== 'zip') {
    return addModules({ ...row, modules: [plugin] }, home, path.join(work, 'modules'), signal)
  }
  const folder = path.join(home, 'plugins', plugin.name)
  await unpack(await copyArtifact(plugin.coordinates, work, signal), folder, { signal, strip: 0 })
  for (const jar of plugin.jars ?? []) await copyArtifact(jar, folder, signal)
}
