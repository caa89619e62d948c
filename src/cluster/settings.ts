import { isJsonObject, type Json } from '../base/json.ts'
import type { Cluster } from './cluster.ts'

/** Settings of indices and of the cluster, one by one, by their flat names. Values are texts; null is not set. */

/** undefined when there is no such index. */
export async function readIndexSetting(
  cluster: Cluster,
  index: string,
  setting: string,
): Promise<string | null | undefined> {
  const answer = await cluster.request('GET', `/${encodeURIComponent(index)}/_settings`, {
    query: { flat_settings: true },
    accept: [404],
  })
  if (answer.status === 404) return undefined
  const [found] = Object.values(answer.body)
  return valueIn(isJsonObject(found) ? found.settings : undefined, setting)
}

/** Sets it; null takes it off. */
export async function applyIndexSetting(
  cluster: Cluster,
  index: string,
  setting: string,
  value: string | null,
): Promise<void> {
  await cluster.request('PUT', `/${encodeURIComponent(index)}/_settings`, {
    body: { [setting]: value },
    repeatable: true,
  })
}

/** The persistent one. */
export async function readClusterSetting(
  cluster: Cluster,
  setting: string,
): Promise<string | null> {
  const answer = await cluster.request('GET', '/_cluster/settings', {
    query: { flat_settings: true },
  })
  return valueIn(answer.body.persistent, setting)
}

/** Sets the persistent one; null takes it off. */
export async function applyClusterSetting(
  cluster: Cluster,
  setting: string,
  value: string | null,
): Promise<void> {
  await cluster.request('PUT', '/_cluster/settings', {
    body: { persistent: { [setting]: value } },
    repeatable: true,
  })
}

/** A setting's value as the engines print it. */
export function settingText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function valueIn(settings: Json | undefined, setting: string): string | null {
  const value = isJsonObject(settings) ? settings[setting] : undefined
  return value === undefined || value === null ? null : settingText(value)
}
