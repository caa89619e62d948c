import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { MigrationError } from '../base/errors.ts'
import { resolveKafka } from '../capture/open-log.ts'
import type { CaptureLogReader } from '../traffic/capture-log.ts'
import { isExport } from '../traffic/export-read.ts'
import { openExportReader } from '../traffic/export-reader.ts'
import type { ImportTarget } from '../traffic/import.ts'
import { localImportTarget } from '../traffic/local-import.ts'
import { openLocalLogReader } from '../traffic/local-log-reader.ts'
import { isMissing } from '../traffic/log-folder.ts'
import { logPlace } from './capture.ts'
import type { LoadedConfig } from './config.ts'

/** A log that was found, and what it is called. */
export interface FoundLog {
  readonly reader: CaptureLogReader
  readonly place: string
}

export interface FindLogOptions {
  /** An export, the folder of a log, or that of one of its streams; undefined: the log that is configured. */
  readonly path: string | undefined
  /** With it, damage in a local log is told here and passed over, a gap record in its place. */
  readonly onDamage?: OnDamage | undefined
  readonly loadConfig: () => Promise<LoadedConfig>
}

type OnDamage = (damage: MigrationError) => void

/** Opens a capture log for reading. Throws MA_CONFIG where there is none. */
export async function findLog({ path, onDamage, loadConfig }: FindLogOptions): Promise<FoundLog> {
  if (path !== undefined) return { reader: await openPath(path, onDamage), place: path }
  const { dir, kafka } = logPlace(await loadConfig())
  if (kafka === undefined) return { reader: await openFolder(dir, onDamage), place: dir }
  const { openKafkaReader } = await import('../traffic/kafka-reader.ts')
  const options = await resolveKafka(kafka)
  return { reader: await openKafkaReader(options), place: `topic ${options.topic}` }
}

async function openPath(path: string, onDamage: OnDamage | undefined): Promise<CaptureLogReader> {
  const found = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) throw noLogError(path, 'there is no such file or folder')
    throw error
  })
  if (found.isDirectory()) return openFolder(path, onDamage)
  if (await isExport(path)) return openExportReader(path)
  throw noLogError(path, 'it is not a file that `capture log export` wrote')
}

async function openFolder(
  folder: string,
  onDamage: OnDamage | undefined,
): Promise<CaptureLogReader> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) throw noLogError(folder, 'nothing has been recorded there yet')
    throw error
  })
  const isStream = entries.some((entry) => entry.isFile() && entry.name.endsWith('.log'))
  const root = isStream ? dirname(resolve(folder)) : folder
  const only = isStream ? basename(resolve(folder)) : undefined
  return openLocalLogReader(root, { onDamage, ...(only !== undefined && { only }) })
}

/** Where an import goes: a folder, which may become as large as it wants, or the log that is configured. */
export async function findImportTarget(
  folder: string | undefined,
  loadConfig: () => Promise<LoadedConfig>,
): Promise<{ target: (stream: string) => ImportTarget; place: string }> {
  if (folder !== undefined) {
    return { target: localImportTarget(folder, Number.MAX_SAFE_INTEGER), place: folder }
  }
  const { dir, kafka, bytesMax } = logPlace(await loadConfig())
  if (kafka === undefined) return { target: localImportTarget(dir, bytesMax), place: dir }
  const { openKafkaWriter } = await import('../traffic/kafka-writer.ts')
  const options = await resolveKafka(kafka)
  return {
    target: (stream) => ({
      existing: nothing,
      open: () => openKafkaWriter({ kafka: options, proxy: stream }),
    }),
    place: `topic ${options.topic}`,
  }
}

/** A topic may hold other records: all of an import goes behind them. */
async function* nothing(): AsyncGenerator<Uint8Array> {}

function noLogError(path: string, why: string): MigrationError {
  return new MigrationError('MA_CONFIG', `${path} is not a capture log: ${why}.`, {
    details: { path },
  })
}
