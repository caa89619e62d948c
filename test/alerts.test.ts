import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { parse } from 'yaml'
import { sampleMetrics } from '../scripts/capture-metrics.ts'
import { syncMetrics } from '../src/sync/metrics.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string }
}

async function readRules(name: string): Promise<Rule[]> {
  const file = new URL(`../docs/reference/${name}`, import.meta.url)
  const { groups } = parse(await readFile(file, 'utf8')) as { groups: { rules: Rule[] }[] }
  return groups.flatMap((group) => group.rules)
}

const rules = await readRules('capture-alerts.yaml')
const syncRules = await readRules('sync-alerts.yaml')
const metrics = sampleMetrics()

test('every metric of an alert rule of sync is one that sync has', () => {
  const names = new Set(syncMetrics.map(({ name }) => name))
  const found = syncRules.flatMap(({ expr }) => expr.match(/\bosmigrate_\w+/g) ?? [])
  assert.deepEqual(
    found.filter((name) => !names.has(name)),
    [],
  )
  assert.ok(found.length >= 7)
})

test('every metric and label of an alert rule is one that the proxy has', () => {
  const found: string[] = []
  for (const { alert, expr } of rules) {
    for (const [, name, selector = ''] of expr.matchAll(
      /\b((?:osmigrate|http|process)_\w+)(\{.*?\})?/g,
    )) {
      if (name === 'http_response_status_code') continue
      const lines = metrics.split('\n').filter((line) => new RegExp(`^${name}[{ ]`).test(line))
      const labels = selector.slice(1, -1)
      const fits = lines.some((line) => line.includes(labels))
      assert.ok(fits, `${alert}: ${name}${selector} is not among the metrics`)
      found.push(name!)
    }
  }
  assert.ok(new Set(found).size >= 8)
})

test('every rule says what is wrong, what to do, and how bad it is', () => {
  const all = [...rules, ...syncRules]
  assert.equal(new Set(all.map(({ alert }) => alert)).size, all.length)
  for (const { alert, labels, annotations, ...rule } of all) {
    assert.match(labels.severity, /^(warning|critical)$/, alert)
    assert.ok(annotations.summary.length > 20 && annotations.description.length > 20, alert)
    assert.match(rule.for ?? '1m', /^\d+[smh]$/, alert)
    assert.equal(count(rule.expr, '('), count(rule.expr, ')'), alert)
  }
})

function count(text: string, character: string): number {
  return text.split(character).length - 1
}
