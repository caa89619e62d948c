import { parseRequest } from '../traffic/api/parse-request.ts'
import type { LoggedExchange } from '../traffic/exchanges.ts'
import type { Outcome, Signal } from './change.ts'
import { changesOfAnswer, documentChanges } from './document-changes.ts'
import { signalsOf } from './signals-of.ts'
import type { SourceIndex } from './source-index.ts'

/** What is known about the source when an exchange is looked at. */
export interface ChangesContext {
  /** The index of this very name; undefined: the source has none, or none that takes part. */
  index(name: string): SourceIndex | undefined
  /** Names of the indices that an alias or a data stream stands for; empty where it stands for none. */
  behind(name: string): readonly string[]
  /** Whether the source has mapping types (Elasticsearch below 9, OpenSearch 1): what a path means. */
  readonly typed: boolean
  /** Of each body when its encoding is taken off. */
  readonly bytesMax: number
}

/**
 * What an exchange made of documents, and what it may have done besides. It goes by the answer; where that does not tell, the
 * documents that the request names are to be read, and for those that it does not name there is a signal. Never throws.
 */
export function changesOf(exchange: LoggedExchange, context: ChangesContext): Outcome {
  const { request, response } = exchange
  if (request === undefined) {
    return response === undefined ? nothing : (changesOfAnswer(response, context) ?? anything)
  }
  const parsed = parseRequest(request.method, request.target, { typed: context.typed })
  if (parsed.effect === 'documents') {
    return documentChanges({ request, parsed, response }, context)
  }
  return { changes: [], signals: signalsOf({ request, parsed, response }, context.bytesMax) }
}

const nothing: Outcome = { changes: [], signals: [] }

const cause = 'an answer whose request is not in the log'
const everything: readonly Signal[] = [
  { what: 'metadata', indices: undefined, cause },
  { what: 'documents', indices: undefined, cause },
]
const anything: Outcome = { changes: [], signals: everything }
