/** Finds the Java runtimes of this machine: environment, PATH, and the places where systems install them. */
import { execFile } from 'node:child_process'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

export interface JavaRuntime {
  /** The folder that holds bin/java. */
  readonly home: string
  readonly major: number
}

const run = promisify(execFile)
let found: Promise<readonly JavaRuntime[]> | undefined

/** Every runtime found, the first mentioned first; looked up once per process. */
export function javaRuntimes(): Promise<readonly JavaRuntime[]> {
  found ??= findJavaRuntimes(process.env)
  return found
}

/** The lowest runtime inside a range of major versions, since an older engine is surest on an older Java. */
export async function javaFor(range: readonly [number, number]): Promise<JavaRuntime | undefined> {
  const fitting = (await javaRuntimes()).filter(
    (java) => java.major >= range[0] && java.major <= range[1],
  )
  return fitting.sort((a, b) => a.major - b.major)[0]
}

/** Every runtime that an environment leads to, or that is installed in a usual place. */
export async function findJavaRuntimes(
  environment: NodeJS.ProcessEnv,
  usualPlaces: readonly string[] = [
    '/usr/lib/jvm',
    '/usr/java',
    '/opt/java',
    path.join(environment['HOME'] ?? '/', '.sdkman/candidates/java'),
    '/Library/Java/JavaVirtualMachines',
  ],
): Promise<JavaRuntime[]> {
  const runtimes = new Map<string, JavaRuntime>()
  for (const candidate of await candidates(environment, usualPlaces)) {
    const home = await homeOf(candidate)
    if (home === undefined || runtimes.has(home)) continue
    const major = await majorVersion(home)
    if (major !== undefined) runtimes.set(home, { home, major })
  }
  return [...runtimes.values()]
}

async function candidates(
  environment: NodeJS.ProcessEnv,
  usualPlaces: readonly string[],
): Promise<string[]> {
  const fromEnvironment = Object.entries(environment)
    .filter(([name]) => /^(JAVA_?\d+(_HOME)?|JAVA_HOME(_\d+.*)?|JDK_?\d*(_HOME)?)$/.test(name))
    .map(([, value]) => value ?? '')
  const fromPath = (environment['PATH'] ?? '').split(path.delimiter).filter((entry) => entry !== '')
  const installed = await Promise.all(usualPlaces.map(children))
  return [
    ...fromEnvironment,
    ...fromPath.map((entry) => path.join(entry, 'java')),
    ...installed.flat().flatMap((entry) => [entry, path.join(entry, 'Contents/Home')]),
  ].filter((candidate) => candidate !== '')
}

async function children(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort().map((name) => path.join(folder, name))
  } catch {
    return [] // a place that this system does not have
  }
}

/** A candidate is a home folder or the java command itself, either possibly a link. */
async function homeOf(candidate: string): Promise<string | undefined> {
  for (const command of [path.join(candidate, 'bin', 'java'), candidate]) {
    try {
      const real = await realpath(command)
      const isCommand = (await stat(real)).isFile() && path.basename(real) === 'java'
      if (isCommand) return path.dirname(path.dirname(real))
    } catch {
      continue // does not exist: the next candidate
    }
  }
  return undefined
}

async function majorVersion(home: string): Promise<number | undefined> {
  let text: string
  try {
    text = await readFile(path.join(home, 'release'), 'utf8')
  } catch {
    text = await askVersion(home)
  }
  const version = /(?:JAVA_VERSION=|version )"(?:1\.)?(\d+)/.exec(text)?.[1]
  return version === undefined ? undefined : Number(version)
}

async function askVersion(home: string): Promise<string> {
  try {
    return (await run(path.join(home, 'bin', 'java'), ['-version'], { timeout: 20_000 })).stderr
  } catch {
    return '' // a java that does not start, such as the placeholder of macOS
  }
}

/** One simple collector and one compiler tier: these engines live for minutes and share few cores. */
export function memoryFlags(heapMb: number): string[] {
  return [`-Xms${heapMb}m`, `-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
}
