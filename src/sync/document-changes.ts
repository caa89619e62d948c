import { answeredItems, type AnsweredItem } from '../traffic/answered-items.ts'
import type { ParsedRequest } from '../traffic/api/parse-request.ts'
import type { CapturedResponse, ThinItem, ThinResponse } from '../traffic/exchange.ts'
import { headerValue } from '../traffic/kept-heads.ts'
import { verdictOf, type AnsweredExchange, type Verdict } from './answered-exchange.ts'
import { askedWrites, type AskedWrite } from './asked-write.ts'
import type { Outcome } from './change.ts'
import type { ChangesContext } from './changes-of.ts'
import { OutcomeBuilder } from './outcome-builder.ts'

type Response = CapturedResponse | ThinResponse

/** What a request of the effect `documents` changed. */
export function documentChanges(exchange: AnsweredExchange, context: ChangesContext): Outcome {
  const { request, parsed, response } = exchange
  const found = new OutcomeBuilder(context)
  const verdict = writeVerdict(parsed, response?.status)
  if (verdict === 'refused') return found
  const items = verdict === 'done' ? answersOf(response!, parsed.api, context.bytesMax) : undefined
  // An error in the place of an answer: the index to delete from is not there.
  if (response?.status === 404 && items?.length === 0) return found
  const asked = askedWrites(request, parsed, context.bytesMax)
  const isTold =
    items !== undefined &&
    asked?.length === items.length &&
    items.every((item, at) => answers(item, asked[at]!))
  items?.forEach((item, at) => found.addAnswered(item, isTold ? asked[at]! : askedFor(item)))
  if (isTold || (items !== undefined && items.length > 0 && asked === undefined)) return found
  if (asked === undefined) found.signalDocuments(parsed.indices, 'a bulk that is not read here')
  else for (const one of asked) found.readAsked(one)
  return found
}

/** Whether an item of an answer is about what was asked: a pipeline may give a new document another id. */
function answers({ op, id, isError }: AnsweredItem, asked: AskedWrite): boolean {
  if (op === 'index' || op === 'create') return asked.op === 'index' || asked.op === 'create'
  return op === asked.op && (isError || id === asked.id)
}

/** What an answer alone tells, its request not being in the log; undefined: it names no documents. */
export function changesOfAnswer(response: Response, context: ChangesContext): Outcome | undefined {
  const { bytesMax } = context
  const items = answersOf(response, 'bulk', bytesMax) ?? answersOf(response, 'index', bytesMax)
  if (items === undefined || items.length === 0) return undefined
  const found = new OutcomeBuilder(context)
  for (const item of items) found.addAnswered(item, askedFor(item))
  return found
}

/** Newer engines carry out a bulk while it comes: where its end was refused, a part may be done. */
const refusedInPart: readonly number[] = [400, 413]

function writeVerdict({ api }: ParsedRequest, status: number | undefined): Verdict {
  if (api === 'delete' && status === 404) return 'done'
  if (api === 'bulk' && refusedInPart.includes(status ?? 0)) return 'unknown'
  return verdictOf(status)
}

/** An item of an answer, and the routing that a thin record keeps of its request. */
interface Answer extends AnsweredItem {
  /** null: the request named none. undefined: not told. */
  readonly routing?: string | null
}

/** Undefined where the answer does not tell. */
function answersOf(response: Response, api: string, bytesMax: number): Answer[] | undefined {
  if (response.kind === 'thin') return response.items.map(answerOfThin)
  const { body, bodyBytes, headers } = response
  if (body.length < bodyBytes) return undefined
  const encoding = headerValue(headers, 'content-encoding')
  return answeredItems({ api }, { body, encoding }, bytesMax)
}

const opsOfResults: Readonly<Record<string, string>> = {
  created: 'index',
  updated: 'index',
  noop: 'update',
  deleted: 'delete',
  not_found: 'delete',
}

/** Errors that say that nothing was done; of others a thin record does not tell it. */
const refusals: readonly string[] = [
  'version_conflict_engine_exception',
  'document_missing_exception',
  'mapper_parsing_exception',
  'document_parsing_exception',
  'strict_dynamic_mapping_exception',
  'routing_missing_exception',
  'illegal_argument_exception',
]

function answerOfThin(item: ThinItem): Answer {
  const op = opsOfResults[item.result]
  const { routing = null } = item
  const common = { ...item, routing, op: op ?? 'index', isError: op === undefined }
  return refusals.includes(item.result) ? { ...common, status: 400 } : common
}

/** In the place of what was asked, where that is not told. */
function askedFor({ routing, id }: Answer): AskedWrite {
  return {
    op: 'update',
    index: undefined,
    type: undefined,
    id,
    routing,
    namesPipeline: true,
    hasClientVersion: false,
    source: undefined,
  }
}
