/** All metadata of an engine of a test's own. */
import { isJsonObject, type Json, type JsonObject } from '../../src/base/json.ts'
import { send, type EngineFacts } from './engines.ts'

/** All that a cluster tells of its metadata. */
export async function allMetadata(engine: EngineFacts): Promise<JsonObject> {
  const state = await send<{ metadata: JsonObject }>(engine, 'GET', '/_cluster/state/metadata')
  const { indices, templates, index_template, component_template, ingest, stored_scripts } =
    state.metadata
  const parts = { templates, index_template, component_template, ingest, stored_scripts }
  const versions = await send(engine, 'GET', '/_all?expand_wildcards=all&flat_settings=true')
  const settings = await send(engine, 'GET', '/_cluster/settings')
  return {
    ...(Object.fromEntries(
      Object.entries(parts).filter(([, value]) => value !== undefined),
    ) as JsonObject),
    names: Object.keys(isJsonObject(indices) ? indices : {}),
    versions,
    settings,
  }
}

/** Takes all away that is not the engine's own. */
export async function wipe(target: EngineFacts): Promise<void> {
  const remove = (path: string) => send(target, 'DELETE', path)
  await remove('/_data_stream/*')
  const { metadata } = await send<{ metadata: JsonObject }>(
    target,
    'GET',
    '/_cluster/state/metadata',
  )
  const keys = (value: Json | undefined): string[] =>
    isJsonObject(value) ? Object.keys(value) : []
  const inner = (part: string, key: string): string[] => {
    const value = metadata[part]
    return keys(isJsonObject(value) ? value[key] : undefined)
  }
  // With the block on only the block may be changed.
  const blocks = { 'index.blocks.read_only': null }
  const names = keys(metadata.indices)
  if (names.length > 0) await send(target, 'PUT', '/_all/_settings?expand_wildcards=all', blocks)
  for (let at = 0; at < names.length; at += 50) {
    const some = names.slice(at, at + 50).join(',')
    await remove(`/${some}?ignore_unavailable=true&expand_wildcards=all`)
  }
  for (const name of inner('index_template', 'index_template'))
    await remove(`/_index_template/${name}`)
  for (const name of inner('component_template', 'component_template')) {
    await remove(`/_component_template/${name}`)
  }
  for (const name of keys(metadata.templates)) await remove(`/_template/${name}`)
  for (const name of keys(await send(target, 'GET', '/_ingest/pipeline').catch(() => ({})))) {
    await remove(`/_ingest/pipeline/${name}`)
  }
  for (const name of keys(metadata.stored_scripts)) await remove(`/_scripts/${name}`)
  const searchPipelines = await send(target, 'GET', '/_search/pipeline').catch(() => ({}))
  for (const name of keys(searchPipelines)) await remove(`/_search/pipeline/${name}`)
}
