/**
 * What a request does on the source, at most.
 *
 * - `read`: answers from documents, and changes nothing.
 * - `cursor`: as read, and it makes, uses or ends something that reads go on with: a scroll, a PIT, an async search.
 * - `monitor`: tells about the cluster, its indices and settings.
 * - `upkeep`: the same content afterwards, in another place or form: refresh, flush, merge, caches.
 * - `documents`: changes documents, and the answer names each of them.
 * - `by-query`: changes documents that the answer does not name.
 * - `indices`: makes, changes or removes indices, data streams, mappings, settings of indices, aliases.
 * - `cluster`: changes anything else: templates, pipelines, policies, users, settings of the cluster.
 * - `unknown`: a path that no row names, asked with a method that is not safe.
 */
export type Effect =
  | 'read'
  | 'cursor'
  | 'monitor'
  | 'upkeep'
  | 'documents'
  | 'by-query'
  | 'indices'
  | 'cluster'
  | 'unknown'

/**
 * An API by its name, with its routes: `GET|POST [/{index}[/{type}]]/_search`. A part in square brackets may be left out,
 * `{…}` is one segment, `**` at the end is any number of them. Routes with `{type}` are those of engines with types.
 */
export type ApiRoutes = Readonly<Record<string, readonly string[]>>

/** Whether a request with this effect is recorded as a write. */
export function effectMayWrite(effect: Effect): boolean {
  switch (effect) {
    case 'read':
    case 'cursor':
    case 'monitor':
    case 'upkeep':
      return false
    case 'documents':
    case 'by-query':
    case 'indices':
    case 'cluster':
    case 'unknown':
      return true
  }
}
