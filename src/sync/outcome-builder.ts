import type { AnsweredItem } from '../traffic/answered-items.ts'
import { verdictOf } from './answered-exchange.ts'
import type { AskedWrite } from './asked-write.ts'
import { asRead, type Change, type Outcome, type Signal } from './change.ts'
import type { ChangesContext } from './changes-of.ts'
import type { SourceIndex } from './source-index.ts'

/** Collects what one exchange comes to. */
export class OutcomeBuilder implements Outcome {
  readonly changes: Change[] = []
  readonly #context: ChangesContext
  /** Made when there is something for them: most exchanges have no signals. */
  #unknownIndices: Set<string> | undefined
  /** Names by cause; undefined: any. */
  #signalled: Map<string, Set<string> | undefined> | undefined

  constructor(context: ChangesContext) {
    this.#context = context
  }

  get signals(): readonly Signal[] {
    const signals: Signal[] = []
    if (this.#unknownIndices !== undefined) {
      const cause = 'an index that is not known yet'
      signals.push({ what: 'metadata', indices: [...this.#unknownIndices], cause })
    }
    for (const [cause, names] of this.#signalled ?? []) {
      signals.push({ what: 'documents', indices: names && [...names], cause })
    }
    return signals
  }

  /** `item` is the answer to `asked`. */
  addAnswered(item: AnsweredItem, asked: AskedWrite): void {
    if (item.isError) {
      // Only a status can say that nothing was done.
      if (verdictOf(item.status) !== 'refused') this.#readRefused(item, asked)
      return
    }
    if (item.result === 'noop') return
    const index = this.#context.index(item.index)
    if (index === undefined) (this.#unknownIndices ??= new Set()).add(item.index)
    this.changes.push(changeOf(item, asked, index))
  }

  /** A document that the request names is to be read, since nobody knows what became of it. */
  readAsked(asked: AskedWrite): void {
    const name = this.#indexNamed(asked.index)
    const { id, type, hasClientVersion } = asked
    if (name === undefined || id === undefined || id === '') {
      const why = name === undefined ? 'that stands for no one index' : 'whose ids are not told'
      this.signalDocuments(asked.index === undefined ? undefined : [asked.index], `writes ${why}`)
      return
    }
    const routing = routingOf(name, asked, this.#context.index(name))
    this.changes.push(asRead({ index: name, id, type, hasClientVersion }, routing))
  }

  #readRefused({ index, id }: AnsweredItem, asked: AskedWrite): void {
    this.readAsked({ ...asked, index: asked.index ?? index, id: asked.id ?? id })
  }

  /** The one index that a name stands for; undefined: none that is known, or one of several. */
  #indexNamed(name: string | undefined): string | undefined {
    if (name === undefined) return undefined
    if (this.#context.index(name) !== undefined) return name
    const behind = this.#context.behind(name)
    if (behind.length === 0) (this.#unknownIndices ??= new Set()).add(name)
    return behind.length === 1 ? behind[0] : undefined
  }

  /** Documents that nothing names may have changed. */
  signalDocuments(indices: readonly string[] | undefined, cause: string): void {
    const signalled = (this.#signalled ??= new Map<string, Set<string> | undefined>())
    const isAny = indices === undefined || indices.some(isCalculated)
    if (isAny) signalled.set(cause, undefined)
    else if (!signalled.has(cause)) signalled.set(cause, new Set(indices))
    else for (const name of indices) signalled.get(cause)?.add(name)
  }
}

/** `<logs-{now/d}>`: which index it is follows from the time. */
function isCalculated(name: string): boolean {
  return name.startsWith('<')
}

function changeOf(item: AnsweredItem, asked: AskedWrite, index: SourceIndex | undefined): Change {
  const { seqNo, primaryTerm, version, type = asked.type } = item
  const routing = routingOf(item.index, asked, index, item)
  const what = whatOf(item, asked, index, routing)
  return {
    index: item.index,
    id: item.id,
    routing,
    what,
    ...(what === 'write' && { source: asked.source! }),
    ...(seqNo !== undefined && { seqNo }),
    ...(primaryTerm !== undefined && { primaryTerm }),
    ...(version !== undefined && { version }),
    ...(asked.id === undefined && item.result === 'created' && { isNew: true }),
    ...(asked.hasClientVersion && { hasClientVersion: true }),
    ...(type !== undefined && { type }),
  }
}

function whatOf(
  item: AnsweredItem,
  asked: AskedWrite,
  index: SourceIndex | undefined,
  routing: string | null | undefined,
): Change['what'] {
  const { result, seqNo, version, id } = item
  const isNumbered = asked.hasClientVersion
    ? version !== undefined
    : (seqNo ?? version) !== undefined
  if (!isNumbered || routing === undefined) return 'read'
  if (result === 'deleted' || result === 'not_found') return 'delete'
  if (index === undefined || asked.source === undefined) return 'read'
  if (runsPipeline(asked, index)) return 'read'
  return asked.id === undefined || asked.id === id ? 'write' : 'read'
}

/** A pipeline may set it, whatever the request says; before 6.0 a field of the document may, too. */
function routingOf(
  name: string,
  asked: AskedWrite,
  index: SourceIndex | undefined,
  item?: AnsweredItem,
): string | null | undefined {
  const isDelete = item?.op === 'delete' || (item === undefined && asked.op === 'delete')
  if (!isDelete && runsPipeline(asked, index)) return undefined
  if (asked.routing !== null) return asked.routing
  if (item !== undefined && item.seqNo === undefined && index?.mayRoute === true) return undefined
  return routingOfName(asked.index, name, index)
}

function runsPipeline({ namesPipeline }: AskedWrite, index: SourceIndex | undefined): boolean {
  return namesPipeline || index === undefined || index.runsPipeline
}

/** The routing of a write without one, by the name that it goes through. */
function routingOfName(
  named: string | undefined,
  name: string,
  index: SourceIndex | undefined,
): string | null | undefined {
  if (named === name || (index?.dataStream !== undefined && named === index.dataStream)) return null
  if (index === undefined) return undefined
  const alias = named === undefined ? undefined : index.aliases.get(named)
  if (alias !== undefined) return alias.indexRouting
  // It went through another name, that stands for something else by now: at most a name with a routing of those.
  const mayBeRouted = [...index.aliases.values()].some(({ indexRouting }) => indexRouting !== null)
  return named === undefined || isCalculated(named) ? (mayBeRouted ? undefined : null) : undefined
}
