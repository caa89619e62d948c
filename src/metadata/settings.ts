import type { Json, JsonObject } from '../base/json.ts'
import { isJsonObject } from '../base/json.ts'
import { matcher } from '../base/select.ts'
import { settingText } from '../cluster/settings.ts'
import type { PlannedChange } from './plan.ts'

/** Settings by full name (`index.…`); a value is text, or a list of texts. */
export type FlatSettings = { [name: string]: Json }

interface SettingRule {
  /** Full names, `*` for any run of characters. */
  readonly names: readonly string[]
  readonly what: 'dropped' | 'withheld'
  readonly reason: string
  readonly loss: boolean
}

/** What is not sent to the target. The first rule that fits holds; a setting that fits none goes over as it is. */
const rules: readonly SettingRule[] = [
  {
    names: ['index.uuid', 'index.history.uuid', 'index.creation_date*', 'index.provided_name'],
    what: 'dropped',
    reason: 'the engine gives each index its own',
    loss: false,
  },
  {
    names: ['index.version.*'],
    what: 'dropped',
    reason: 'says which engine made the index; the target notes its own version',
    loss: false,
  },
  {
    names: ['index.resize.*', 'index.shrink.*', 'index.routing.allocation.initial_recovery.*'],
    what: 'dropped',
    reason: 'left over from a shrink, split or clone on the source',
    loss: false,
  },
  {
    names: ['index.soft_deletes.*', 'index.translog.retention.*'],
    what: 'dropped',
    reason: 'OpenSearch always keeps soft deletes and decides itself how long',
    loss: false,
  },
  {
    names: ['index.store.type', 'index.store.snapshot.*', 'index.store.stats_refresh_interval'],
    what: 'dropped',
    reason: 'how files lie on disk is for the target to say',
    loss: false,
  },
  {
    names: ['index.frozen', 'index.search.throttled', 'index.verified_before_close'],
    what: 'dropped',
    reason: 'state of a closed or frozen index; the target index is open to be written to',
    loss: false,
  },
  {
    names: ['index.allocation.existing_shards_allocator', 'index.data_path'],
    what: 'dropped',
    reason: "says where the source's shards lie",
    loss: false,
  },
  {
    names: ['index.mapping.single_type', 'index.mapper.dynamic'],
    what: 'dropped',
    reason: 'mapping types are gone; what it switched is always so on the target',
    loss: false,
  },
  {
    // Elasticsearch 7.10 and later set it on every index by themselves.
    names: ['index.routing.allocation.include._tier_preference'],
    what: 'dropped',
    reason: 'OpenSearch has no data tiers',
    loss: false,
  },
  {
    names: [
      'index.routing.allocation.include.*',
      'index.routing.allocation.exclude.*',
      'index.routing.allocation.require.*',
    ],
    what: 'dropped',
    reason:
      'names nodes, racks or tiers of the source: on the target it could leave the index without a place',
    loss: true,
  },
  {
    names: ['index.default_pipeline', 'index.final_pipeline'],
    what: 'withheld',
    reason:
      'the documents have been through the pipeline on the source already; set on the target at the switch',
    loss: false,
  },
  {
    names: ['index.blocks.*'],
    what: 'withheld',
    reason: 'a block would refuse the documents; set on the target at the switch',
    loss: false,
  },
  {
    names: [
      'index.lifecycle.*',
      'index.plugins.index_state_management.*',
      'index.opendistro.index_state_management.*',
      'opendistro.index_state_management.*',
      'index.slm.*',
    ],
    what: 'withheld',
    reason:
      'a lifecycle policy must not roll over or delete the index while it is filled; policies are not carried over',
    loss: true,
  },
]

const rulesWithMatcher = rules.map((rule) => ({ ...rule, fits: matcher(rule.names) }))

export interface TranslatedSettings {
  settings: FlatSettings
  withheld: { [setting: string]: string }
  changes: PlannedChange[]
}

/** Parts the settings of an index or a template into those that go over, those withheld and those dropped. */
export function translateSettings(source: FlatSettings): TranslatedSettings {
  const translated: TranslatedSettings = { settings: {}, withheld: {}, changes: [] }
  for (const [name, value] of Object.entries(source).sort(byName)) {
    const rule = rulesWithMatcher.find(({ fits }) => fits(name))
    if (!rule) {
      translated.settings[name] = value
      continue
    }
    if (rule.what === 'withheld') translated.withheld[name] = settingText(value)
    const { what, reason, loss } = rule
    translated.changes.push({ path: `settings.${name}`, what, from: value, reason, loss })
  }
  return translated
}

/**
 * Brings settings to full flat names, however nested they come: `{ index: { refresh_interval: 5 } }` and
 * `{ 'index.refresh_interval': '5' }` mean the same. Numbers and booleans become text; lists stay lists.
 */
export function flattenSettings(settings: JsonObject): FlatSettings {
  const flat: FlatSettings = {}
  const walk = (object: JsonObject, prefix: string): void => {
    for (const [key, value] of Object.entries(object)) {
      const name = prefix === '' ? key : `${prefix}.${key}`
      if (isJsonObject(value)) walk(value, name)
      else if (value !== null) flat[fullName(name)] = plainValue(value)
    }
  }
  walk(settings, '')
  return flat
}

function fullName(name: string): string {
  return name.startsWith('index.') || name.startsWith('opendistro.') ? name : `index.${name}`
}

function plainValue(value: Json): Json {
  if (Array.isArray(value)) return value.map(settingText)
  return settingText(value)
}

function byName([a]: [string, Json], [b]: [string, Json]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
