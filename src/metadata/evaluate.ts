import { eachAtOnce } from '../base/each-at-once.ts'
import { isUnreadable, MigrationError } from '../base/errors.ts'
import { selectIndices, selectStreams, sortedByName, type LeftOut } from '../base/select-indices.ts'
import {
  asCarried,
  plannedBehind,
  readNamesFor,
  refuseGaps,
  selectedBackings,
  streamsLeft,
} from './data-streams.ts'
import { streamPlaces } from './data-stream-places.ts'
import { notedAsAdded, withRolloverTemplates } from './data-stream-templates.ts'
import { splitsTypes } from '../transform/spec.ts'
import { clusterOf, type EvaluateInput } from './evaluate-input.ts'
import { listNotCarried } from './not-carried.ts'
import { planIndex } from './plan-index.ts'
import { pipelinesLeft, planPipelines } from './plan-pipelines.ts'
import {
  noTemplates,
  planTemplates,
  templatePatterns,
  templatesDeselected,
  templatesLeft,
} from './plan-templates.ts'
import { noGlobalMetadata, type IndexMetadata } from '../snapshot/snapshot.ts'
import {
  bodiesOf,
  objectKey,
  onlyPlanFile,
  requireSameOrigin,
  withEdit,
  withoutObjects,
} from './plan-file.ts'
import { partsOf } from './parts.ts'
import type { MetadataPlan, NotCarried, PlannedIndex, PlannedPipeline, PlanSource } from './plan.ts'
import { noteMentions } from './rename-mentions.ts'
import { lifeOf } from './records.ts'
import { refuseClashes } from './rename.ts'
import { readRuleFacts, type RuleFacts } from './rule-facts.ts'
import { systemObjectsLeft } from './system-indices.ts'
import { noNamesInUse } from './target-names.ts'

/**
 * Finds out everything that carrying the metadata over would do, object by object, and changes nothing anywhere.
 * What the target would refuse is found by asking it to simulate.
 */
export async function evaluateMetadata(input: EvaluateInput): Promise<MetadataPlan> {
  const { source, origin, target, select, planFile, signal } = input
  if (planFile) requireSameOrigin(planFile, origin, target.version.text)
  const bodies = planFile && bodiesOf(planFile)
  const edits = bodies ? (key: string) => bodies.get(key) : input.remembered?.edits
  const unreadable: NotCarried[] = []
  const streams =
    (await readable('data streams', originName(origin), unreadable, () =>
      source.readDataStreams(),
    )) ?? []
  const withStreams = input.options.dataStreams !== 'refuse'
  const { indices: all, apart } = source
  const selection = selectIndices({ indices: all, streams, ...(apart && { apart }) }, select, {
    withStreams,
  })
  const leftOut: LeftOut[] = [...selection.leftOut]
  const { onlyPlain } = selection
  const backings = selectedBackings(input, streams)
  const read = await readable('global metadata', originName(origin), unreadable, () =>
    source.readGlobalMetadata(),
  )
  const { global, added } = withRolloverTemplates(input, read ?? noGlobalMetadata, backings)
  const readIndex = (name: string): Promise<IndexMetadata | undefined> =>
    readable('index', name, unreadable, () => source.readIndexMetadata(name))
  const pipelines = await planPipelines(input, global, edits)
  const facts = await readFacts(input, { selected: selection.names, pipelines })
  const templates = input.options.templates
    ? notedAsAdded(await planTemplates(input, global, { facts, edits }), added)
    : noTemplates
  const cluster = clusterOf(target)
  const inUse = cluster === undefined ? noNamesInUse : await readNamesFor(cluster, input, backings)
  const patterns = templatePatterns(global)
  const places = await streamPlaces(input, backings, templates)
  const indices = await eachAtOnce(selection.names, indicesAtOnce, async (name) => {
    signal?.throwIfAborted()
    const metadata = await readIndex(name)
    if (metadata === undefined) return undefined
    if (metadata.apart !== undefined && onlyPlain.has(name)) {
      leftOut.push({ index: name, reason: metadata.apart })
      return undefined
    }
    const backing = backings.get(name)
    const place = places.get(name)
    const index = backing ? asCarried(metadata, backing, place) : metadata
    const planned: PlannedIndex[] = []
    const own = factsFor(input, name, facts)
    for (const part of partsOf(index, own.choices, await lifeOf(input.state, index))) {
      const one = await withEdit(edits, (edited) =>
        planIndex(input, part, { inUse, facts: own, templates: patterns, place, edited }),
      )
      planned.push(backing ? plannedBehind(one, backing, place) : one)
    }
    return planned
  })
  const chosen = new Set([
    ...selection.names.filter((name) => !leftOut.some(({ index }) => index === name)),
    ...selectStreams(streams, select).map(({ name }) => name),
  ])
  const names = [...source.indices, ...streams.map(({ name }) => name)].sort()
  const plan = noteMentions({
    source: origin,
    target: { version: target.version.text, ...(cluster && { url: cluster.url }) },
    pipelines,
    ...templates,
    indices: refuseGaps(refuseClashes(indices.flatMap((planned) => planned ?? []))),
    notCarried: [
      ...unreadable,
      ...listNotCarried(global),
      ...systemObjectsLeft(sortedByName(leftOut)),
      ...streamsLeft(input, streams),
      ...pipelinesLeft(input, global),
      ...templatesLeft(input, global),
    ],
    templatesNotSelected: templatesDeselected(input, global),
    leftOut: sortedByName(leftOut),
    notSelected: names.filter((name) => !chosen.has(name)),
  })
  if (planFile) return onlyPlanFile(plan, planFile)
  const isLeftOut = (one: { kind: string; name: string }): boolean =>
    input.remembered?.leftOut.has(objectKey(one)) === true
  return input.remembered ? withoutObjects(plan, isLeftOut) : plan
}

/** With the step `splitTypes` the types of an index are split, whatever holds for the others. */
function factsFor({ transform }: EvaluateInput, index: string, facts: RuleFacts): RuleFacts {
  if (!splitsTypes(transform?.spec, index)) return facts
  return { ...facts, choices: { ...facts.choices, types: 'split' } }
}

/** Some ten small reads each. */
const indicesAtOnce = 8

function originName(origin: PlanSource): string {
  return origin.kind === 'snapshot' ? origin.snapshot : origin.url
}

/** Reads a part of the metadata; one that cannot be read is named, and keeps nothing else from being planned. */
async function readable<T>(
  kind: string,
  name: string,
  unreadable: NotCarried[],
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!isUnreadable(error) && !isOfIndex(error)) throw error
    unreadable.push({ kind, name, reason: error.message })
    return undefined
  }
}

/** A live cluster answers 404 for an index that was deleted since the list was read. */
function isOfIndex(error: unknown): error is MigrationError {
  if (!(error instanceof MigrationError)) return false
  const isGone = error.code === 'MA_CLUSTER_RESPONSE' && error.details.status === 404
  return error.code === 'MA_SOURCE_INDEX' || isGone
}

/** Looks at a selected index alone: the user may have no right to another. */
async function readFacts(
  { source, target, options, signal }: EvaluateInput,
  { selected, pipelines }: { selected: readonly string[]; pipelines: readonly PlannedPipeline[] },
): Promise<RuleFacts> {
  const createdVersions: number[] = []
  for (const name of selected) {
    const metadata = await readable('index', name, [], () => source.readIndexMetadata(name))
    if (metadata === undefined) continue
    createdVersions.push(metadata.createdVersion)
    break
  }
  const { engineVersion, flavour } = source
  const known = { target, options, pipelines, signal }
  return readRuleFacts({ engineVersion, ...(flavour && { flavour }), createdVersions }, known)
}
