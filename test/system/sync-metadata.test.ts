import test from 'node:test'
import { useEngine } from '../support/engines.ts'
import { scenarios, streamScenarios } from '../support/sync-metadata-scenarios.ts'

const target = await useEngine('opensearch', '3')
const source = await useEngine('elasticsearch', '7')
const withStreams = await useEngine('opensearch', '2')
const { skip } = target

for (const { name, run } of scenarios) test(name, { skip }, () => run({ source, target }))

for (const { name, run } of streamScenarios) {
  test(name, { skip }, () => run({ source: withStreams, target }))
}
