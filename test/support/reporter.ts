/**
 * The reporter of `npm test`: node:test's own `spec`, which prints the failed tests after its totals. Here the
 * totals are repeated after them, so that the output of a run closes with them in any case.
 */
import { Readable } from 'node:stream'
import { spec } from 'node:test/reporters'
import type { TestEvent } from 'node:test/reporters'

const total = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/

async function* closingTotals(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const totals: string[] = []
  async function* remembering() {
    for await (const event of source) {
      if (event.type === 'test:diagnostic' && total.test(event.data.message)) {
        totals.push(`ℹ ${event.data.message}`)
      }
      yield event
    }
  }
  let last = ''
  for await (const chunk of Readable.from(remembering()).compose(new spec())) {
    last = String(chunk)
    yield last
  }
  if (totals.length > 0 && !last.includes('duration_ms')) yield `\n${totals.slice(-8).join('\n')}\n`
}

export { closingTotals as default }
