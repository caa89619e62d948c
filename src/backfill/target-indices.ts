import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { TargetIndex } from '../state/records.ts'
import type { StateStore } from '../state/store.ts'
import { targetPartsOf } from '../state/target-parts.ts'

/**
 * The target indices that documents are written to, each shown to be the one that this migration made: same UUID, and
 * its fence is there, an alias that points at it alone or a pipeline. Throws MA_TARGET_INDEX that names every index for which that does not hold; then
 * nothing has been written.
 */
export async function checkTargetIndices(
  target: Cluster,
  state: StateStore,
  indices: readonly string[],
  { allowPartialSource = false }: { allowPartialSource?: boolean } = {},
): Promise<TargetIndex[]> {
  const found: TargetIndex[] = []
  const problems: string[] = []
  for (const index of indices) {
    const parts = await targetPartsOf(state, index)
    if (parts.length === 0) {
      problems.push(
        `${index}: no target index was made for it; run osmigrate metadata migrate, which makes it or says why it cannot`,
      )
    }
    for (const part of parts) {
      const problem =
        (allowPartialSource ? undefined : partialProblem(part)) ?? (await problemOf(target, part))
      if (problem !== undefined) problems.push(problem)
      else found.push(part)
    }
  }
  if (problems.length > 0) {
    throw new MigrationError(
      'MA_TARGET_INDEX',
      `the target is not ready, nothing was written:\n  ${problems.join('\n  ')}`,
      { details: { problems } },
    )
  }
  return found
}

/** An index that was made with the leave to carry over a part needs it here too. */
function partialProblem({ index, sourceForm, sourceDocuments }: TargetIndex): string | undefined {
  if (sourceForm === 'full') return undefined
  const documents = (sourceDocuments ?? 0).toLocaleString('en-US')
  return (
    `${index}: it does not keep _source as it was sent (${sourceForm}; ${documents} documents, nested ones counted), so a ` +
    'snapshot does not hold all of it. Exclude it (--exclude), reindex it on the source, or send what is there with ' +
    '--allow-partial-source.'
  )
}

async function problemOf(target: Cluster, index: TargetIndex): Promise<string | undefined> {
  const name = index.targetIndex
  const again = 'run again: osmigrate metadata migrate'
  const answer = await target.request('GET', `/${encodeURIComponent(name)}`, {
    query: { filter_path: '*.aliases,*.settings.index.uuid' },
    accept: [404],
  })
  const body = answer.status === 404 ? undefined : answer.body[name]
  if (!isJsonObject(body)) return `${index.index}: the target has no index named ${name}; ${again}`
  const settings = isJsonObject(body.settings) ? body.settings.index : undefined
  const uuid = isJsonObject(settings) ? settings.uuid : undefined
  if (uuid !== index.targetUuid) {
    return (
      `${index.index}: the target's index ${name} is not the one that this migration made ` +
      `(expected UUID ${index.targetUuid}, found ${typeof uuid === 'string' ? uuid : 'none'}). Delete it if it may go, then: ${again}`
    )
  }
  if (index.stream) return pipelineProblem(target, index, index.stream)
  return aliasProblem(target, index, isJsonObject(body.aliases) ? body.aliases : {})
}

async function pipelineProblem(
  target: Cluster,
  { index, targetIndex }: TargetIndex,
  { pipeline }: TargetIndex['stream'] & {},
): Promise<string | undefined> {
  const path = `/_ingest/pipeline/${encodeURIComponent(pipeline)}`
  const { status } = await target.request('GET', path, { accept: [404] })
  if (status !== 404) return undefined
  return `${index}: the target lacks the ingest pipeline ${pipeline}, by which ${targetIndex} is written to; run again: osmigrate metadata migrate`
}

async function aliasProblem(
  target: Cluster,
  index: TargetIndex,
  aliases: JsonObject,
): Promise<string | undefined> {
  const alias = index.fenceAlias
  if (!(alias in aliases)) {
    return `${index.index}: the target's index ${index.targetIndex} lacks the alias ${alias}; run again: osmigrate metadata migrate`
  }
  const answer = await target.request('GET', `/_alias/${encodeURIComponent(alias)}`, {
    accept: [404],
  })
  const others = Object.keys(answer.body).filter((name) => name !== index.targetIndex)
  if (others.length === 0) return undefined
  return `${index.index}: the alias ${alias} points at other indices too: ${others.join(', ')}. Take it off them.`
}
