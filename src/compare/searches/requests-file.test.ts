import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { seededRandom } from '../../base/seeded-random.ts'
import { RequestReservoir } from './chosen-requests.ts'
import { parseRequestLine, readRequestsFile } from './requests-file.ts'

const parse = (line: string): object => parseRequestLine(line, 'f, line 1')

test('a line is a request; its numbers stay as they are written', () => {
  assert.deepEqual(parse('{"path":"/s/_search"}'), {
    method: 'GET',
    path: '/s/_search',
    origin: 'file',
  })
  assert.deepEqual(
    parse(
      '{"method":"post","path":"/s/_count","name":"n","body":{"query":{"term":{"id":9007199254740993,"x":1.0}}}}',
    ),
    {
      ...{ method: 'POST', path: '/s/_count', origin: 'file', name: 'n' },
      body: '{"query":{"term":{"id":9007199254740993,"x":1.0}}}',
    },
  )
  assert.deepEqual(parse('{"path":"/_msearch","body":[{"index":"s"},{"size":1}]}'), {
    ...{ method: 'POST', path: '/_msearch', origin: 'file' },
    body: '{"index":"s"}\n{"size":1}\n',
  })
  assert.deepEqual(parse('{"path":"/_msearch","body":"{}\\n{}\\n"}'), {
    ...{ method: 'POST', path: '/_msearch', origin: 'file', body: '{}\n{}\n' },
  })
})

for (const [line, why] of [
  ['{', /no JSON/],
  ['[]', /no object/],
  ['{"path":"s"}', /slash/],
  ['{"path":"/","method":"a b"}', /method/],
  ['{"path":"/","name":1}', /name/],
] as const) {
  test(`${line} is refused with its line`, () => {
    assert.throws(
      () => parse(line),
      (error: Error) => why.test(error.message) && error.message.startsWith('f, line 1'),
    )
  })
}

test('of a file so many are chosen by chance, and what is too long is counted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'requests-'))
  try {
    const file = join(folder, 'requests.ndjson')
    const lines = Array.from({ length: 100 }, (_, at) => `{"path":"/s${at}/_search"}`)
    const long = `{"path":"/s/_search","body":${JSON.stringify('x'.repeat(2 * 1024 * 1024))}}`
    await writeFile(file, ['# a note', '', ...lines, long].join('\n'))
    const chosen = async (seed: number): Promise<{ paths: string[]; leftOut: object }> => {
      const into = new RequestReservoir(10, seededRandom(seed))
      await readRequestsFile(file, into)
      const { requests, leftOut } = into.chosen()
      return { paths: requests.map(({ path }) => path), leftOut }
    }
    const [one, again, other] = [await chosen(1), await chosen(1), await chosen(2)]
    assert.equal(new Set(one.paths).size, 10)
    assert.deepEqual(one, again)
    assert.notDeepEqual(one.paths, other.paths)
    assert.deepEqual(one.leftOut, {
      'are longer than 1 MiB': 1,
      'were not chosen (requestsMax)': 90,
    })
    await assert.rejects(
      readRequestsFile(join(folder, 'none'), new RequestReservoir(1, () => 0)),
      /no such file/,
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})
