import type { LeftOut } from '../base/select-indices.ts'
import { matcher } from '../base/select.ts'
import type { NotCarried } from './plan.ts'

interface SystemKind {
  readonly patterns: readonly string[]
  readonly kind: string
  readonly reason: string
}

const byPlugin = (name: string): string =>
  `make them anew on the target by the API of ${name}, where they are still wanted`

/**
 * What users make that engines and their plugins keep in indices of their own. What only notes how something ran, or is
 * made again by itself (history, locks, monitoring), is not here.
 */
const systemKinds: readonly SystemKind[] = [
  {
    patterns: ['.kibana*', '.opensearch_dashboards*'],
    kind: 'saved objects of dashboards',
    reason:
      'export them where they are (Saved Objects), and import them into OpenSearch Dashboards',
  },
  {
    patterns: ['.security', '.security-*', '.opendistro_security', '.opensearch_security'],
    kind: 'security objects',
    reason: 'users, roles and keys are made on the target by its own security plugin',
  },
  { patterns: ['.watches'], kind: 'watches', reason: byPlugin('Alerting') },
  {
    patterns: ['.opendistro-alerting-config'],
    kind: 'alerting monitors',
    reason: byPlugin('Alerting'),
  },
  {
    patterns: ['.opendistro-ism-config'],
    kind: 'index state policies',
    reason: byPlugin('Index State Management'),
  },
  {
    patterns: ['.opendistro-anomaly-detectors'],
    kind: 'anomaly detectors',
    reason: byPlugin('Anomaly Detection'),
  },
  {
    patterns: ['.opensearch-notifications-config'],
    kind: 'notification channels',
    reason: byPlugin('Notifications'),
  },
  {
    patterns: ['.ml-config', '.ml-inference-*', '.plugins-ml-model*', '.plugins-ml-config'],
    kind: 'machine learning jobs and models',
    reason: byPlugin('ML Commons'),
  },
  { patterns: ['.opensearch-knn-models'], kind: 'k-NN models', reason: byPlugin('k-NN') },
  {
    patterns: ['.transform-internal-*', '.data-frame-internal-*'],
    kind: 'transforms',
    reason: byPlugin('Index Transforms'),
  },
  {
    patterns: ['.synonyms-*'],
    kind: 'sets of synonyms',
    reason: 'OpenSearch has none: write them into the analysers that use them, or into files',
  },
  {
    patterns: ['.fleet-*', '.logstash', '.connector-*', '.search-app-*', '.query-rules-*'],
    kind: 'objects of the Elastic stack',
    reason: 'OpenSearch has nothing in their place',
  },
  {
    patterns: [
      ...['.opensearch-sap-*', '.opensearch-observability', '.ql-datasources'],
      ...['.plugins-flow-framework-*', '.opendistro-reports-*', '.geospatial-ip2geo*'],
    ],
    kind: 'objects of a plugin',
    reason: byPlugin('the plugin'),
  },
]

/** What stays behind with the engine's own indices that are left out: by kind, with the index that holds it. */
export function systemObjectsLeft(leftOut: readonly LeftOut[]): NotCarried[] {
  return leftOut.flatMap(({ index }) => {
    const found = systemKinds.find(({ patterns }) => matcher(patterns)(index))
    return found ? [{ kind: found.kind, name: index, reason: found.reason }] : []
  })
}
