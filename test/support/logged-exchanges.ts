/** Exchanges as a capture log holds them, and a source with some indices, for tests of what they come to. */
import type { LoggedExchange } from '../../src/traffic/exchanges.ts'
import type { ChangesContext } from '../../src/sync/changes-of.ts'
import type { Outcome } from '../../src/sync/change.ts'
import type { SourceIndex } from '../../src/sync/source-index.ts'

export interface ExchangeParts {
  /** Method and target. */
  readonly line: string
  readonly body?: string | Uint8Array
  /** undefined: no answer is in the log. */
  readonly status?: number
  readonly answer?: string | Uint8Array
  readonly headers?: readonly string[]
  readonly answerHeaders?: readonly string[]
}

export function loggedExchange(parts: ExchangeParts): LoggedExchange {
  const { line, body = '', status, answer = '', headers = [], answerHeaders = [] } = parts
  const at = line.indexOf(' ')
  const exchange = { proxy: 'p1', number: 1 }
  const times = { firstByteAt: 1, lastByteAt: 2 }
  const sent = Buffer.from(body)
  const answered = Buffer.from(answer)
  return {
    kind: 'exchange',
    request: {
      ...{ kind: 'request', exchange, ...times, connection: 1, mayWrite: true },
      ...{ method: line.slice(0, at), target: line.slice(at + 1), headers },
      ...{ body: sent, bodyBytes: sent.length },
    },
    response:
      status === undefined
        ? undefined
        : {
            ...{ kind: 'response', exchange, ...times, status, headers: answerHeaders },
            ...{ body: answered, bodyBytes: answered.length },
          },
  }
}

export function sourceIndex(name: string, more: Partial<SourceIndex> = {}): SourceIndex {
  return {
    name,
    uuid: `uuid-${name}`,
    isOpen: true,
    numberOfShards: 2,
    numberOfRoutingShards: 2,
    routingPartitionSize: 1,
    runsPipeline: false,
    mayRoute: false,
    aliases: new Map(),
    shards: [],
    ...more,
  }
}

export function changesContext(
  indices: readonly SourceIndex[],
  more: Partial<ChangesContext> = {},
): ChangesContext {
  const byName = new Map(indices.map((index) => [index.name, index]))
  return {
    index: (name) => byName.get(name),
    behind: (name) =>
      indices
        .filter((index) => index.aliases.has(name) || index.dataStream === name)
        .map((index) => index.name),
    typed: false,
    bytesMax: 1 << 20,
    ...more,
  }
}

/** An outcome in words: a line each for changes and signals. */
export function outcomeText({ changes, signals }: Outcome): string[] {
  return [
    ...changes.map((change) => {
      const { what, index, type, id, routing, seqNo, version, source } = change
      const number = seqNo === undefined ? `v${version ?? '?'}` : `#${seqNo}`
      const flags = `${change.isNew === true ? ' new' : ''}${change.hasClientVersion === true ? ` client:${version ?? '?'}` : ''}`
      const place = [index, ...(type === undefined ? [] : [type]), id].join('/')
      return `${what} ${place} ${number}${routingText(routing)}${flags}${source ? ` ${source.toString()}` : ''}`
    }),
    ...signals.map(({ what, indices }) => `signal ${what} ${indices?.join(',') ?? 'any'}`),
  ]
}

function routingText(routing: string | null | undefined): string {
  if (routing === undefined) return ' routing?'
  return routing === null ? '' : ` routing=${routing}`
}
