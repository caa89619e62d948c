/**
 * Puts modules into homes whose archive lacks them. A module is a folder with the jars, a descriptor and,
 * where it needs more rights than the server gives, a security policy.
 */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { MigrationError } from '../base/errors.ts'
import type { EngineModule, EngineRow, MavenCoordinates } from './engine-row.ts'
import { copyArtifact, copyDependencies, jarsOf } from './maven.ts'
import { ZipArchive } from './zip.ts'

const network =
  'permission java.net.SocketPermission "*", "connect"; permission java.net.NetPermission "getProxySelector";'
const serving =
  'permission java.net.SocketPermission "*", "accept,connect"; permission java.io.FilePermission "/proc/sys/net/core/somaxconn", "read"; ' +
  'permission java.lang.RuntimePermission "*", "setContextClassLoader"; permission java.lang.RuntimePermission "getClassLoader"; ' +
  'permission java.util.PropertyPermission "sun.nio.ch.bugLevel", "write";'
const policies: Readonly<Record<string, string>> = {
  reindex: network,
  'transport-netty4': serving,
  'repository-url': network,
  'repository-s3': network,
  'lang-painless':
    'permission java.lang.RuntimePermission "createClassLoader"; permission java.lang.RuntimePermission "getClassLoader";',
  'lang-mustache': 'permission java.lang.RuntimePermission "accessDeclaredMembers";',
}

/** Both register script contexts with painless and are loaded after it. */
const extendsPainless = new Set(['analysis-common', 'ingest-common'])

/** Downloads the row's modules and writes them below `<home>/modules`. */
export async function addModules(
  row: EngineRow,
  home: string,
  work: string,
  signal?: AbortSignal,
): Promise<void> {
  if (row.modules.length === 0) return
  await copyDependencies(
    row.modules.map(({ name, coordinates }) => ({ name, coordinates: [coordinates] })),
    work,
    signal,
  )
  const shared = new Set((await readdir(path.join(home, 'lib'))).map(unversioned))
  for (const module of row.modules) {
    await addModule(module, { row, home, work, shared })
  }
}

async function addModule(
  module: EngineModule,
  into: { row: EngineRow; home: string; work: string; shared: ReadonlySet<string> },
): Promise<void> {
  const folder = path.join(into.home, 'modules', module.name)
  await mkdir(folder, { recursive: true })
  const { artifact, version } = module.coordinates
  let className: string | undefined
  for (const jar of await jarsOf(into.work, module.name)) {
    const name = path.basename(jar)
    if (name === `${artifact}-${version}.jar`) className = await pluginClass(jar)
    // A class that lib/ holds too is "jar hell" to the server, which then refuses to start.
    const inLib = [unversioned(name), `elasticsearch-${unversioned(name)}`]
    if (inLib.some((candidate) => into.shared.has(candidate))) continue
    await copyFile(jar, path.join(folder, name))
  }
  if (className === undefined) {
    const message = `module ${module.name} of ${into.row.kind} ${into.row.version} has no plugin class in ${artifact}-${version}.jar`
    throw new MigrationError('MA_ENGINE', message)
  }
  const { kind, version: engineVersion } = into.row
  const descriptor = [
    `name=${module.name}`,
    `description=${module.name}`,
    `version=${engineVersion}`,
    `${kind}.version=${engineVersion}`,
    `classname=${className}`,
    'java.version=1.8',
    `extended.plugins=${extendsPainless.has(module.name) ? 'lang-painless' : ''}`,
    'has.native.controller=false',
  ]
  await writeFile(path.join(folder, 'plugin-descriptor.properties'), descriptor.join('\n') + '\n')
  const policy = policies[module.name]
  if (policy !== undefined) {
    await writeFile(path.join(folder, 'plugin-security.policy'), `grant { ${policy} };\n`)
  }
}

/** Each module's jar has exactly one class with a name that ends so. */
async function pluginClass(jar: string): Promise<string | undefined> {
  const archive = await ZipArchive.open(jar)
  try {
    const entry = archive.entries.find(({ name }) => /^org\/[^$]*Plugin\.class$/.test(name))
    return entry?.name.replace(/\.class$/, '').replaceAll('/', '.')
  } finally {
    await archive.close()
  }
}

/** `lucene-core-8.7.0.jar` → `lucene-core`, `log4j-1.2-api-2.11.1.jar` → `log4j-1.2-api` */
function unversioned(jar: string): string {
  return jar.replace(/\.jar$/, '').replace(/-\d(?!.*-\d).*$/, '')
}

/** Adds single jars to modules. */
export async function addExtraJars(
  extra: readonly { module: string; jar: MavenCoordinates }[],
  home: string,
  signal?: AbortSignal,
): Promise<void> {
  for (const { module, jar } of extra) {
    await copyArtifact(jar, path.join(home, 'modules', module), signal)
  }
}

/** Takes a module from the archive of another version and has it say that it is of this one. */
export async function borrowModule(
  module: { name: string; from: MavenCoordinates },
  into: { home: string; work: string; version: string },
  signal?: AbortSignal,
): Promise<void> {
  const archive = await ZipArchive.open(await copyArtifact(module.from, into.work, signal))
  try {
    const marker = `/modules/${module.name}/`
    const folder = path.join(into.home, 'modules', module.name)
    const nameOf = (name: string) => name.slice(name.indexOf(marker) + marker.length)
    await archive.extract(
      folder,
      (name) => (name.includes(marker) ? nameOf(name) : undefined),
      signal,
    )
    const descriptor = archive.entries.find(({ name }) =>
      name.endsWith(`${marker}plugin-descriptor.properties`),
    )
    if (descriptor === undefined) {
      throw new MigrationError('MA_ENGINE', `${archive.path} holds no module ${module.name}`)
    }
    const text = (await archive.read(descriptor)).toString()
    await writeFile(
      path.join(folder, 'plugin-descriptor.properties'),
      text.replaceAll(module.from.version, into.version),
    )
  } finally {
    await archive.close()
  }
}
