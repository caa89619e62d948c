import assert from 'node:assert/strict'
import { test } from 'node:test'
import { demoBytes, demoIndices, demoTemplates } from './demo-data.ts'

test('the sample data is at least 100,000 documents and 100 MB of _source, with all that it promises', () => {
  let bodyBytes = 0
  let documents = 0
  let sourceBytes = 0
  const seen = new Set<string>()
  for (const index of demoIndices()) {
    const { name, create } = index
    // By id alone: the same id under another routing would make it more.
    const lengths = new Map<string, number>()
    for (const body of index.bulks()) {
      bodyBytes += body.length
      const lines = body.toString('utf8').split('\n')
      for (let i = 0; i < lines.length - 1; i++) {
        const [[operation, target] = ['', {}]] = Object.entries(
          JSON.parse(lines[i]!) as { [operation: string]: { _id?: string; routing?: string } },
        )
        const id = target._id!
        if (operation === 'delete') {
          seen.add('deletes')
          assert.ok(lengths.delete(id), `${name}/${id} is there to be deleted`)
          continue
        }
        const source = lines[++i]!
        if (operation === 'index' && lengths.has(id)) seen.add('updates')
        if (target.routing !== undefined) seen.add('routing')
        if (operation === 'index') lengths.set(id, Buffer.byteLength(source))
      }
    }
    documents += lengths.size
    for (const length of lengths.values()) sourceBytes += length
    const text = JSON.stringify(create)
    if (text.includes('"nested"')) seen.add('nested')
    if (text.includes('"aliases"')) seen.add('aliases')
  }
  assert.ok(documents >= 100_000, `${documents} documents`)
  assert.ok(sourceBytes >= 100e6, `${sourceBytes} bytes of _source`)
  assert.equal(bodyBytes, demoBytes)
  assert.deepEqual([...seen].sort(), ['aliases', 'deletes', 'nested', 'routing', 'updates'])
  assert.ok(Object.keys(demoTemplates).length > 0)
})
