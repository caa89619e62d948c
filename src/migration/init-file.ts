import { defaultConfigFile } from './config.ts'
import { passwordVariable } from './config-schema.ts'
import { optionTable } from './option-table.ts'

/** What `osmigrate init` knows already; the rest is an example to be edited. */
export interface InitValues {
  name?: string
  sourceUrl?: readonly string[]
  targetUrl?: readonly string[]
  repository?: string
}

/** The commented migration.yaml. It is a valid configuration as it stands. */
export function initFile(values: InitValues = {}): string {
  const source = urlText(values.sourceUrl ?? ['http://localhost:9200'])
  const target = urlText(values.targetUrl ?? ['http://localhost:9201'])
  return `# yaml-language-server: $schema=./migration.schema.json
# ${defaultConfigFile}: what is moved from where to where. Editors complete and check every key.
version: 1
name: ${values.name ?? 'migration'}    # names the state folder ./.osmigrate/NAME/

source:    # to make a snapshot, and to record writes
  url: ${source}    # or a list of nodes: [https://es-1:9200, https://es-2:9200]
  # Secrets stand in the environment or in files, never here:
  # auth: { username: migrator, password: env:${passwordVariable('source')} }   # or apiKey: env:…, bearer: file:…, sigv4: { region: … }
  # tls: { ca: file:./source-ca.pem }    # client certificate: cert: file:…, key: file:…

target:
  url: ${target}
  # auth: { username: migrator, password: env:${passwordVariable('target')} }
  # tls: { ca: file:./target-ca.pem }

# Which indices; the same for every step. * stands for any characters, exclude wins.
select: { include: ['*'], exclude: ['.*'] }

snapshot:
  repository: ${yamlText(values.repository ?? './snapshots')}    # a path, or file:///PATH
  # name: nightly-2026-11-20   # default: osmigrate-NAME

metadata:
  replicas: {}    # on the target, by pattern: { 'logs-*': 1 }; elsewhere as on the source

# transform: ./shop.ts    # changes documents and mappings on their way: docs/guides/transformations.md

backfill:
  verify: ${defaultText('backfill.verify')}         # full: read and check every file that is used, whole
  bulkBytesMax: 4mb
  deadLettersMax: ${defaultText('backfill.deadLettersMax')}    # per index; more refused documents than that stop the run
  speedUpTarget: ${defaultText('backfill.speedUpTarget')}    # true: refresh off and no replicas meanwhile; put back afterwards

# A proxy in front of the source that records every write: docs/guides/capture.md, osmigrate capture start
# capture:
#   listen: 0.0.0.0:9200
#   log: { dir: /data/capture, bytesMax: 200gb }
#   reads: 0.01    # share of searches that is kept for comparison
`
}

function urlText(urls: readonly string[]): string {
  return urls.length === 1 ? urls[0]! : `[${urls.join(', ')}]`
}

/** Plain where YAML reads it as just that text. */
function yamlText(text: string): string {
  return /^[\w./][\w./:@-]*$/.test(text) && !/: |:$/.test(text) ? text : JSON.stringify(text)
}

/** A default is written once: in the table of options. */
function defaultText(path: string): string {
  return String(optionTable().find((row) => row.path.join('.') === path)?.default)
}
