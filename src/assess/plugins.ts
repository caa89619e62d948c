import type { PluginFacts } from './assessment.ts'

type Counterpart = Pick<PluginFacts, 'onTarget' | 'note'>

/** Plugins of the source that OpenSearch has under the same name: they must be on each node of the target. */
const sameNames = [
  'analysis-icu',
  'analysis-kuromoji',
  'analysis-nori',
  'analysis-phonetic',
  'analysis-smartcn',
  'analysis-stempel',
  'analysis-ukrainian',
  'discovery-azure-classic',
  'discovery-ec2',
  'discovery-gce',
  'ingest-attachment',
  'mapper-annotated-text',
  'mapper-murmur3',
  'mapper-size',
  'repository-azure',
  'repository-gcs',
  'repository-hdfs',
  'repository-s3',
  'store-smb',
]

/** Others that are known, each with what OpenSearch has in its place. */
const others: { readonly [name: string]: Counterpart } = {
  'ingest-geoip': { onTarget: 'built in', note: 'a module of OpenSearch' },
  'ingest-user-agent': { onTarget: 'built in', note: 'a module of OpenSearch' },
  'cloud-aws': { onTarget: 'replaced', note: 'repository-s3 and discovery-ec2' },
  'cloud-azure': { onTarget: 'replaced', note: 'repository-azure' },
  'cloud-gce': { onTarget: 'replaced', note: 'repository-gcs and discovery-gce' },
  'delete-by-query': { onTarget: 'built in', note: 'an API of OpenSearch' },
  'mapper-attachments': { onTarget: 'replaced', note: 'ingest-attachment, at indexing' },
  'x-pack': {
    onTarget: 'replaced',
    note: 'the plugins security, alerting, index-management, ml-commons',
  },
  shield: { onTarget: 'replaced', note: 'the plugin security' },
  watcher: { onTarget: 'replaced', note: 'the plugin alerting' },
  'search-guard-*': {
    onTarget: 'replaced',
    note: 'the plugin security, whose configuration is of the same descent',
  },
  'opendistro*': { onTarget: 'replaced', note: 'the plugin of OpenSearch of the same purpose' },
  'opensearch-*': { onTarget: 'same name', note: 'a plugin of OpenSearch' },
}

/** What OpenSearch has in the place of a plugin. */
export function counterpartOf(name: string): Counterpart {
  if (sameNames.includes(name)) {
    return { onTarget: 'same name', note: 'install it on each node of the target' }
  }
  const known = Object.entries(others).find(([pattern]) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  )
  return (
    known?.[1] ?? {
      onTarget: 'none known',
      note: 'find out what uses it, and what the target has for that',
    }
  )
}
