/** What the reconciler follows, on sources of the other versions. */
import test from 'node:test'
import { useEngine } from '../support/engines.ts'
import { scenarios, streamScenarios } from '../support/sync-metadata-scenarios.ts'

const target = await useEngine('opensearch', '3')
const { skip } = target

for (const [kind, version] of [
  ['elasticsearch', '1'],
  ['elasticsearch', '2'],
  ['elasticsearch', '5'],
  ['elasticsearch', '6'],
  ['elasticsearch', '8'],
  ['elasticsearch', '9'],
  ['opensearch', '1'],
  ['opensearch', '2'],
] as const) {
  test(`${kind} ${version}`, { skip }, async (t) => {
    const source = await useEngine(kind, version, { own: true })
    const all =
      kind === 'opensearch'
        ? [...scenarios, ...streamScenarios]
        : scenarios.filter(({ since = 1 }) => since <= Number(version))
    for (const { name, run } of all) {
      await t.test(name, () => run({ source, target }))
    }
    await source.stop()
  })
}
