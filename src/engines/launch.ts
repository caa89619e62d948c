/** What a version needs to be started: its configuration files, and the command line of its JVM. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { majorOf, type EngineRow } from './engine-row.ts'
import { memoryFlags } from './java.ts'
import { patchFolder } from './java9-patch.ts'
import { isSecuredByDefault, namesIn, writeSearchConfig } from './search-config.ts'
import { kafkaArguments, kafkaProperties, s3Arguments, s3Properties } from './services.ts'

export interface LaunchOptions {
  readonly row: EngineRow
  readonly home: string
  /** The engine's own folder: config, data, logs, snap (`path.repo`) and tmp. */
  readonly dir: string
  readonly javaHome: string
  /** 0: the engine takes a free one and says which in its log (not Kafka). */
  readonly port: number
  /** 0: as `port`. Kafka's controller listens there. */
  readonly transportPort: number
  readonly heapMb: number
  readonly security: boolean
  readonly settings: Readonly<Record<string, string>>
}

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** Writes the configuration below `dir` and gives the command that starts the server. */
export async function prepareLaunch(options: LaunchOptions): Promise<Launch> {
  const { dir, row } = options
  for (const name of ['config', 'data', 'logs', 'snap', 'tmp']) {
    await mkdir(path.join(dir, name), { recursive: true })
  }
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: dir,
    LIBFFI_TMPDIR: path.join(dir, 'tmp'),
    // Some versions put names of indices into names of files.
    LC_ALL: 'C.UTF-8',
  }
  const command = path.join(options.javaHome, 'bin', 'java')
  if (row.kind === 'kafka') {
    await writeFile(path.join(dir, 'config/server.properties'), kafkaProperties(options))
    return { command, args: kafkaArguments(options, 'kafka.Kafka'), cwd: dir, env }
  }
  if (row.kind === 's3') {
    await writeFile(path.join(dir, 'config/s3proxy.conf'), s3Properties(options))
    return { command, args: s3Arguments(options), cwd: dir, env }
  }
  await writeSearchConfig(options)
  if (hasLauncher(row)) return elasticsearch8Launch(options, { command, env })
  return { command, args: await searchArguments(options), cwd: dir, env }
}

/** Since 8.4 the server reads its arguments from a small process before it, which puts them together and ends it. */
function hasLauncher(row: EngineRow): boolean {
  return isSecuredByDefault(row) && !/^8\.[0-3]\./.test(row.version)
}

function elasticsearch8Launch(
  { home, dir, heapMb }: LaunchOptions,
  { command, env }: Pick<Launch, 'command' | 'env'>,
): Launch {
  const args = [
    '-Xms4m',
    '-Xmx64m',
    '-XX:+UseSerialGC',
    '-Dcli.name=server',
    `-Dcli.script=${home}/bin/elasticsearch`,
    '-Dcli.libs=lib/tools/server-cli',
    `-Des.path.home=${home}`,
    `-Des.path.conf=${dir}/config`,
    '-Des.distribution.type=zip',
    '-cp',
    `${home}/lib/*:${home}/lib/cli-launcher/*`,
    'org.elasticsearch.launcher.CliToolLauncher',
  ]
  const tmp = path.join(dir, 'tmp')
  const more = { ES_JAVA_OPTS: memoryFlags(heapMb).join(' '), ES_TMPDIR: tmp }
  // It looks for its libraries below the folder that it runs in.
  return { command, args, cwd: home, env: { ...env, ...more } }
}

/**
 * The server's main class is called directly: the start scripts of older versions pass flags (CMS, GC logs)
 * that newer Java refuses.
 */
async function searchArguments(options: LaunchOptions): Promise<string[]> {
  const { row, home, dir } = options
  const major = majorOf(row.version)
  const prefix = row.kind === 'opensearch' ? 'opensearch' : 'es'
  const config = path.join(dir, 'config')
  const args = [
    ...memoryFlags(options.heapMb),
    '-Xss1m',
    '-XX:-UsePerfData',
    '-Djava.awt.headless=true',
    '-Dfile.encoding=UTF-8',
    '-Djna.nosys=true',
    `-Djna.tmpdir=${dir}/tmp`,
    `-Djava.io.tmpdir=${dir}/tmp`,
    '-Dio.netty.noUnsafe=true',
    '-Dio.netty.noKeySetOptimization=true',
    '-Dio.netty.allocator.numDirectArenas=0',
    '-Dlog4j.shutdownHookEnabled=false',
    '-Dlog4j2.disable.jmx=true',
    `-D${prefix}.path.home=${home}`,
    `-D${prefix}.distribution.type=zip`,
    `-D${prefix}.bundled_jdk=false`,
  ]
  if (row.java[1] < 24) args.push('-Djava.security.manager=allow')
  const isElasticsearch5 = row.kind === 'elasticsearch' && major === 5
  if (!isElasticsearch5) args.push(`-D${prefix}.path.conf=${config}`)
  if (row.kind === 'elasticsearch') args.push('-Des.distribution.flavor=oss')
  if (row.kind === 'opensearch' && major >= 3) {
    // The agent stands in for the security manager; without it the server does not start.
    args.push(`-javaagent:${home}/agent/opensearch-agent.jar`)
    const modules = await namesIn(path.join(options.javaHome, 'jmods'))
    if (modules.length === 0 || modules.includes('jdk.incubator.vector.jmod')) {
      args.push('--add-modules=jdk.incubator.vector')
    }
  }
  const main =
    row.kind === 'opensearch'
      ? 'org.opensearch.bootstrap.OpenSearch'
      : 'org.elasticsearch.bootstrap.Elasticsearch'
  args.push('-cp', classPath(options), main)
  if (row.kind === 'elasticsearch' && major === 1) args.splice(-3, 0, '-Des.foreground=yes')
  if (isElasticsearch5) {
    // What 5.0 frees mapped files by; later ones know another way.
    const opened = ['java.nio', 'jdk.internal.ref'].map((name) => `java.base/${name}=ALL-UNNAMED`)
    args.unshift(...opened.map((name) => `--add-opens=${name}`))
    args.push(`-Epath.conf=${config}`)
  }
  if (row.kind === 'elasticsearch' && major === 2) args.push('start')
  return args
}

/** Elasticsearch 1.x puts classes of its own in the place of some of Lucene's, so its jar goes first. */
function classPath({ row, home }: LaunchOptions): string {
  const all = `${home}/lib/*`
  if (row.beforeJava9 !== true || majorOf(row.version) >= 2) return all
  return [`${home}/${patchFolder}`, `${home}/lib/elasticsearch-${row.version}.jar`, all].join(':')
}
