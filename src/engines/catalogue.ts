/**
 * The engines that can be had, one row a version. A new version is a new row: where its archive is in the
 * Maven repository, which Java runs it, and which modules the archive lacks.
 *
 * The archives of kind `integ-test-zip` hold the server with the network module only; the other modules are
 * published as single jars (`x-client` of the vendor, or the codelibs rebuilds) and are put in place by
 * modules.ts.
 */
import {
  elasticsearchBare,
  elasticsearchFull,
  jar,
  javaWithSecurityManager,
  openSearchBare,
  slowModules,
  zip,
  type EngineKind,
  type EngineModule,
  type EngineRow,
} from './engine-row.ts'
import { fixtureEngines } from './fixture-engines.ts'

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

const slf4j = jar('org.slf4j', 'slf4j-simple', '1.7.36')

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

export const engineCatalogue: readonly EngineRow[] = [
  ...engines,
  ...fixtureEngines.map((row) => ({ ...row, forFixtures: true })),
]

/**
 * The row of a version such as `7.10.2`, of a short name such as `7`, or of the beginning of a version such as `7.10`
 * (engines that are for everybody before those of fixtures); undefined if there is none.
 */
export function findEngine(
  kind: EngineKind,
  version: string,
  security = false,
): EngineRow | undefined {
  const rows = engineCatalogue.filter((row) => row.kind === kind)
  const wanted = security ? 'secured' : 'plain'
  const begun = rows.filter((row) => version !== '' && row.version.startsWith(`${version}.`))
  return (
    rows.find((row) => row.version === version) ??
    begun.find((row) => row.short === wanted || row.short === 'both') ??
    (version.includes('.') ? begun[0] : undefined)
  )
}
