import type { ApiRoutes } from './api-table.ts'

/** Answers from documents. */
export const readApis: ApiRoutes = {
  search: [
    'GET|POST [/{index}[/{type}]]/_search',
    'GET|POST [/{index}]/_knn_search',
    'GET|POST [/{index}]/_fleet/_fleet_search',
    'GET|POST /_application/search_application/{name}/_search',
    'GET|POST [/{index}]/_rollup_search',
    'GET|POST /{index}/_semantic_search',
  ],
  msearch: [
    'GET|POST [/{index}[/{type}]]/_msearch',
    'GET|POST [/{index}]/_fleet/_fleet_msearch',
    'GET|POST [/{index}]/_fleet/_msearch',
  ],
  search_template: ['GET|POST [/{index}[/{type}]]/_search/template'],
  msearch_template: ['GET|POST [/{index}[/{type}]]/_msearch/template'],
  search_exists: ['GET|POST [/{index}[/{type}]]/_search/exists'],
  count: ['GET|POST [/{index}[/{type}]]/_count'],
  get: ['GET|HEAD /{index}/_doc/{id}', 'GET|HEAD /{index}/{type}/{id}'],
  get_source: [
    'GET|HEAD /{index}/_source/{id}',
    'GET|HEAD /{index}/_doc/{id}/_source',
    'GET|HEAD /{index}/{type}/{id}/_source',
  ],
  mget: ['GET|POST [/{index}[/{type}]]/_mget'],
  explain: ['GET|POST /{index}/_explain/{id}', 'GET|POST /{index}/{type}/{id}/_explain'],
  termvectors: [
    'GET|POST /{index}/_termvectors[/{id}]',
    // Without an id Elasticsearch 1 takes the last segment for one, and writes.
    'GET|POST /{index}/{type}/{id}/_termvectors',
    'GET /{index}/{type}/_termvectors',
    'GET|POST /{index}/{type}/{id}/_termvector',
    'GET /{index}/{type}/_termvector',
  ],
  mtermvectors: ['GET|POST [/{index}[/{type}]]/_mtermvectors'],
  more_like_this: ['GET|POST /{index}/{type}/{id}/_mlt'],
  percolate: [
    'GET|POST /{index}/{type}[/{id}]/_percolate',
    'GET|POST /{index}/{type}[/{id}]/_percolate/count',
    'GET|POST [/{index}[/{type}]]/_mpercolate',
  ],
  suggest: ['GET|POST [/{index}]/_suggest', 'GET|POST /{index}/{type}/_suggest'],
  validate_query: ['GET|POST [/{index}[/{type}]]/_validate/query'],
  rank_eval: ['GET|POST [/{index}]/_rank_eval'],
  field_caps: ['GET|POST [/{index}]/_field_caps'],
  field_stats: ['GET|POST [/{index}]/_field_stats'],
  terms_enum: ['GET|POST /{index}/_terms_enum'],
  graph: [
    'GET|POST|PUT /{index}[/{type}]/_graph/explore',
    'GET|POST|PUT /{index}[/{type}]/_xpack/graph/_explore',
    'GET|POST|PUT /{index}[/{type}]/_xpack/_graph/_explore',
  ],
  vector_tile: ['GET|POST /{index}/_mvt/{field}/{zoom}/{x}/{y}'],
  sql: ['GET|POST /_sql', 'GET|POST /_sql/translate'],
  esql: ['POST /_query', 'GET /_query/queries[/{id}]'],
  ppl: [
    'POST /_plugins/_ppl',
    'POST /_plugins/_ppl/_explain',
    'POST /_plugins/_sql/_explain',
    'POST /_nlpcn/sql/explain',
  ],
}

/** Reads with a thing on the side that lives on: scrolls, points in time, results that are kept. */
export const cursorApis: ApiRoutes = {
  scroll: ['GET|POST /_search/scroll[/{scroll_id}]'],
  clear_scroll: ['DELETE /_search/scroll[/{scroll_id}]'],
  open_pit: ['POST [/{index}]/_pit', 'POST /{index}/_search/point_in_time'],
  close_pit: ['DELETE /_pit', 'DELETE /_search/point_in_time[/_all]'],
  async_search: [
    'POST [/{index}]/_async_search',
    'GET|DELETE /_async_search/{id}',
    'GET /_async_search/status/{id}',
    'POST /_plugins/_asynchronous_search',
    'GET|DELETE /_plugins/_asynchronous_search/{id}',
  ],
  eql: [
    'GET|POST /{index}/_eql/search',
    'GET|DELETE /_eql/search/{id}',
    'GET /_eql/search/status/{id}',
  ],
  sql_cursor: [
    'POST /_sql/close',
    'POST /_plugins/_sql/close',
    'GET /_sql/async/{id}',
    'GET /_sql/async/status/{id}',
    'DELETE /_sql/async/delete/{id}',
  ],
  esql_async: [
    'POST /_query/async',
    'GET|DELETE /_query/async/{id}',
    'POST /_query/async/{id}/stop',
  ],
}
