import { matcher } from '../base/select.ts'
import type {
  Document,
  DocumentContext,
  Dropped,
  Fields,
  TransformModule,
  Value,
} from './module.ts'
import { SourceText } from './source-text.ts'

/** A step of `transform` in migration.yaml, loaded: a module of a user, or a declared step in the same form. */
export interface Step extends TransformModule {
  /** As a person knows it: `./shop.ts`, `rename`. */
  readonly name: string
  /** Patterns of source index names; all where there are none. */
  readonly indices?: readonly string[] | undefined
  readonly options: { readonly [name: string]: unknown }
  /** Documents that it drops were meant to be. */
  readonly allowDrop: boolean
}

/** Which of the functions a step has, and where it takes part: what others than its own thread know of it. */
export interface StepShape extends Pick<Step, 'name' | 'indices' | 'allowDrop'> {
  readonly functions: readonly (keyof TransformModule)[]
}

/** What is done to documents: as on the way to the target, or on the way back. */
export type Direction = 'document' | 'documentBack'

/** Names and text of a document. */
export interface DocumentText {
  readonly id: string
  readonly routing: string | undefined
  readonly type: string | undefined
  readonly source: string
}

/** Why a document is not sent. `refused`: it must not be changed so, which concerns its whole index. */
export type Unsent =
  | { readonly why: 'failed' | 'refused'; readonly reason: string }
  | { readonly why: 'dropped'; readonly reason: string; readonly allowed: boolean }

/** The steps that take part for an index, in order. */
export function stepsOf<T extends Pick<Step, 'indices'>>(steps: readonly T[], index: string): T[] {
  return steps.filter(({ indices }) => indices === undefined || matcher(indices)(index))
}

/** True when the documents of the index are changed on the way. */
export function changesDocuments(steps: readonly StepShape[], index: string): boolean {
  return stepsOf(steps, index).some(({ functions }) => functions.includes('document'))
}

/** The first step that changes documents of the index and has no inverse; undefined when all have. */
export function stepWithoutInverse(
  steps: readonly StepShape[],
  index: string,
): StepShape | undefined {
  return stepsOf(steps, index).find(
    ({ functions }) => functions.includes('document') && !functions.includes('documentBack'),
  )
}

/** The steps of one index in one direction, run on one document after the other. */
export class Pipeline {
  readonly #index: string
  readonly #direction: Direction
  readonly #steps: readonly Step[]
  readonly #mayRename: boolean

  /** `mayRename`: id and routing may change, since all numbers of the index come from one shard. */
  constructor(
    steps: readonly Step[],
    { index, direction, mayRename }: { index: string; direction: Direction; mayRename: boolean },
  ) {
    const own = stepsOf(steps, index).filter((step) => step[direction] !== undefined)
    this.#steps = direction === 'document' ? own : own.reverse()
    this.#index = index
    this.#direction = direction
    this.#mayRename = mayRename
  }

  /** The document as it is sent, or why it is not. Never throws what the steps throw. */
  run({ id, routing, type, source }: DocumentText): DocumentText | Unsent {
    let step: Step | undefined
    try {
      const text = new SourceText(source)
      let document: Document = {
        id,
        ...(routing !== undefined && { routing }),
        ...(type !== undefined && { type }),
        source: text.fields,
      }
      for (step of this.#steps) {
        const before = { id: document.id, routing: document.routing }
        const result = this.#call(step, document)
        if ('why' in result) return result
        document = result
        const refused = this.#refusedRenaming(step, before, document)
        if (refused !== undefined) return { why: 'refused', reason: refused }
      }
      return {
        id: document.id,
        routing: document.routing,
        type,
        source: text.write(document.source),
      }
    } catch (error) {
      return { why: 'failed', reason: `${step?.name ?? 'transform'}: ${describeError(error)}` }
    }
  }

  #call(step: Step, document: Document): Document | Unsent {
    const { options, allowDrop } = step
    let reason: string | undefined
    const drop = (why: string): Dropped => {
      reason = String(why).slice(0, reasonMax)
      return { dropped: reason }
    }
    const context: DocumentContext = { index: this.#index, options, drop }
    const result: unknown = step[this.#direction]!(document, context)
    if (reason !== undefined) return { why: 'dropped', reason, allowed: allowDrop }
    return checked(result)
  }

  #refusedRenaming(
    { name }: Step,
    before: Pick<DocumentText, 'id' | 'routing'>,
    after: Document,
  ): string | undefined {
    const what = before.id !== after.id ? 'id' : 'routing'
    const changed = before.id !== after.id || before.routing !== after.routing
    if (!changed || this.#mayRename) return undefined
    return (
      `${name} changes the ${what} of document ${JSON.stringify(before.id)} in index ${this.#index}, which has several ` +
      'shards: two documents of two shards could get one id, and then the numbers of the source do not say which is ' +
      'the newer. Leave the id and the routing as they are.'
    )
  }
}

const reasonMax = 200

/** What a function gave back, if it is a document. */
function checked(result: unknown): Document {
  if (result === undefined || result === null) {
    throw new Error(
      `it returned ${String(result)}; return the document, or ctx.drop(reason) to leave it out`,
    )
  }
  if (typeof result !== 'object') throw new Error(`it returned a ${typeof result}, not a document`)
  if ('then' in result) {
    throw new Error('it returned a promise; nobody waits for it: return the document itself')
  }
  const { id, routing, source } = result as Partial<Document>
  if (typeof id !== 'string' || id === '') throw new Error('the id that it returned is no text')
  if (routing !== undefined && typeof routing !== 'string') {
    throw new Error('the routing that it returned is no text')
  }
  if (typeof source !== 'object' || source === null) {
    throw new Error('the document that it returned has no source')
  }
  return result as Document
}

/** Whose mapping it is: that of an index, or of a template. */
export interface MappingOf {
  /** The index; of a template the first of its patterns. */
  readonly index: string
  readonly template?: { readonly name: string; readonly patterns: readonly string[] }
}

/** The steps for the mapping of a template: those for an index that it is for, by the words of its patterns. */
export function stepsOfMapping<T extends Pick<Step, 'indices'>>(
  steps: readonly T[],
  { index, template }: MappingOf,
): T[] {
  if (template === undefined) return stepsOf(steps, index)
  return steps.filter(
    ({ indices }) => indices === undefined || template.patterns.some(matcher(indices)),
  )
}

/** Runs `mapping` of all steps for it on the text of a mapping. Throws what the steps throw. */
export function transformMapping(steps: readonly Step[], of: MappingOf, json: string): string {
  const text = new SourceText(json)
  let mapping: Fields = text.fields
  const { index, template } = of
  const about = { index, ...(template && { template: template.name }) }
  for (const step of stepsOfMapping(steps, of)) {
    if (step.mapping === undefined) continue
    const result: Value = step.mapping(mapping, { ...about, options: step.options })
    if (typeof result !== 'object' || result === null || Array.isArray(result)) {
      throw new Error(`mapping of ${step.name} returned no mapping for ${mappingName(of)}`)
    }
    mapping = result
  }
  return text.write(mapping)
}

/** As a message says it. */
export function mappingName({ index, template }: MappingOf): string {
  return template === undefined ? `index ${index}` : `template ${template.name}`
}

/** Message and place of whatever was thrown. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return `it threw ${String(error)}`
  const place = /\((?:file:\/\/)?([^()]+:\d+):\d+\)|at (?:file:\/\/)?(\S+:\d+):\d+/.exec(
    error.stack?.slice(error.stack.indexOf('\n')) ?? '',
  )
  const where = place?.[1] ?? place?.[2]
  const file = where?.split('/').at(-1)
  const name = error.name === 'Error' ? '' : `${error.name}: `
  return file === undefined ? name + error.message : `${name}${error.message} (${file})`
}
