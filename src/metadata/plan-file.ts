import { z } from 'zod'
import { MigrationError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import {
  plannedObjects,
  type MetadataPlan,
  type PlannedChange,
  type PlannedObject,
  type PlanSource,
} from './plan.ts'
import { differingPaths } from './json-difference.ts'

/**
 * A plan as a file that a person edits and `metadata migrate --plan` takes: the plan as evaluated, with its format in
 * front. Of an object only its body counts; everything else of it (what is there already, shards, fences) is found out
 * anew. An object that is deleted from the file is left out.
 */
const format = 'osmigrate metadata plan'
const formatVersion = 1

const body = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  { error: 'expected an object' },
)
const objects = <Kind extends string>(...kinds: readonly [Kind, ...Kind[]]) =>
  z.array(z.object({ kind: z.enum(kinds), name: z.string().min(1), body }))

const planFileSchema = z.object({
  source: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('snapshot'),
      repository: z.string(),
      snapshot: z.string(),
      uuid: z.string(),
    }),
    z.object({ kind: z.literal('cluster'), url: z.string() }),
  ]),
  target: z.object({ version: z.string(), url: z.string().optional() }),
  pipelines: objects('stored-script', 'ingest-pipeline', 'search-pipeline'),
  componentTemplates: objects('component-template'),
  legacyTemplates: objects('legacy-template'),
  indexTemplates: objects('index-template'),
  indices: z.array(
    z.object({
      kind: z.literal('index'),
      name: z.string().min(1),
      sourceUuid: z.string().min(1),
      body,
    }),
  ),
})

/** A plan as it was read from a file. */
export type PlanFile = z.output<typeof planFileSchema> & {
  /** For messages. */
  readonly path: string
}

/** The body that a person wants in the place of the planned one of an object (by objectKey()); undefined: none. */
export type PlanEdits = (key: string, planned: JsonObject) => JsonObject | undefined

export function objectKey({ kind, name }: { kind: string; name: string }): string {
  return `${kind} ${name}`
}

/** The text of the file. */
export function planFileText(plan: MetadataPlan): string {
  return `${JSON.stringify({ format, version: formatVersion, ...plan }, null, 2)}\n`
}

/** Checks all that migrating relies on; throws MA_CONFIG that names the file and what is wrong in it. */
export function parsePlanFile(text: string, path: string): PlanFile {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw wrongFile(path, `it is no JSON: ${(error as Error).message}`)
  }
  const head = z.object({ format: z.literal(format), version: z.number() }).safeParse(json)
  if (!head.success) throw wrongFile(path, 'metadata evaluate --output has not written it')
  if (head.data.version !== formatVersion) {
    throw wrongFile(
      path,
      `its version is ${head.data.version}; this osmigrate reads ${formatVersion}`,
    )
  }
  const result = planFileSchema.safeParse(json)
  if (!result.success) {
    const issues = result.error.issues.slice(0, 10)
    throw wrongFile(path, issues.map((one) => `${one.path.join('.')}: ${one.message}`).join('; '))
  }
  const file = { ...result.data, path }
  const keys = objectsOf(file).map(objectKey)
  const twice = keys.find((key, at) => keys.indexOf(key) !== at)
  if (twice !== undefined) throw wrongFile(path, `${twice} stands in it twice`)
  return file
}

function objectsOf(file: PlanFile): { kind: string; name: string; body: JsonObject }[] {
  const { pipelines, componentTemplates, legacyTemplates, indexTemplates, indices } = file
  return [...pipelines, ...componentTemplates, ...legacyTemplates, ...indexTemplates, ...indices]
}

/** The bodies of a plan file, by objectKey(). */
export function bodiesOf(file: PlanFile): ReadonlyMap<string, JsonObject> {
  return new Map(objectsOf(file).map((one) => [objectKey(one), one.body]))
}

/** Throws MA_CONFIG unless the file was made from this source, for a target of this version. */
export function requireSameOrigin(file: PlanFile, source: PlanSource, targetVersion: string): void {
  const names = { snapshot: sourceName(file.source), now: sourceName(source) }
  const same =
    file.source.kind === 'snapshot' && source.kind === 'snapshot'
      ? file.source.uuid === source.uuid
      : names.snapshot === names.now
  if (!same) {
    throw wrongFile(
      file.path,
      `it was made from ${names.snapshot}, and this migration is from ${names.now}`,
    )
  }
  const rules = (version: string): string => version.split('.').slice(0, 2).join('.')
  if (rules(file.target.version) !== rules(targetVersion)) {
    throw wrongFile(
      file.path,
      `it was made for OpenSearch ${file.target.version}, and the target is OpenSearch ${targetVersion}`,
    )
  }
}

function sourceName(source: PlanSource): string {
  return source.kind === 'snapshot'
    ? `the snapshot ${source.snapshot} (uuid ${source.uuid})`
    : `the live cluster ${source.url}`
}

/**
 * The plan without what is not in the file. Throws MA_CONFIG where the file names what the plan does not have, or
 * another incarnation of an index.
 */
export function onlyPlanFile(plan: MetadataPlan, file: PlanFile): MetadataPlan {
  const edits = bodiesOf(file)
  const planned = new Set(plannedObjects(plan).map(objectKey))
  const strange = [...edits.keys()].filter((key) => !planned.has(key))
  if (strange.length > 0) {
    throw wrongFile(
      file.path,
      `it names what is not in the source, not selected or not to be read: ${strange.slice(0, 10).join(', ')}`,
    )
  }
  for (const { name, sourceUuid } of file.indices) {
    const found = plan.indices.find((index) => index.name === name)?.sourceUuid
    if (found === sourceUuid) continue
    throw wrongFile(
      file.path,
      `it was made for another incarnation of ${name} (uuid ${sourceUuid}) than there is (uuid ${found}): it was deleted and made anew`,
    )
  }
  return withoutObjects(plan, (one) => !edits.has(objectKey(one)))
}

/** The plan without what a person has left out. */
export function withoutObjects(
  plan: MetadataPlan,
  isLeftOut: (one: { kind: string; name: string }) => boolean,
): MetadataPlan {
  const isIn = (one: { kind: string; name: string }): boolean => !isLeftOut(one)
  const left = plannedObjects(plan).filter(isLeftOut)
  const leftIndices = left.filter(({ kind }) => kind === 'index').map(({ name }) => name)
  return {
    ...plan,
    pipelines: plan.pipelines.filter(isIn),
    componentTemplates: plan.componentTemplates.filter(isIn),
    legacyTemplates: plan.legacyTemplates.filter(isIn),
    indexTemplates: plan.indexTemplates.filter(isIn),
    indices: plan.indices.filter(isIn),
    templatesNotSelected: [
      ...plan.templatesNotSelected,
      ...left.filter(({ kind }) => kind !== 'index').map(({ name }) => name),
    ],
    notSelected: [...plan.notSelected, ...leftIndices].sort(),
  }
}

/** What the file has otherwise than the plan would. */
function editChanges(planned: JsonObject, edited: JsonObject): PlannedChange[] {
  return differingPaths(planned, edited, 1000).map((path) => ({
    path,
    what: 'changed',
    reason: 'edited in the plan file',
    loss: false,
  }))
}

/** Plans an object, and once more with the body of the plan file where that is another one. */
export async function withEdit<T extends PlannedObject & { readonly kind: string }>(
  edits: PlanEdits | undefined,
  plan: (edited?: JsonObject) => Promise<T>,
): Promise<T> {
  const planned = await plan()
  const edited = edits?.(objectKey(planned), planned.body)
  if (edited === undefined || differingPaths(planned.body, edited).length === 0) {
    return planned
  }
  const again = await plan(edited)
  return { ...again, changes: [...again.changes, ...editChanges(planned.body, edited)] }
}

/** Why a body of the plan file cannot be sent that has settings which are kept back until the switch. */
export function withheldAgain(settings: readonly string[]): string {
  return `the plan file sets ${settings.join(', ')}, which osmigrate close sets at the switch: documents that are moved would be changed or refused. Take it out there`
}

function wrongFile(path: string, why: string): MigrationError {
  return new MigrationError(
    'MA_CONFIG',
    `${path} cannot be used as a plan: ${why}. Make it anew: osmigrate metadata evaluate --output FILE`,
    { details: { file: path } },
  )
}
