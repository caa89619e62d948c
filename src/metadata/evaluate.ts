import { isUnreadable } from '../base/errors.ts'
import { selectExisting } from '../base/select.ts'
import type { EvaluateInput } from './evaluate-input.ts'
import { readNamesInUse } from './existing.ts'
import { listNotCarried } from './not-carried.ts'
import { planIndex } from './plan-index.ts'
import { noTemplates, planTemplates, templatesDeselected, templatesLeft } from './plan-templates.ts'
import { noGlobalMetadata, type IndexMetadata } from '../snapshot/snapshot.ts'
import type { MetadataPlan, NotCarried, PlannedIndex } from './plan.ts'
import { readRuleFacts, type RuleFacts } from './rule-facts.ts'

/**
 * Finds out everything that carrying the metadata over would do, object by object, and changes nothing anywhere.
 * What the target would refuse is found by asking it to simulate.
 */
export async function evaluateMetadata(input: EvaluateInput): Promise<MetadataPlan> {
  const { snapshot, target, select, signal } = input
  const selected = selectExisting(snapshot.indices, select)
  const unreadable: NotCarried[] = []
  const global =
    (await readable('global metadata', snapshot.name, unreadable, () =>
      snapshot.readGlobalMetadata(),
    )) ?? noGlobalMetadata
  const readIndex = (name: string): Promise<IndexMetadata | undefined> =>
    readable('index', name, unreadable, () => snapshot.readIndexMetadata(name))
  const facts = await readFacts(input)
  const templates = input.options.templates
    ? await planTemplates(input, global, facts)
    : noTemplates
  const inUse = await readNamesInUse(target, signal)
  const indices: PlannedIndex[] = []
  for (const name of selected) {
    signal?.throwIfAborted()
    const metadata = await readIndex(name)
    if (metadata !== undefined) indices.push(await planIndex(input, metadata, inUse, facts))
  }
  const chosen = new Set(selected)
  return {
    repository: input.repository,
    snapshot: snapshot.name,
    target: target.url,
    ...templates,
    indices,
    notCarried: [...unreadable, ...listNotCarried(global), ...templatesLeft(input, global)],
    templatesNotSelected: templatesDeselected(input, global),
    notSelected: snapshot.indices.filter((name) => !chosen.has(name)),
  }
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
    if (!isUnreadable(error)) throw error
    unreadable.push({ kind, name, reason: error.message })
    return undefined
  }
}

async function readFacts({ snapshot, target, options, signal }: EvaluateInput): Promise<RuleFacts> {
  const createdVersions: number[] = []
  for (const name of snapshot.indices) {
    const metadata = await readable('index', name, [], () => snapshot.readIndexMetadata(name))
    if (metadata === undefined) continue
    createdVersions.push(metadata.createdVersion)
    break
  }
  const { engineVersion } = snapshot
  return readRuleFacts({ engineVersion, createdVersions }, target, options, signal)
}
