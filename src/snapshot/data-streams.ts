import { CorruptData } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { Fields } from './fields.ts'
import { parseObjects } from './index-metadata.ts'
import { parseContent } from './metadata-blob.ts'
import type { DataStream } from './snapshot.ts'

/**
 * Data streams of the cluster's metadata, specified in Elasticsearch's DataStreamMetadata and DataStreamAlias:
 *
 *   { "meta-data": { data_stream: streams, ... } }
 *
 *   streams = { data_stream: { <name>: { indices: [{ index_name, index_uuid }], hidden?, system?,
 *                                        failure_indices?: [{ index_name, ... }], ... } },
 *               data_stream_aliases?: { <alias>: { data_streams: [name], write_data_stream?,
 *                                                  filter?: query, filters?: { <name>: query } } } }
 *   query = object | text: base64 of the object in any form, perhaps compressed
 */
export function parseDataStreams(json: Json, file: string): DataStream[] {
  const metadata = new Fields(file, '', json).fields('meta-data')
  if (!metadata.has('data_stream')) return []
  const part = metadata.fields('data_stream')
  if (!part.has('data_stream')) return []
  const streams = part.fields('data_stream')
  const aliases = Object.entries(parseObjects(part, 'data_stream_aliases'))
  return Object.keys(streams.object).map((name) => {
    const stream = streams.fields(name)
    return {
      name,
      indices: indexNames(stream, 'indices'),
      failureIndices: indexNames(stream, 'failure_indices'),
      hidden: stream.object['hidden'] === true,
      system: stream.object['system'] === true,
      aliases: Object.fromEntries(
        aliases
          .filter(([, alias]) => listOf(alias.data_streams).includes(name))
          .map(([alias, options]) => [alias, aliasOptions(part, alias, options, name)]),
      ),
      raw: stream.object,
    }
  })
}

function indexNames(stream: Fields, key: string): string[] {
  return stream.has(key) ? stream.each(key).map((index) => index.text('index_name')) : []
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

/** What the alias is for this stream, as options of an alias of indices. */
function aliasOptions(
  part: Fields,
  alias: string,
  { filter, filters, write_data_stream: write }: JsonObject,
  stream: string,
): JsonObject {
  const query = filter ?? (isJsonObject(filters) ? filters[stream] : undefined)
  return {
    ...(write === stream && { is_write_index: true }),
    ...(query !== undefined && query !== null && { filter: parseQuery(part, alias, query) }),
  }
}

function parseQuery(part: Fields, alias: string, query: Json): JsonObject {
  const where = `${part.file} ${part.at(`data_stream_aliases.${alias}`)}`
  const parsed =
    typeof query === 'string' ? parseContent(Buffer.from(query, 'base64'), where) : query
  if (isJsonObject(parsed)) return parsed
  throw new CorruptData({ file: where, offset: 0, expected: 'a query', found: typeof parsed })
}
