/** Downloads through the machine's own Maven, by coordinates only: which repository, proxy and mirror is its own business. */
import { spawn } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { CorruptData, MigrationError } from '../base/errors.ts'
import type { MavenCoordinates } from './engine-row.ts'
import { ZipArchive } from './zip.ts'

const mavenTimeoutMs = 15 * 60_000
const outputCharsMax = 20_000

/** Copies one artifact into a folder and gives its path. Throws MA_ENGINE. */
export async function copyArtifact(
  coordinates: MavenCoordinates,
  folder: string,
  signal?: AbortSignal,
): Promise<string> {
  const text = coordinateText(coordinates)
  await mkdir(folder, { recursive: true })
  await runMaven(
    ['dependency:copy', `-Dartifact=${text}`, `-DoutputDirectory=${folder}`],
    { folder, what: text },
    signal,
  )
  const { artifact, version, type = 'jar', classifier } = coordinates
  const suffix = classifier === undefined ? '' : `-${classifier}`
  const copy = path.join(folder, `${artifact}-${version}${suffix}.${type}`)
  await checkArchive(copy, text)
  return copy
}

/** Reads every member: a download that was cut or changed must not become part of an engine. Throws MA_ENGINE. */
async function checkArchive(file: string, what: string): Promise<void> {
  try {
    const archive = await ZipArchive.open(file)
    try {
      await archive.check()
    } finally {
      await archive.close()
    }
  } catch (cause) {
    if (!(cause instanceof CorruptData)) throw cause
    const message = `the download of ${what} is damaged (${cause.message}): remove it from the local Maven repository, by default below ~/.m2/repository, and try again`
    throw new MigrationError('MA_ENGINE', message, { cause })
  }
}

/**
 * Resolves several artifacts with their run-time dependencies, each set by itself, in one call.
 * The jars of set `name` are in `<folder>/<name>/jars`. Throws MA_ENGINE.
 */
export async function copyDependencies(
  sets: readonly { name: string; coordinates: readonly MavenCoordinates[] }[],
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const set of sets) {
    const dependencies = set.coordinates.map(dependencyXml).join('')
    await mkdir(path.join(folder, set.name), { recursive: true })
    await writeFile(
      path.join(folder, set.name, 'pom.xml'),
      pom(
        `<parent><groupId>engine</groupId><artifactId>all</artifactId><version>1</version></parent>` +
          `<artifactId>set-${set.name}</artifactId><packaging>pom</packaging><dependencies>${dependencies}</dependencies>`,
      ),
    )
  }
  const modules = sets.map((set) => `<module>${set.name}</module>`).join('')
  await writeFile(
    path.join(folder, 'pom.xml'),
    pom(
      `<groupId>engine</groupId><artifactId>all</artifactId><version>1</version><packaging>pom</packaging>` +
        `<modules>${modules}</modules>`,
    ),
  )
  await runMaven(
    ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=jars'],
    { folder, what: sets.flatMap((set) => set.coordinates.map(coordinateText)).join(', ') },
    signal,
  )
  for (const { name } of sets) {
    for (const jar of await jarsOf(folder, name)) await checkArchive(jar, path.basename(jar))
  }
}

/** The jars of one set of copyDependencies. */
export async function jarsOf(folder: string, name: string): Promise<string[]> {
  const jars = path.join(folder, name, 'jars')
  return (await readdir(jars))
    .filter((file) => file.endsWith('.jar'))
    .map((f) => path.join(jars, f))
}

function coordinateText(coordinates: MavenCoordinates): string {
  const { group, artifact, version, type = 'jar', classifier } = coordinates
  return [group, artifact, version, type, ...(classifier === undefined ? [] : [classifier])].join(
    ':',
  )
}

function dependencyXml({ group, artifact, version }: MavenCoordinates): string {
  return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
}

function pom(body: string): string {
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>${body}</project>\n`
}

/**
 * A few artifacts are published without checksums, so Maven is not told to insist on them: who unpacks an
 * artifact checks each member of it.
 */
function runMaven(
  goals: readonly string[],
  about: { folder: string; what: string },
  signal?: AbortSignal,
): Promise<void> {
  // Not spawn's own `timeout`: its timer holds the program up when there is no Maven.
  const timeout = AbortSignal.timeout(mavenTimeoutMs)
  const either = AbortSignal.any(signal === undefined ? [timeout] : [signal, timeout])
  return new Promise((resolve, reject) => {
    const child = spawn('mvn', ['-B', '-q', '-Dstyle.color=never', ...goals], {
      cwd: about.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: either,
    })
    let output = ''
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-outputCharsMax)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (cause) => {
      if (signal?.aborted) reject(signal.reason as Error)
      else if (timeout.aborted) reject(mavenFailed(about.what, 'ERROR: no end after 15 minutes'))
      else reject(noMaven(cause))
    })
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(mavenFailed(about.what, output))
    })
  })
}

function noMaven(cause: Error): MigrationError {
  return new MigrationError(
    'MA_ENGINE',
    `Maven cannot be run (${cause.message}): local engines are downloaded with it. ` +
      'Install it, for example `apt-get install maven` or `brew install maven`',
    { cause },
  )
}

function mavenFailed(what: string, output: string): MigrationError {
  const lines = output.split('\n').filter((line) => line.includes('ERROR'))
  return new MigrationError(
    'MA_ENGINE',
    `Maven could not download ${what}: ${lines.slice(0, 3).join(' ').slice(0, 1000) || 'no output'}. ` +
      'Check the network, and the proxy and mirror in ~/.m2/settings.xml, then run the same command again',
    { retryable: true },
  )
}
