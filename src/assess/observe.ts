import { isUnreadable, MigrationError } from '../base/errors.ts'
import type { PlannedFrom } from '../metadata/evaluate-input.ts'
import type { SourceDocuments } from '../metadata/source-documents.ts'
import { noGlobalMetadata, type GlobalMetadata } from '../snapshot/snapshot.ts'
import { FeatureCount } from './features.ts'

/** What was seen of the source while it was planned; mappings are looked at and not kept. */
export interface Seen {
  readonly features: FeatureCount
  global: GlobalMetadata
  readonly closed: ReadonlySet<string>
  /** `index.version.created`, each once. */
  readonly createdVersions: ReadonlySet<number>
}

/**
 * The same source, with an eye on what is read of it, so that nothing is asked for twice. Questions about documents that
 * the cluster does not answer (a red index) count as unanswered here: an assessment goes on, a migration would not.
 */
export function observe(
  from: PlannedFrom,
  onProgress?: (indicesRead: number) => void,
): { observed: PlannedFrom; seen: Seen } {
  const features = new FeatureCount()
  const closed = new Set<string>()
  const createdVersions = new Set<number>()
  const names = new Set<string>()
  const seen: Seen = { features, closed, createdVersions, global: noGlobalMetadata }
  const { source } = from
  return {
    seen,
    observed: {
      origin: from.origin,
      documents: tolerant(from.documents),
      source: {
        indices: source.indices,
        ...(source.apart && { apart: source.apart }),
        ...(source.engineVersion !== undefined && { engineVersion: source.engineVersion }),
        readGlobalMetadata: async () => (seen.global = await source.readGlobalMetadata()),
        readDataStreams: () => source.readDataStreams(),
        readIndexMetadata: async (name) => {
          const index = await source.readIndexMetadata(name)
          createdVersions.add(index.createdVersion)
          if (index.state === 'close') closed.add(name)
          if (!names.has(name)) features.add(index)
          names.add(name)
          onProgress?.(names.size)
          return index
        },
      },
    },
  }
}

function tolerant(documents: SourceDocuments): SourceDocuments {
  return {
    sample: (index) => answerOr('unknown', () => documents.sample(index)),
    count: (index) => answerOr(undefined, () => documents.count(index)),
    // All documents would have to be read.
    equalIds: () => Promise.resolve(undefined),
    findRouted: (index) =>
      answerOr('its documents could not be looked at', () => documents.findRouted(index)),
  }
}

async function answerOr<T, D>(other: D, ask: () => Promise<T>): Promise<T | D> {
  try {
    return await ask()
  } catch (error) {
    const concernsIndex =
      isUnreadable(error) ||
      (error instanceof MigrationError && error.code === 'MA_CLUSTER_RESPONSE')
    if (!concernsIndex) throw error
    return other
  }
}
