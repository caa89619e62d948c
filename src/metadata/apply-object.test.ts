import assert from 'node:assert/strict'
import test from 'node:test'
import { MigrationError } from '../base/errors.ts'
import { objectApplier, type ApplyObject } from './apply-object.ts'
import type { AppliedObject } from './apply.ts'

const object = { kind: 'index', name: 'i' } as const
const failing = (status: number, retryable: boolean) => () =>
  Promise.reject(
    new MigrationError('MA_CLUSTER_RESPONSE', `said ${status}`, { retryable, details: { status } }),
  )
const made = (): Promise<AppliedObject> => Promise.resolve({ ...object, outcome: 'created' })

async function outcomes(
  apply: ApplyObject,
  works: readonly (() => Promise<AppliedObject>)[],
): Promise<string[]> {
  const found: string[] = []
  for (const work of works) found.push((await apply(object, work)).outcome)
  return found
}

test('three objects in a row that a busy target did not take end the run: the rest waits, unasked', async () => {
  const busy = failing(429, true)
  const forbidden = failing(403, false)
  const works = [busy, busy, made, busy, busy, forbidden, busy, busy, busy, made]
  assert.deepEqual(await outcomes(objectApplier(), works), [
    ...['failed', 'failed', 'created', 'failed', 'failed', 'failed', 'failed', 'failed', 'failed'],
    'waiting',
  ])
  let asked = 0
  const counted = (): Promise<AppliedObject> => (asked++, made())
  await outcomes(objectApplier(), [busy, busy, busy, counted])
  assert.equal(asked, 0)
})

test('what the target would answer to every object ends the run at once', async () => {
  await assert.rejects(objectApplier()(object, failing(401, false)), /said 401/)
})
