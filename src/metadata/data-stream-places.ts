import { matcher } from '../base/select.ts'
import type { JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { DataStream } from '../snapshot/snapshot.ts'
import { targetIndexKind } from '../state/records.ts'
import { timestampFieldOf, type Backing } from './data-streams.ts'
import { clusterOf, type EvaluateInput } from './evaluate-input.ts'
import { readExistingTemplates } from './existing.ts'
import { objectOf, textOf } from './json-objects.ts'
import type { PlannedTemplates } from './plan-templates.ts'
import { temporaryIndices } from './setting-access.ts'

/** Where an index behind a data stream is, or will be, on the target. */
export interface StreamPlace {
  readonly stream: string
  readonly targetIndex: string
  readonly timestampField: string
  /** Why it cannot be made there; undefined when nothing is in the way. */
  readonly refused?: string
}

/** A data stream as a cluster lists it. */
export interface ListedStream {
  readonly indices: readonly string[]
  readonly generation: number
}

/** Undefined where there is none. */
export async function readStream(
  target: Cluster,
  name: string,
  signal?: AbortSignal,
): Promise<ListedStream | undefined> {
  const answer = await target.request('GET', `/_data_stream/${encodeURIComponent(name)}`, {
    accept: [404],
    ...(signal && { signal }),
  })
  const { data_streams: streams } = answer.body
  const found = objectOf(Array.isArray(streams) ? streams[0] : undefined)
  if (answer.status === 404 || found.name !== name) return undefined
  const indices = Array.isArray(found.indices) ? found.indices : []
  return {
    indices: indices.map((index) => textOf(objectOf(index).index_name)),
    generation: typeof found.generation === 'number' ? found.generation : indices.length,
  }
}

/**
 * Each index behind a selected data stream has its place on the target: the one where this migration has made it, else
 * the next that none of its indices has. Indices of a stream are made in their order, by rolling it over, and have the
 * names that the target gives them, with its own numbers and without dates.
 */
export async function streamPlaces(
  input: EvaluateInput,
  backings: ReadonlyMap<string, Backing>,
  templates: PlannedTemplates,
): Promise<Map<string, StreamPlace>> {
  const places = new Map<string, StreamPlace>()
  if (input.options.dataStreams !== 'stream' || backings.size === 0) return places
  const target = clusterOf(input.target)
  const fitting = await templatesOf(input, target, templates)
  for (const stream of new Set([...backings.values()].map((backing) => backing.stream))) {
    const listed = target && (await readStream(target, stream.name, input.signal))
    const known = await knownPlaces(input, stream)
    const free = (listed?.indices ?? []).filter((index) => ![...known.values()].includes(index))
    let generation = listed?.generation ?? 0
    const refused = templateProblem(stream.name, fitting)
    for (const index of stream.indices) {
      const targetIndex = known.get(index) ?? free.shift() ?? backingName(stream.name, ++generation)
      places.set(index, {
        stream: stream.name,
        targetIndex,
        timestampField: timestampFieldOf(stream),
        ...(refused !== undefined && { refused }),
      })
    }
  }
  return places
}

/** As every OpenSearch names them. */
function backingName(stream: string, generation: number): string {
  return `.ds-${stream}-${String(generation).padStart(6, '0')}`
}

/** The indices of the stream that this migration has made, with their names on the target. */
async function knownPlaces(
  { state }: EvaluateInput,
  { indices }: DataStream,
): Promise<Map<string, string>> {
  const known = new Map<string, string>()
  for (const index of indices) {
    const record = (await state?.get(targetIndexKind, index))?.value
    if (record?.stream && record.targetUuid !== '') known.set(index, record.targetIndex)
  }
  return known
}

interface FittingTemplate {
  readonly name: string
  readonly body: JsonObject
}

/** Those that are on the target, and those that will be; without what runs of osmigrate put there for a moment. */
async function templatesOf(
  { signal }: EvaluateInput,
  target: Cluster | undefined,
  { indexTemplates }: PlannedTemplates,
): Promise<FittingTemplate[]> {
  const existing = target ? (await readExistingTemplates(target, signal))['index-template'] : {}
  const planned = indexTemplates.filter(({ action }) => action === 'create')
  return [
    ...Object.entries(existing)
      .filter(([name]) => !name.startsWith(temporaryIndices))
      .map(([name, body]) => ({ name, body })),
    ...planned.map(({ name, body }) => ({ name, body })),
  ]
}

/** A data stream lives by its template: without one it cannot be made, nor rolled over. */
function templateProblem(
  stream: string,
  templates: readonly FittingTemplate[],
): string | undefined {
  const fits = templates.filter(({ body: { index_patterns: patterns } }) =>
    matcher((Array.isArray(patterns) ? patterns : []).map(textOf))(stream),
  )
  const first = fits.sort((a, b) => priorityOf(b) - priorityOf(a))[0]
  if (first === undefined) {
    return `no index template fits the data stream ${stream} on the target, which cannot be without one. Carry it over with metadata.templates, make one there, or take metadata.dataStreams: alias`
  }
  if (first.body.data_stream !== undefined) return undefined
  return `the index template ${first.name}, which comes first for ${stream} on the target, makes no data streams (it has no data_stream). Give another one a higher priority there, or take metadata.dataStreams: alias`
}

function priorityOf({ body: { priority } }: FittingTemplate): number {
  return typeof priority === 'number' ? priority : 0
}
