/** What tests of the reconciler share: a source that is followed, and what the target has by then. */
import type { Json, JsonObject } from '../../src/base/json.ts'
import type { Selection } from '../../src/base/select.ts'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { metadataOptions, type MetadataOptions } from '../../src/metadata/options.ts'
import { targetIndexKind, type TargetIndex } from '../../src/state/records.ts'
import type { StateStore } from '../../src/state/store.ts'
import { Reconciler } from '../../src/sync/reconciler.ts'
import { SourceView } from '../../src/sync/source-view.ts'
import { send, type TestEngine } from './engines.ts'
import { connect, newState } from './metadata.ts'

export interface World {
  readonly source: Cluster
  readonly target: Cluster
  readonly state: StateStore
  readonly view: SourceView
  readonly reconciler: Reconciler
  /** Indices whose target index was made anew, in order. */
  readonly refilled: string[]
  readonly gone: string[]
}

export interface WorldInput {
  readonly source: TestEngine
  readonly target: TestEngine
  /** Names of indices, streams, templates that take part begin with it: engines are shared. */
  readonly prefix: string
  readonly options?: Partial<MetadataOptions>
  readonly state?: StateStore
}

export async function openWorld(input: WorldInput): Promise<World> {
  const source = await connect('source', input.source)
  const target = await connect('target', input.target)
  const state = input.state ?? (await newState())
  const select: Selection = {
    include: [`${input.prefix}*`],
    exclude: [`regex:(?!${input.prefix}).*`],
  }
  const options = metadataOptions.parse({ templates: false, pipelines: false, ...input.options })
  const withStreams = options.dataStreams !== 'refuse'
  const view = await SourceView.open({ source, select, withStreams })
  const refilled: string[] = []
  const gone: string[] = []
  let ends = 0
  const reconciler = await Reconciler.open({
    source,
    target,
    state,
    view,
    select,
    options,
    allowPartialSource: true,
    streamEnds: (): Promise<Json> => Promise.resolve({ stream: ++ends }),
    onRefill: (index) => Promise.resolve(void refilled.push(index)),
    onGone: (index) => Promise.resolve(void gone.push(index)),
  })
  return { source, target, state, view, reconciler, refilled, gone }
}

/** An index of the target as its API shows it; undefined where there is none. */
export async function onTarget(
  { target }: Pick<World, 'target'>,
  name: string,
): Promise<JsonObject | undefined> {
  const answer = await target.request('GET', `/${name}`, { accept: [404] })
  return answer.status === 404 ? undefined : (answer.body[name] as JsonObject)
}

/** Names of aliases of an index of the target, without fences. */
export async function aliasesOn(world: Pick<World, 'target'>, name: string): Promise<JsonObject> {
  const { aliases } = (await onTarget(world, name)) as { aliases: JsonObject }
  return Object.fromEntries(
    Object.entries(aliases).filter(([alias]) => !alias.startsWith('osmigrate-')),
  )
}

export async function recordOf(
  { state }: Pick<World, 'state'>,
  index: string,
): Promise<TargetIndex | undefined> {
  return (await state.get(targetIndexKind, index))?.value
}

/** Writes a document at the source, with a type where that version needs one. */
export async function write(
  engine: TestEngine,
  index: string,
  body: JsonObject,
  id = '1',
): Promise<void> {
  await send(engine, 'PUT', `/${index}/${isTyped(engine) ? 'doc' : '_doc'}/${id}`, body)
}

export function isTyped({ kind, version }: TestEngine): boolean {
  return kind === 'elasticsearch' && Number.parseInt(version, 10) < 7
}
