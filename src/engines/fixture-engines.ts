/** The engines that only makers of fixtures start: each writes a format that no other row writes, or is the latest. */
import {
  elasticsearchBare,
  elasticsearchFull,
  jar,
  javaWithSecurityManager,
  majorOf,
  openSearchBare,
  slowModules,
  zip,
  type EngineRow,
  type MavenCoordinates,
} from './engine-row.ts'

/** What each is for is in docs/reference/support-matrix.md: formats of its own, or being the latest that can be had. */
export const fixtureEngines: readonly EngineRow[] = [
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
