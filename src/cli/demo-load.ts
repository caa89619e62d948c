import { MigrationError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { demoIndices, demoTemplates } from './demo-data.ts'

/** Fills the source of the demo; `onBytes` is told what was sent so far. */
export async function loadSampleData(
  source: Cluster,
  {
    scale,
    signal,
    onBytes,
  }: { scale: number; signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<void> {
  for (const [name, body] of Object.entries(demoTemplates)) {
    await source.request('PUT', `/_index_template/${name}`, { body, signal })
  }
  let bytes = 0
  for (const index of demoIndices(scale)) {
    await source.request('PUT', `/${index.name}`, { body: index.create, signal })
    // Order matters: an update must find what it changes. So one bulk goes after the other.
    for (const body of index.bulks()) {
      await send(source, body, signal)
      onBytes((bytes += body.length))
    }
  }
  await source.request('POST', '/_refresh', { signal })
}

async function send(source: Cluster, body: Buffer, signal: AbortSignal): Promise<void> {
  const answer = await source.request('POST', '/_bulk', {
    body,
    query: { filter_path: 'errors,items.*.error' },
    signal,
  })
  if (answer.body.errors !== true) return
  throw new MigrationError(
    'MA_CLUSTER_RESPONSE',
    `the source refused sample data: ${JSON.stringify(firstError(answer.body)).slice(0, 500)}`,
  )
}

function firstError(body: JsonObject): unknown {
  const items = Array.isArray(body.items) ? body.items : []
  return items.find((item) => isJsonObject(item) && Object.keys(item).length > 0)
}
