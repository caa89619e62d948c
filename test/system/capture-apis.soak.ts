/** As capture-apis.test.ts, on engines of all ages. */
import { test } from 'node:test'
import { startEngine, type EngineKind } from '../../src/engines/engine.ts'
import { testEffects } from '../support/capture-effects.ts'

const engines: readonly [EngineKind, string][] = [
  ['elasticsearch', '1.7.5'],
  ['elasticsearch', '2.4.6'],
  ['elasticsearch', '5.6.16'],
  ['elasticsearch', '6.8.23'],
  ['elasticsearch', '8.19.0'],
  ['elasticsearch', '9.2.0'],
  ['opensearch', '1.3.20'],
  ['opensearch', '2.19.4'],
  ['opensearch', '3.6.0'],
]

for (const [kind, version] of engines) {
  test(`what the parser takes for reads and writes is that on ${kind} ${version}`, async (context) => {
    const engine = await startEngine({ kind, version })
    context.after(() => engine.stop())
    await testEffects(context, engine, ['put_settings', 'delete_index'])
  })
}
