/**
 * The engines that can be had, one row a version. A new version is a new row: where its archive is in the
 * Maven repository, which Java runs it, and which modules the archive lacks.
 *
 * The archives of kind `integ-test-zip` hold the server with the network module only; the other modules are
 * published as single jars (`x-client` of the vendor, or the codelibs rebuilds) and are put in place by
 * modules.ts.
 */

/** `s3` is s3proxy, which serves a folder as an S3 service. */
export type EngineKind = 'elasticsearch' | 'opensearch' | 'kafka' | 's3'

export interface MavenCoordinates {
  readonly group: string
  readonly artifact: string
  readonly version: string
  /** File type, `jar` unless said. */
  readonly type?: string
  readonly classifier?: string
}

export interface EngineModule {
  readonly name: string
  readonly coordinates: MavenCoordinates
}

export interface EnginePlugin extends EngineModule {
  /** Jars that it needs beside its own. */
  readonly jars?: readonly MavenCoordinates[]
}

export interface EngineRow {
  readonly kind: EngineKind
  readonly version: string
  /** `7` means this row, without and with security. */
  readonly short?: 'plain' | 'secured' | 'both'
  /** Major versions of Java that run it, both ends included. */
  readonly java: readonly [number, number]
  /** The archive. A jar is resolved with its dependencies, save for s3proxy's, which holds them all. */
  readonly archive: MavenCoordinates
  /** Jars beside those: dependencies that the jar of the archive only calls optional. */
  readonly besideArchive?: readonly MavenCoordinates[]
  readonly modules: readonly EngineModule[]
  /** Modules of the archive that are of no use here and slow the start down. */
  readonly withoutModules?: readonly string[]
  /** A module that only the archive of another version holds. */
  readonly borrowedModule?: { readonly name: string; readonly from: MavenCoordinates }
  /** Jars that a module needs in addition. */
  readonly extraJars?: readonly { readonly module: string; readonly jar: MavenCoordinates }[]
  /** Plugins that the engine can be started with, each by itself. */
  readonly plugins?: readonly EnginePlugin[]
  /** The security plugin, for engines that can be started with `security`. */
  readonly security?: MavenCoordinates
  /** True where the archive's own module brings TLS and users (Elasticsearch from 7.17 on). */
  readonly securityInside?: boolean
  /** True for engines that need java9-patch.ts. */
  readonly beforeJava9?: boolean
  /** True for engines that only makers of fixtures start: each writes a format that no other row writes. */
  readonly forFixtures?: boolean
}

function jar(group: string, artifact: string, version: string): MavenCoordinates {
  return { group, artifact, version }
}

function zip(group: string, artifact: string, version: string): MavenCoordinates {
  return { group, artifact, version, type: 'zip' }
}

const clientModules = [
  'reindex',
  'lang-mustache',
  'parent-join',
  'percolator',
  'rank-eval',
  'aggs-matrix-stats',
]

function elasticsearchModules(version: string, rebuilt: string | undefined): EngineModule[] {
  const named = rebuilt === undefined ? [...clientModules, 'mapper-extras'] : clientModules
  const own = named.map((name) => ({
    name,
    coordinates: jar('org.elasticsearch.plugin', `${name}-client`, version),
  }))
  if (rebuilt === undefined) return own
  const others = [
    'analysis-common',
    'lang-painless',
    'ingest-common',
    'repository-url',
    'mapper-extras',
  ]
  return own.concat(
    others.map((name) => ({
      name,
      coordinates: jar('org.codelibs.elasticsearch.module', name, rebuilt),
    })),
  )
}

function openSearchModules(
  version: string,
  options: { others?: string; geo: boolean },
): EngineModule[] {
  const others = ['analysis-common', 'lang-painless', 'ingest-common', 'repository-url']
  if (options.geo) others.push('geo')
  return [
    ...[...clientModules, 'mapper-extras'].map((name) => ({
      name,
      coordinates: jar('org.opensearch.plugin', `${name}-client`, version),
    })),
    ...others.map((name) => ({
      name,
      coordinates: jar('org.opensearch.plugin', name, options.others ?? version),
    })),
  ]
}

const elasticsearchFull = 'org.elasticsearch.distribution.zip'
const elasticsearchBare = 'org.elasticsearch.distribution.integ-test-zip'
const openSearchBare = 'org.opensearch.distribution.integ-test-zip'

const slf4j = jar('org.slf4j', 'slf4j-simple', '1.7.36')

/** Of OpenSearch 3, whose archive holds all modules. */
const slowModules = [
  'ingest-geoip',
  'opensearch-dashboards',
  'store-subdirectory',
  'transport-grpc',
  'rule-framework',
]

/** Security managers, which these versions install, ended with Java 24. */
const javaWithSecurityManager = [17, 23] as const

const engines: readonly EngineRow[] = [
  {
    kind: 'elasticsearch',
    version: '1.7.5',
    short: 'plain',
    java: javaWithSecurityManager,
    archive: zip('org.elasticsearch', 'elasticsearch', '1.7.5'),
    modules: [],
    beforeJava9: true,
  },
  {
    kind: 'elasticsearch',
    version: '2.4.6',
    short: 'plain',
    java: javaWithSecurityManager,
    archive: zip(elasticsearchFull, 'elasticsearch', '2.4.6'),
    modules: [],
    plugins: [
      {
        name: 'cloud-aws',
        coordinates: zip('org.elasticsearch.plugin', 'cloud-aws', '2.4.6'),
        // Java had this package itself until 11.
        jars: [jar('javax.xml.bind', 'jaxb-api', '2.3.1')],
      },
    ],
  },
  {
    kind: 'elasticsearch',
    version: '5.6.16',
    short: 'plain',
    java: javaWithSecurityManager,
    archive: zip(elasticsearchFull, 'elasticsearch', '5.6.16'),
    modules: [],
  },
  {
    kind: 'elasticsearch',
    version: '6.2.4',
    java: javaWithSecurityManager,
    archive: zip(elasticsearchFull, 'elasticsearch', '6.2.4'),
    modules: [],
  },
  {
    kind: 'elasticsearch',
    version: '6.8.23',
    short: 'plain',
    java: javaWithSecurityManager,
    archive: zip(elasticsearchBare, 'elasticsearch', '6.8.23'),
    // The rebuild of 6.8.2 loads in 6.8.23, save for reindex, which is taken from the vendor.
    modules: elasticsearchModules('6.8.23', '6.8.2'),
  },
  {
    kind: 'elasticsearch',
    version: '7.10.2',
    short: 'plain',
    java: javaWithSecurityManager,
    archive: zip(elasticsearchBare, 'elasticsearch', '7.10.2'),
    modules: elasticsearchModules('7.10.2', '7.10.2'),
  },
  {
    kind: 'elasticsearch',
    version: '7.17.28',
    short: 'secured',
    java: javaWithSecurityManager,
    archive: zip(elasticsearchBare, 'elasticsearch', '7.17.28'),
    modules: elasticsearchModules('7.17.28', undefined),
    securityInside: true,
  },
  {
    kind: 'elasticsearch',
    version: '8.19.0',
    short: 'both',
    java: javaWithSecurityManager,
    archive: zip(elasticsearchBare, 'elasticsearch', '8.19.0'),
    // None of the other modules can be had for 8 and 9.
    modules: [],
    securityInside: true,
  },
  {
    kind: 'elasticsearch',
    version: '9.2.0',
    short: 'both',
    java: [21, 26],
    archive: zip(elasticsearchBare, 'elasticsearch', '9.2.0'),
    modules: [],
    securityInside: true,
  },
  {
    kind: 'opensearch',
    version: '1.3.20',
    short: 'plain',
    java: javaWithSecurityManager,
    archive: zip(openSearchBare, 'opensearch', '1.3.20'),
    // These four modules are published up to 1.3.13 only, and that one loads in 1.3.20.
    modules: openSearchModules('1.3.20', { others: '1.3.13', geo: false }),
  },
  {
    kind: 'opensearch',
    version: '2.19.4',
    short: 'both',
    java: javaWithSecurityManager,
    archive: zip(openSearchBare, 'opensearch', '2.19.4'),
    modules: openSearchModules('2.19.4', { geo: true }),
    security: zip('org.opensearch.plugin', 'opensearch-security', '2.19.4.0'),
  },
  {
    kind: 'opensearch',
    version: '3.4.0',
    short: 'secured',
    java: [21, 26],
    archive: zip(openSearchBare, 'opensearch', '3.4.0'),
    modules: openSearchModules('3.4.0', { geo: true }),
    borrowedModule: {
      name: 'rule-framework',
      from: zip(openSearchBare, 'opensearch', '3.6.0'),
    },
    extraJars: [
      { module: 'reindex', jar: jar('org.bouncycastle', 'bc-fips', '2.1.2') },
      { module: 'reindex', jar: jar('org.bouncycastle', 'bctls-fips', '2.1.20') },
      { module: 'reindex', jar: jar('org.bouncycastle', 'bcutil-fips', '2.1.4') },
    ],
    security: zip('org.opensearch.plugin', 'opensearch-security', '3.4.0.0'),
  },
  {
    kind: 'opensearch',
    version: '3.6.0',
    short: 'plain',
    java: [21, 26],
    archive: zip(openSearchBare, 'opensearch', '3.6.0'),
    modules: [],
    plugins: [
      {
        name: 'repository-s3',
        coordinates: jar('org.opensearch.plugin', 'repository-s3', '3.6.0'),
      },
    ],
    withoutModules: slowModules,
  },
  {
    kind: 'opensearch',
    // For vectors. k-NN extends transport-grpc; without its native libraries only its engine lucene writes documents.
    version: '3.6.0-knn',
    java: [21, 26],
    archive: zip(openSearchBare, 'opensearch', '3.6.0'),
    modules: [],
    plugins: [
      {
        name: 'opensearch-knn',
        coordinates: zip('org.opensearch.plugin', 'opensearch-knn', '3.6.0.0'),
      },
    ],
    withoutModules: slowModules.filter((name) => name !== 'transport-grpc'),
  },
  {
    kind: 'kafka',
    version: '3.9.0',
    short: 'plain',
    java: [17, 26],
    archive: jar('org.apache.kafka', 'kafka_2.13', '3.9.0'),
    besideArchive: [slf4j],
    modules: [],
  },
  {
    kind: 'kafka',
    version: '4.1.0',
    short: 'plain',
    java: [17, 26],
    archive: jar('org.apache.kafka', 'kafka_2.13', '4.1.0'),
    besideArchive: [slf4j],
    modules: [],
  },
  {
    kind: 's3',
    version: '4.1.0',
    short: 'plain',
    java: [17, 26],
    archive: { ...jar('org.gaul', 's3proxy', '4.1.0'), classifier: 'jar-with-dependencies' },
    modules: [],
  },
]

/** Without the modules that its archive lacks. */
function elasticsearchAlone(version: string, archive: MavenCoordinates): EngineRow {
  const patched = majorOf(version) < 2 && { beforeJava9: true }
  const java = javaWithSecurityManager
  return { kind: 'elasticsearch', version, java, archive, modules: [], ...patched }
}

/** The server alone, put together from its jars: of 2.0 to 2.9 no archive is published. */
function openSearchFromJars(version: string): EngineRow {
  const network = jar('org.opensearch.plugin', 'transport-netty4-client', version)
  return {
    kind: 'opensearch',
    version,
    java: javaWithSecurityManager,
    archive: jar('org.opensearch', 'opensearch', version),
    besideArchive: [
      jar('org.apache.logging.log4j', 'log4j-core', '2.17.1'),
      jar('org.opensearch', 'opensearch-plugin-classloader', version),
    ],
    modules: [{ name: 'transport-netty4', coordinates: network }],
  }
}

/** Of 2.0 and 2.1 no archive is published. */
function elasticsearch2FromJars(version: string): EngineRow {
  return {
    ...elasticsearchAlone(version, jar('org.elasticsearch', 'elasticsearch', version)),
    besideArchive: [jar('log4j', 'log4j', '1.2.17'), jar('net.java.dev.jna', 'jna', '4.1.0')],
  }
}

/** What each is for is in docs/reference/support-matrix.md: formats of its own, or being the latest that can be had. */
const fixtureEngines: readonly EngineRow[] = [
  elasticsearchAlone('1.3.9', zip('org.elasticsearch', 'elasticsearch', '1.3.9')),
  { ...elasticsearch2FromJars('2.0.2'), beforeJava9: true },
  elasticsearch2FromJars('2.1.2'),
  ...['5.0.2', '6.1.4'].map((version) =>
    elasticsearchAlone(version, zip(elasticsearchFull, 'elasticsearch', version)),
  ),
  ...['6.4.3', '7.6.2', '7.7.1', '8.0.1', '8.18.0', '8.19.9'].map((version) =>
    elasticsearchAlone(version, zip(elasticsearchBare, 'elasticsearch', version)),
  ),
  {
    ...elasticsearchAlone('9.2.4', zip(elasticsearchBare, 'elasticsearch', '9.2.4')),
    java: [21, 26],
  },
  openSearchFromJars('2.9.0'),
  {
    kind: 'opensearch',
    version: '2.19.5',
    java: javaWithSecurityManager,
    archive: zip(openSearchBare, 'opensearch', '2.19.5'),
    modules: [],
  },
  {
    kind: 'opensearch',
    version: '3.7.0',
    java: [21, 26],
    archive: zip(openSearchBare, 'opensearch', '3.7.0'),
    modules: [],
    withoutModules: slowModules,
  },
]

export const engineCatalogue: readonly EngineRow[] = [
  ...engines,
  ...fixtureEngines.map((row) => ({ ...row, forFixtures: true })),
]

/** The row of a version such as `7.10.2`, or of a short name such as `7`; undefined if there is none. */
export function findEngine(
  kind: EngineKind,
  version: string,
  security = false,
): EngineRow | undefined {
  const rows = engineCatalogue.filter((row) => row.kind === kind)
  const wanted = security ? 'secured' : 'plain'
  return (
    rows.find((row) => row.version === version) ??
    rows.find(
      (row) =>
        majorOf(row.version) === Number(version) && (row.short === wanted || row.short === 'both'),
    )
  )
}

/** The first number of a version. */
export function majorOf(version: string): number {
  return Number.parseInt(version, 10)
}
