/** Tries the cases of the metadata rules on a real target: what a rule makes is accepted, what it is there for is not. */
import type { JsonObject } from '../../src/base/json.ts'
import { casesOf, needsKnn, runCase, type WholeCase } from '../../src/metadata/rules/cases.ts'
import { rules } from '../../src/metadata/rules/table.ts'
import { send, type EngineFacts } from './engines.ts'

/** What a target said to one case otherwise than the case says. */
export interface Surprise {
  readonly rule: string
  readonly title: string
  readonly what: string
}

/** The cases for a target of this version; with the k-NN plugin only those that need it, else those that do not. */
export function casesFor(version: string, knn: boolean): WholeCase[] {
  const [major, minor] = version.split('.').map(Number)
  return casesOf(rules).filter(
    ({ target, untried, after }) =>
      untried === undefined &&
      target.major === major &&
      target.minor === minor &&
      needsKnn(after) === knn,
  )
}

/**
 * Puts what the rules made onto the target, as an index, or by simulating a template. It is to be accepted, unless the
 * rule says that it cannot be; what was before is to be refused, unless the case says that the target takes it.
 */
export async function tryCases(
  target: EngineFacts,
  cases: readonly WholeCase[],
  how: 'index' | 'simulate',
): Promise<Surprise[]> {
  const surprises: Surprise[] = []
  for (const one of cases) {
    const { settings, mapping, refused } = runCase(one)
    const note = (what: string): number =>
      surprises.push({ rule: one.name, title: one.title, what })
    const changed = one.case.changes.length > 0
    if (refused === undefined) {
      const error = await tryContent(
        target,
        { settings, mappings: mapping },
        how === 'index' ? 'started' : how,
      )
      if (error !== undefined) note(`after is refused: ${error}`)
    }
    // Types cannot be asked about: the target's API has no place for them.
    if (!changed || one.kind === 'types') continue
    const [before] = Object.values(one.before.mappings)
    const content = { settings: one.before.settings, mappings: before ?? {} }
    const expected = one.case.without ?? 'refused'
    const simulated = await tryContent(target, content, how)
    // Some settings are looked at only when an index is made.
    const error =
      simulated ?? (expected === 'refused' ? await tryContent(target, content, 'index') : undefined)
    if (expected === 'refused' && error === undefined) note('before is accepted')
    if (expected === 'accepted' && error !== undefined) note(`before is refused: ${error}`)
  }
  return surprises
}

async function tryContent(
  target: EngineFacts,
  content: JsonObject,
  how: 'started' | 'index' | 'simulate',
): Promise<string | undefined> {
  const index = `rule-${process.pid}`
  try {
    if (how === 'simulate') {
      const template = { index_patterns: [`${index}-*`], priority: 2 ** 31 - 1, template: content }
      await send(target, 'POST', '/_index_template/_simulate', template)
    } else {
      const wait = how === 'started' ? 'wait_for_active_shards=1' : 'wait_for_active_shards=0'
      const made = await send(target, 'PUT', `/${index}?${wait}&timeout=20s`, content)
      await send(target, 'DELETE', `/${index}`)
      if (how === 'started' && made.shards_acknowledged !== true) return 'its shards do not start'
    }
    return undefined
  } catch (error) {
    return String(error)
  }
}
