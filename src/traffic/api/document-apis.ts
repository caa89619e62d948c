import type { ApiRoutes } from './api-table.ts'

/** The answer names index, id and result of each document. */
export const documentApis: ApiRoutes = {
  bulk: [
    'POST|PUT [/{index}[/{type}]]/_bulk',
    'POST|PUT [/{index}]/_bulk/stream',
    'POST|PUT [/{index}[/{type}]]/_streaming_bulk',
  ],
  index: [
    'PUT|POST /{index}/_doc/{id}',
    'POST /{index}/_doc',
    'PUT|POST /{index}/{type}/{id}',
    'POST /{index}/{type}',
  ],
  create: ['PUT|POST /{index}/_create/{id}', 'PUT|POST /{index}/{type}/{id}/_create'],
  update: ['POST /{index}/_update/{id}', 'POST /{index}/{type}/{id}/_update'],
  delete: ['DELETE /{index}/_doc/{id}', 'DELETE /{index}/{type}/{id}'],
}

/** What was changed is not in the answer. */
export const byQueryApis: ApiRoutes = {
  delete_by_query: [
    'POST [/{index}[/{type}]]/_delete_by_query',
    // Elasticsearch 1, and the plugin of 2.
    'DELETE [/{index}[/{type}]]/_query',
  ],
  update_by_query: ['POST [/{index}[/{type}]]/_update_by_query'],
  reindex: ['POST|PUT /_reindex'],
  migrate_reindex: ['POST /_migration/reindex', 'POST /_migration/reindex/{index}/_cancel'],
  // `DELETE FROM` is in the language of the plugin, by GET as well.
  sql_plugin: [
    'GET|POST /_plugins/_sql',
    'GET|POST /_nlpcn/sql',
    'GET|POST /_sql/_plugin',
    'POST /_plugins/_async_query',
    'POST /_plugins/_query/_direct',
  ],
  ingest_telemetry: [
    'POST|PUT /_otlp/**',
    'POST|PUT /_prometheus/**',
    'POST /_application/analytics/{name}/event/{event}',
  ],
}
