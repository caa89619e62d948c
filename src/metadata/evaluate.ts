import { selectExisting } from '../base/select.ts'
import type { EvaluateInput } from './evaluate-input.ts'
import { readNamesInUse } from './existing.ts'
import { listNotCarried } from './not-carried.ts'
import { planIndex } from './plan-index.ts'
import { noTemplates, planTemplates, templatesDeselected, templatesLeft } from './plan-templates.ts'
import type { MetadataPlan, PlannedIndex } from './plan.ts'
import { readRuleFacts, type RuleFacts } from './rule-facts.ts'

/**
 * Finds out everything that carrying the metadata over would do, object by object, and changes nothing anywhere.
 * What the target would refuse is found by asking it to simulate.
 */
export async function evaluateMetadata(input: EvaluateInput): Promise<MetadataPlan> {
  const { snapshot, target, select, signal } = input
  const selected = selectExisting(snapshot.indices, select)
  const global = await snapshot.readGlobalMetadata()
  const facts = await readFacts(input)
  const templates = input.options.templates
    ? await planTemplates(input, global, facts)
    : noTemplates
  const inUse = await readNamesInUse(target, signal)
  const indices: PlannedIndex[] = []
  for (const name of selected) {
    signal?.throwIfAborted()
    indices.push(await planIndex(input, await snapshot.readIndexMetadata(name), inUse, facts))
  }
  const chosen = new Set(selected)
  return {
    repository: input.repository,
    snapshot: snapshot.name,
    target: target.url,
    ...templates,
    indices,
    notCarried: [...listNotCarried(global), ...templatesLeft(input, global)],
    templatesNotSelected: templatesDeselected(input, global),
    notSelected: snapshot.indices.filter((name) => !chosen.has(name)),
  }
}

async function readFacts({ snapshot, target, options, signal }: EvaluateInput): Promise<RuleFacts> {
  const [first] = snapshot.indices
  const createdVersions =
    first === undefined ? [] : [(await snapshot.readIndexMetadata(first)).createdVersion]
  const { engineVersion } = snapshot
  return readRuleFacts({ engineVersion, createdVersions }, target, options, signal)
}
