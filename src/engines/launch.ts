/** What a version needs to be started: its configuration files, and the command line of its JVM. */
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { majorOf, type EngineRow } from './catalogue.ts'
import { makeCertificates } from './certificates.ts'
import { patchFolder } from './java9-patch.ts'

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

const logging = `status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %marker%m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
`

/** The password hash is of \`admin\`: an engine here is for tests and demonstrations and listens on 127.0.0.1 only. */
const adminHash = '$2a$12$VcCDgh2NDk07JGN0rjGbM.Ad41qVR/YFJcgHp0UGns5JDymv..TOG'

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

function isSecuredByDefault(row: EngineRow): boolean {
  return row.kind === 'elasticsearch' && majorOf(row.version) >= 8
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

async function writeSearchConfig(options: LaunchOptions): Promise<void> {
  const { row, dir } = options
  const config = path.join(dir, 'config')
  await writeFile(path.join(config, 'log4j2.properties'), logging)
  await writeFile(path.join(config, 'jvm.options'), `-Djava.io.tmpdir=${dir}/tmp\n`)
  if (row.kind === 'elasticsearch' && majorOf(row.version) <= 2) {
    await writeFile(path.join(config, 'logging.yml'), oldLogging)
  }
  if (options.security) await writeSecurity(options, config)
  const settings = { ...(await searchSettings(options)), ...options.settings }
  const lines = Object.entries(settings).map(([name, value]) => `${name}: ${value}\n`)
  await writeFile(path.join(config, `${row.kind}.yml`), lines.join(''))
}

const oldLogging = `rootLogger: INFO, console
appender:
  console:
    type: console
    layout:
      type: consolePattern
      conversionPattern: "[%d{ISO8601}][%-5p][%c] %m%n"
`

async function searchSettings(options: LaunchOptions): Promise<Record<string, string>> {
  const { row, dir } = options
  const isElasticsearch = row.kind === 'elasticsearch'
  const major = majorOf(row.version)
  const isOld = isElasticsearch && major <= 2
  const modules = await namesIn(path.join(options.home, 'modules'))
  const remote = row.kind === 'opensearch' && major >= 3 ? 'allowlist' : 'whitelist'
  const transport = isElasticsearch && major <= 6 ? 'transport.tcp.port' : 'transport.port'
  return {
    'cluster.name': `${row.kind}-${options.row.version}`,
    'node.name': 'n1',
    'network.host': '127.0.0.1',
    'http.port': String(options.port),
    [transport]: String(options.transportPort),
    'path.data': `${dir}/data`,
    'path.logs': `${dir}/logs`,
    'path.repo': `["${dir}/snap"]`,
    ...(isOld
      ? { 'discovery.zen.ping.multicast.enabled': 'false' }
      : {
          ...(isElasticsearch && /^5\.[0-2]\./.test(row.version)
            ? { 'discovery.zen.ping.unicast.hosts': '[]' }
            : { 'discovery.type': 'single-node' }),
          // A full disk of the machine must not turn indices read-only.
          'cluster.routing.allocation.disk.threshold_enabled': 'false',
        }),
    // It cannot free mapped files on this Java.
    ...(isElasticsearch && row.version.startsWith('2.0.') ? { 'index.store.type': 'niofs' } : {}),
    ...(modules.includes('reindex') && !isOld
      ? { [`reindex.remote.${remote}`]: '["127.0.0.1:*", "localhost:*"]' }
      : {}),
    ...(options.security ? securitySettings(row) : {}),
    ...(isSecuredByDefault(row) && !options.security ? { 'xpack.security.enabled': 'false' } : {}),
  }
}

function securitySettings(row: EngineRow): Record<string, string> {
  const settings: Record<string, string> = {}
  for (const layer of ['transport', 'http']) {
    if (row.securityInside === true) {
      settings[`xpack.security.${layer}.ssl.enabled`] = 'true'
      settings[`xpack.security.${layer}.ssl.key`] = 'certs/node-key.pem'
      settings[`xpack.security.${layer}.ssl.certificate`] = 'certs/node.pem'
      settings[`xpack.security.${layer}.ssl.certificate_authorities`] = '["certs/ca.pem"]'
    } else {
      settings[`plugins.security.ssl.${layer}.pemcert_filepath`] = 'certs/node.pem'
      settings[`plugins.security.ssl.${layer}.pemkey_filepath`] = 'certs/node-key.pem'
      settings[`plugins.security.ssl.${layer}.pemtrustedcas_filepath`] = 'certs/ca.pem'
    }
  }
  if (row.securityInside === true) {
    return {
      ...settings,
      'xpack.security.enabled': 'true',
      ...(isSecuredByDefault(row) ? { 'xpack.security.autoconfiguration.enabled': 'false' } : {}),
      'xpack.security.authc.realms.file.file1.order': '0',
    }
  }
  return {
    ...settings,
    'plugins.security.ssl.http.enabled': 'true',
    'plugins.security.ssl.http.clientauth_mode': 'OPTIONAL',
    'plugins.security.ssl.transport.enforce_hostname_verification': 'false',
    'plugins.security.nodes_dn': '["CN=node1"]',
    'plugins.security.authcz.admin_dn': '["CN=admin-cert"]',
    'plugins.security.allow_default_init_securityindex': 'true',
    'plugins.security.restapi.roles_enabled': '["all_access", "security_rest_api_access"]',
    'plugins.security.audit.type': 'noop',
    'reindex.ssl.certificate_authorities': '["certs/ca.pem"]',
  }
}

/** Basic authentication, and client certificates, whose common name is the user's. */
const openSearchAuthentication = `_meta: { type: config, config_version: 2 }
config:
  dynamic:
    http: { anonymous_auth_enabled: false, xff: { enabled: false } }
    authc:
      clientcert_auth_domain:
        http_enabled: true
        transport_enabled: false
        order: 0
        http_authenticator: { type: clientcert, config: { username_attribute: cn }, challenge: false }
        authentication_backend: { type: noop }
      basic_internal_auth_domain:
        http_enabled: true
        transport_enabled: true
        order: 1
        http_authenticator: { type: basic, challenge: true }
        authentication_backend: { type: intern }
`
const openSearchRoles = `_meta: { type: rolesmapping, config_version: 2 }
all_access: { reserved: false, backend_roles: [admin], users: [migrator] }
`
const openSearchUsers = `_meta: { type: internalusers, config_version: 2 }
admin: { hash: '${adminHash}', reserved: true, backend_roles: [admin] }
`

async function writeSecurity(options: LaunchOptions, config: string): Promise<void> {
  const certificates = path.join(config, 'certs')
  const present = await namesIn(certificates)
  if (!present.includes('client.pem')) await makeCertificates(certificates)
  if (options.row.securityInside === true) {
    await writeFile(path.join(config, 'users'), `admin:${adminHash}\n`)
    await writeFile(path.join(config, 'users_roles'), 'superuser:admin\n')
    return
  }
  const folder = path.join(config, 'opensearch-security')
  const shipped = path.join(options.home, 'plugins/opensearch-security/config')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder)
  for (const name of await readdir(shipped)) {
    await copyFile(path.join(shipped, name), path.join(folder, name))
  }
  await writeFile(path.join(folder, 'config.yml'), openSearchAuthentication)
  await writeFile(path.join(folder, 'roles_mapping.yml'), openSearchRoles)
  await writeFile(path.join(folder, 'internal_users.yml'), openSearchUsers)
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

/** One simple collector and one compiler tier: these engines live for minutes and share few cores. */
function memoryFlags(heapMb: number): string[] {
  return [`-Xms${heapMb}m`, `-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
}

function kafkaProperties({ port, transportPort, dir, settings }: LaunchOptions): string {
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${transportPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${transportPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': `${dir}/data`,
    'num.partitions': '1',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    ...settings,
  }
  return propertiesText(properties)
}

function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

/** The only key that the S3 service knows; it listens on 127.0.0.1 only. */
export const s3Credentials = { accessKeyId: 'test-access-key', secretAccessKey: 'test-secret-key' }

/**
 * Objects are plain files DIR/BUCKET/KEY, and files that others put there are served too: with the folder of another
 * engine as `jclouds.filesystem.basedir`, its repositories are bucket `snap`.
 */
function s3Properties({ port, dir, settings }: LaunchOptions): string {
  return propertiesText({
    's3proxy.endpoint': `http://127.0.0.1:${port}`,
    's3proxy.authorization': 'aws-v2-or-v4',
    's3proxy.identity': s3Credentials.accessKeyId,
    's3proxy.credential': s3Credentials.secretAccessKey,
    'jclouds.provider': 'filesystem-nio2',
    'jclouds.identity': 'local',
    'jclouds.credential': 'local',
    'jclouds.filesystem.basedir': `${dir}/data`,
    ...settings,
  })
}

function s3Arguments({ heapMb, dir, home }: LaunchOptions): string[] {
  const main = 'org.gaul.s3proxy.Main'
  const properties = path.join(dir, 'config/s3proxy.conf')
  const temporary = `-Djava.io.tmpdir=${dir}/tmp`
  return [
    ...memoryFlags(heapMb),
    temporary,
    '-cp',
    `${home}/lib/*`,
    main,
    '--properties',
    properties,
  ]
}

/** Arguments of one of Kafka's main classes, working on the configuration that prepareLaunch wrote. */
export function kafkaArguments(
  options: LaunchOptions,
  main: string,
  ...before: string[]
): string[] {
  return [
    ...memoryFlags(options.heapMb),
    `-Djava.io.tmpdir=${options.dir}/tmp`,
    '-cp',
    `${options.home}/lib/*`,
    main,
    ...before,
    path.join(options.dir, 'config/server.properties'),
  ]
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
