/** Makes engines run that were written before Java 9 and never adapted. */
import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { MigrationError } from '../base/errors.ts'
import type { EngineRow } from './engine-row.ts'
import { javaFor } from './java.ts'
import { copyArtifact } from './maven.ts'
import { ZipArchive } from './zip.ts'

/** The folder of a home whose classes go before those of the engine. */
export const patchFolder = 'patch'

const className = 'org/elasticsearch/monitor/jvm/JvmInfo'
const compileTimeoutMs = 120_000
const run = promisify(execFile)

/**
 * Elasticsearch 1.x asks the JVM for its boot class path, which Java since 9 refuses. That one class is compiled anew
 * from the published source, without the question. Throws MA_ENGINE.
 */
export async function patchForJava9(
  row: EngineRow,
  { home, work }: { home: string; work: string },
  signal?: AbortSignal,
): Promise<void> {
  const { group, artifact, version } = row.archive
  const sources = { group, artifact, version, classifier: 'sources' }
  const sourceArchive = await ZipArchive.open(await copyArtifact(sources, work, signal))
  let source: string
  try {
    const entry = sourceArchive.entries.find(({ name }) => name === `${className}.java`)
    if (entry === undefined) throw failed(row, `its sources hold no ${className}.java`)
    source = (await sourceArchive.read(entry)).toString('utf8')
  } finally {
    await sourceArchive.close()
  }
  const changed = source.replace('runtimeMXBean.getBootClassPath()', '""')
  if (changed === source) throw failed(row, `${className}.java is not as expected`)
  const file = path.join(work, `${path.basename(className)}.java`)
  await writeFile(file, changed)
  const classes = path.join(home, patchFolder)
  await mkdir(classes)
  const java = await javaFor(row.java)
  const javac = path.join(java?.home ?? '', 'bin/javac')
  const args = ['--release', '8', '-nowarn', '-d', classes, '-cp', `${home}/lib/*`, file]
  try {
    await run(javac, args, { timeout: compileTimeoutMs, ...(signal && { signal }) })
  } catch (cause) {
    throw failed(row, `${javac} failed: a JDK is needed, a JRE has no compiler`, cause)
  }
  if (row.archive.type === undefined) await putIntoJar(row, { home, classes }, java?.home ?? '')
}

/** Elasticsearch 2 refuses a class that is there twice, so the jar itself gets the new one. */
async function putIntoJar(
  row: EngineRow,
  { home, classes }: { home: string; classes: string },
  javaHome: string,
): Promise<void> {
  const { artifact, version } = row.archive
  const target = path.join(home, 'lib', `${artifact}-${version}.jar`)
  await run(path.join(javaHome, 'bin/jar'), ['uf', target, '-C', classes, '.'], {
    timeout: compileTimeoutMs,
  })
  await rm(classes, { recursive: true })
}

function failed(row: EngineRow, reason: string, cause?: unknown): MigrationError {
  const message = `${row.kind} ${row.version} cannot be adapted to this Java: ${reason}`
  return new MigrationError('MA_ENGINE', message, { cause })
}
