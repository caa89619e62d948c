/** The configuration files of a version of Elasticsearch or OpenSearch. */
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { makeCertificates } from './certificates.ts'
import { majorOf, type EngineRow } from './engine-row.ts'
import type { LaunchOptions } from './launch.ts'

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

/** True where security is on unless it is switched off. */
export function isSecuredByDefault(row: EngineRow): boolean {
  return row.kind === 'elasticsearch' && majorOf(row.version) >= 8
}

/** Writes them below `config` of the engine's folder. */
export async function writeSearchConfig(options: LaunchOptions): Promise<void> {
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

/** What is in a folder; nothing where there is none. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
