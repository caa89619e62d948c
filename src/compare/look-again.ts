import { typeMark } from '../base/document-types.ts'
import type { Cluster, Side } from '../cluster/cluster.ts'
import type { CanonicalDigest } from './canonical.ts'
import type { Difference, DifferenceCounts } from './differences.ts'
import type { BlockChange } from './hit-blocks.ts'
import { namedDocuments, type NamedDocument } from './named-documents.ts'
import type { VersionRule } from './version-rule.ts'

export interface LookAgainInput {
  readonly source: Cluster
  readonly target: Cluster
  readonly indices: { readonly [side in Side]: string }
  readonly digest: CanonicalDigest
  readonly rules: { readonly [side in Side]: VersionRule | undefined }
  readonly change: BlockChange | undefined
  /** Ids of the target begin with the mapping type, those of the source do not. */
  readonly hasTypeInId: boolean
  /** Corrected by what is found. */
  readonly counts: DifferenceCounts
  /**
   * Resolves when what the source had been told before this was called is on the target, as far as anybody brings it
   * there; with a reason where that takes too long.
   */
  readonly settled: (signal: AbortSignal) => Promise<string | undefined>
  readonly signal: AbortSignal
}

export interface LookedAgain {
  /** What differs still. */
  readonly differences: Difference[]
  /** How many were looked at. */
  readonly seen: number
  /** Why it is not known whether all that is under way has come. */
  readonly unsettled: string | undefined
}

const roundsMax = 3
const atOnce = 200

/**
 * Reads documents that differed from both sides once more, when what was under way then has come, in as many rounds as
 * still change something: what differs for good stays. Memory: a few hundred documents, and their names.
 */
export async function lookAgain(
  differences: readonly Difference[],
  input: LookAgainInput,
): Promise<LookedAgain> {
  let open = differences
  let unsettled: string | undefined
  for (let round = 0; round < roundsMax && open.length > 0; round++) {
    unsettled = await input.settled(input.signal)
    const still: Difference[] = []
    for (const some of groups(open)) still.push(...(await lookOnce(some, input)))
    const isAsBefore = still.length === open.length
    open = still
    if (isAsBefore || unsettled !== undefined) break
  }
  return {
    differences: [...open],
    seen: differences.length,
    unsettled: open.length > 0 ? unsettled : undefined,
  }
}

/** All of one id stay together. */
function* groups(differences: readonly Difference[]): Generator<Difference[]> {
  const byId = new Map<string, Difference[]>()
  for (const difference of differences) {
    const id = idOf(difference)
    const known = byId.get(id)
    if (known === undefined) byId.set(id, [difference])
    else known.push(difference)
  }
  let some: Difference[] = []
  for (const all of byId.values()) {
    some.push(...all)
    if (some.length < atOnce) continue
    yield some
    some = []
  }
  if (some.length > 0) yield some
}

function idOf({ source, target }: Difference): string {
  return (source ?? target)!.id
}

async function lookOnce(
  differences: readonly Difference[],
  input: LookAgainInput,
): Promise<Difference[]> {
  const { counts, indices, digest, rules, change, signal, hasTypeInId } = input
  const ids = [...new Set(differences.map(idOf))]
  const read = async (side: Side): Promise<Map<string, NamedDocument[]>> => {
    const asked = side === 'source' && hasTypeInId ? ids.map(withoutType) : ids
    return namedDocuments({
      ...{ cluster: input[side], index: indices[side], ids: asked, digest, rule: rules[side] },
      ...{ change: side === 'source' ? change : undefined, signal },
    })
  }
  const sides = { source: await read('source'), target: await read('target') }
  const still: Difference[] = []
  for (const id of ids) {
    const before = differences.filter((one) => idOf(one) === id)
    for (const { kind } of before) counts[kind]--
    // Equal ones of this id, under other routings, were counted already.
    const all = pair(sides.source.get(id) ?? [], sides.target.get(id) ?? [], before)
    counts.equal += all.equal
    for (const one of all.differences) counts[one.kind]++
    still.push(...all.differences)
  }
  return still
}

function withoutType(id: string): string {
  return id.slice(id.indexOf(typeMark) + 1)
}

/** What differs of one id; `equal` counts those that differed before and do no more. */
function pair(
  source: readonly NamedDocument[],
  target: readonly NamedDocument[],
  before: readonly Difference[],
): { equal: number; differences: Difference[] } {
  const others = [...target]
  const twins: NamedDocument[] = []
  const unmatched = source.filter((one) => {
    const twin = others.findIndex(({ whole1, whole2 }) => {
      return whole1 === one.whole1 && whole2 === one.whole2
    })
    if (twin < 0) return true
    twins.push(...others.splice(twin, 1))
    return false
  })
  const differed = twins.filter(({ name }) =>
    before.some(({ source, target }) =>
      [source, target].some((one) => one !== undefined && one.routing === name.routing),
    ),
  )
  const differences: Difference[] = []
  for (let i = 0; i < Math.max(unmatched.length, others.length); i++) {
    const [from, to] = [unmatched[i]?.name, others[i]?.name]
    differences.push({
      kind: from === undefined ? 'extra' : to === undefined ? 'missing' : 'different',
      ...(from !== undefined && { source: from }),
      ...(to !== undefined && { target: to }),
    })
  }
  return { equal: differed.length, differences }
}
