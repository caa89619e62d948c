import type { Selection } from '../base/select.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { evaluateMetadata } from '../metadata/evaluate.ts'
import { fromCluster, type EvaluateInput } from '../metadata/evaluate-input.ts'
import type { MetadataOptions } from '../metadata/options.ts'
import { readEdits } from '../metadata/plan-edits.ts'
import type { MetadataPlan } from '../metadata/plan.ts'
import { noGlobalMetadata, type GlobalMetadata } from '../snapshot/snapshot.ts'
import type { StateStore } from '../state/store.ts'
import type { Transform } from '../usercode/transform.ts'

/** By what the metadata of the source becomes that of the target: the same as for `metadata migrate`. */
export interface Translation {
  readonly source: Cluster
  readonly target: Cluster
  readonly state: StateStore
  readonly select: Selection
  readonly options: MetadataOptions
  readonly allowPartialSource: boolean
  readonly transform?: Transform
  readonly signal?: AbortSignal
}

/**
 * The plan for these selected indices alone, as the source has them now; `streams` are the data streams that some of them
 * are behind. What is gone meanwhile is not in it.
 */
export async function planIndices(
  translation: Translation,
  {
    indices,
    streams,
  }: { readonly indices: readonly string[]; readonly streams: readonly string[] },
): Promise<MetadataPlan> {
  const from = await fromCluster(translation.source, translation.signal)
  const wanted = new Set(indices)
  const there = from.source.indices.filter((name) => wanted.has(name))
  const behind = (await from.source.readDataStreams()).filter(({ name }) => streams.includes(name))
  return evaluateMetadata({
    ...(await inputOf(translation)),
    ...from,
    source: {
      ...from.source,
      indices: there,
      // Templates are followed by themselves.
      readGlobalMetadata: () => Promise.resolve(noGlobalMetadata),
      readDataStreams: () => Promise.resolve(behind),
    },
    select: { ...translation.select, include: [...there, ...behind.map(({ name }) => name)] },
    options: { ...translation.options, templates: false, pipelines: false },
    aliasesLater: true,
  })
}

/** The plan for templates, pipelines and scripts alone, of this global metadata. */
export async function planObjects(
  translation: Translation,
  global: GlobalMetadata,
): Promise<MetadataPlan> {
  const from = await fromCluster(translation.source, translation.signal)
  return evaluateMetadata({
    ...(await inputOf(translation)),
    ...from,
    source: {
      ...from.source,
      indices: [],
      readGlobalMetadata: () => Promise.resolve(global),
    },
    select: withoutIncludes(translation.select),
  })
}

/** A selection of indices does not choose templates; one that names none would be taken for a slip. */
function withoutIncludes({ exclude }: Selection): Selection {
  return exclude === undefined ? {} : { exclude }
}

async function inputOf({
  source: _,
  ...translation
}: Translation): Promise<Omit<EvaluateInput, 'origin' | 'source' | 'documents'>> {
  return { ...translation, remembered: await readEdits(translation.state) }
}
