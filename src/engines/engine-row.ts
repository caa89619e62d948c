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

/** A jar of the Maven repository. */
export function jar(group: string, artifact: string, version: string): MavenCoordinates {
  return { group, artifact, version }
}

/** An archive of the Maven repository. */
export function zip(group: string, artifact: string, version: string): MavenCoordinates {
  return { group, artifact, version, type: 'zip' }
}

/** The first number of a version. */
export function majorOf(version: string): number {
  return Number.parseInt(version, 10)
}

export const elasticsearchFull = 'org.elasticsearch.distribution.zip'
export const elasticsearchBare = 'org.elasticsearch.distribution.integ-test-zip'
export const openSearchBare = 'org.opensearch.distribution.integ-test-zip'

/** Of OpenSearch 3, whose archive holds all modules. */
export const slowModules = [
  'ingest-geoip',
  'opensearch-dashboards',
  'store-subdirectory',
  'transport-grpc',
  'rule-framework',
]

/** Security managers, which these versions install, ended with Java 24. */
export const javaWithSecurityManager = [17, 23] as const
