import './instrument.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'

/**
 * Every decoder meets hostile bytes: those of a seed that is always the same, and those of one that never is. Longer:
 * `npm run fuzz`.
 */
const fixed = { seed: 1, runsEach: 60 }
const alwaysNew = Date.now() % 1_000_000
const newMsEach = 80
/** Slow machines do fewer of the runs that are always the same. */
const fixedMsEachMax = 150

// The decoders come after what makes them count.
const { describe, fuzz, prepare } = await import('./run.ts')
const { allTargets } = await import('./targets.ts')

for (const target of allTargets) {
  test(`${target.name}: hostile bytes give a typed error or right documents`, async (t) => {
    const prepared = await prepare(target)
    const { runsEach: toRun, seed } = fixed
    const same = await fuzz(prepared, { seed, toRun, timeMaxMs: fixedMsEachMax })
    const other = await fuzz(prepared, { seed: alwaysNew, timeMaxMs: newMsEach })
    t.diagnostic(
      `seed ${seed}: ${same.tally.runs} runs; seed ${alwaysNew}: ${other.tally.runs} runs`,
    )
    const found = [...same.findings, ...other.findings]
    assert.ok(found.length === 0, found.map(describe).join('\n'))
  })
}
