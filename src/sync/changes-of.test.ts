import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import {
  changesContext,
  loggedExchange,
  outcomeText,
  sourceIndex,
  type ExchangeParts,
} from '../../test/support/logged-exchanges.ts'
import { changesOf } from './changes-of.ts'

const indices = [
  sourceIndex('i', {
    aliases: new Map([
      ['a', { indexRouting: null }],
      ['ar', { indexRouting: 'R' }],
    ]),
  }),
  sourceIndex('plain'),
  sourceIndex('piped', { runsPipeline: true }),
  sourceIndex('joined', { mayRoute: true }),
  sourceIndex('two-1', { aliases: new Map([['two', { indexRouting: null }]]) }),
  sourceIndex('two-2', { aliases: new Map([['two', { indexRouting: null }]]) }),
  sourceIndex('one-1', { aliases: new Map([['one', { indexRouting: null }]]) }),
  sourceIndex('.ds-s-000001', { dataStream: 's' }),
]
const typeless = changesContext(indices)
const typed = changesContext(indices, { typed: true })

interface Case extends ExchangeParts {
  /** From 7.0 on there are none in paths. */
  readonly typed?: true
  readonly expected: readonly string[]
}

function check(cases: Readonly<Record<string, Case>>): void {
  for (const [name, { expected, ...parts }] of Object.entries(cases)) {
    test(name, () => {
      const outcome = changesOf(loggedExchange(parts), parts.typed ? typed : typeless)
      assert.deepEqual(outcomeText(outcome), expected)
    })
  }
}

/** Answers as OpenSearch 3.6 and Elasticsearch 9.2 give them, without `_shards`. */
const single = (id: string, seqNo: number, result: string, index = 'i'): string =>
  `{"_index":"${index}","_id":"${id}","_version":${seqNo + 1},"result":"${result}","_seq_no":${seqNo},"_primary_term":1}`
const refused =
  '{"error":{"root_cause":[{"type":"mapper_parsing_exception","reason":"failed to parse"}],"type":"mapper_parsing_exception","reason":"failed to parse"},"status":400}'
const noIndex =
  '{"error":{"root_cause":[{"type":"index_not_found_exception","reason":"no such index [none]"}],"type":"index_not_found_exception","reason":"no such index [none]"},"status":404}'

check({
  'a new document is in the request': {
    ...{ line: 'PUT /i/_doc/1', body: '{"n":1}', status: 201, answer: single('1', 0, 'created') },
    expected: ['write i/1 #0 {"n":1}'],
  },
  'a document that takes the place of another is in the request': {
    ...{ line: 'POST /i/_doc/1', body: '{"n":2}', status: 200, answer: single('1', 7, 'updated') },
    expected: ['write i/1 #7 {"n":2}'],
  },
  'an id that the server makes is in the answer': {
    ...{ line: 'POST /i/_doc', body: '{"n":1}', status: 201 },
    answer: single('FaaQBaIB3PnEqhn_8BDB', 2, 'created'),
    expected: ['write i/FaaQBaIB3PnEqhn_8BDB #2 new {"n":1}'],
  },
  _create: {
    ...{
      line: 'PUT /i/_create/2',
      body: '{"n":1}',
      status: 201,
      answer: single('2', 3, 'created'),
    },
    expected: ['write i/2 #3 {"n":1}'],
  },
  '_create of what is there changes nothing': {
    ...{ line: 'PUT /i/_create/1', body: '{"n":1}', status: 409 },
    answer: refused.replaceAll('mapper_parsing', 'version_conflict_engine'),
    expected: [],
  },
  'op_type=create with routing': {
    ...{ line: 'PUT /i/_doc/3?op_type=create&routing=x', body: '{"n":1}', status: 201 },
    answer: single('3', 0, 'created'),
    expected: ['write i/3 #0 routing=x {"n":1}'],
  },
  'what the source refused changes nothing': {
    ...{ line: 'PUT /i/_doc/9', body: '{"n":"x"}', status: 400, answer: refused },
    expected: [],
  },
  'what the source blocked, or a login lacked, changes nothing': {
    ...{ line: 'DELETE /i/_doc/9', status: 403, answer: '{"status":403}' },
    expected: [],
  },
  'an update is read': {
    ...{ line: 'POST /i/_update/1', body: '{"doc":{"n":5}}', status: 200 },
    answer: single('1', 4, 'updated'),
    expected: ['read i/1 #4'],
  },
  'an update that changed nothing is nothing': {
    ...{ line: 'POST /i/_update/1', body: '{"doc":{"n":5}}', status: 200 },
    answer: single('1', 4, 'noop'),
    expected: [],
  },
  'an update of what is not there is nothing': {
    ...{ line: 'POST /i/_update/77', body: '{"doc":{"n":5}}', status: 404 },
    answer: refused.replaceAll('mapper_parsing', 'document_missing'),
    expected: [],
  },
  'an upsert is read': {
    ...{ line: 'POST /i/_update/78?routing=u', body: '{"doc":{},"doc_as_upsert":true}' },
    ...{ status: 201, answer: single('78', 1, 'created') },
    expected: ['read i/78 #1 routing=u'],
  },
  'a script that deletes is a delete': {
    ...{ line: 'POST /i/_update/78', body: '{"script":"ctx.op=\'delete\'"}', status: 200 },
    answer: single('78', 2, 'deleted'),
    expected: ['delete i/78 #2'],
  },
  'a delete': {
    ...{ line: 'DELETE /i/_doc/2', status: 200, answer: single('2', 5, 'deleted') },
    expected: ['delete i/2 #5'],
  },
  'a delete of what is not there has a number, too': {
    ...{ line: 'DELETE /i/_doc/2', status: 404, answer: single('2', 6, 'not_found') },
    expected: ['delete i/2 #6'],
  },
  'a delete in an index that is not there is nothing': {
    ...{ line: 'DELETE /none/_doc/2', status: 404, answer: noIndex },
    expected: [],
  },
  'a version that the client gave': {
    ...{ line: 'PUT /i/_doc/e1?version=1700000000000&version_type=external', body: '{"n":1}' },
    status: 201,
    answer: single('e1', 7, 'created').replace('"_version":8', '"_version":1700000000000'),
    expected: ['write i/e1 #7 client:1700000000000 {"n":1}'],
  },
  'a version beyond 2^53 is read': {
    ...{ line: 'PUT /i/_doc/e2?version=9100000000000000001&version_type=external_gte' },
    ...{ body: '{"n":1}', status: 201 },
    answer: single('e2', 8, 'created').replace('"_version":9', '"_version":9100000000000000001'),
    expected: ['read i/e2 #8 client:?'],
  },
  'through an alias': {
    ...{ line: 'PUT /a/_doc/al1', body: '{"n":1}', status: 201 },
    answer: single('al1', 9, 'created'),
    expected: ['write i/al1 #9 {"n":1}'],
  },
  'through an alias with routing': {
    ...{ line: 'PUT /ar/_doc/al2', body: '{"n":1}', status: 201 },
    answer: single('al2', 10, 'created'),
    expected: ['write i/al2 #10 routing=R {"n":1}'],
  },
  'a delete through an alias with routing': {
    ...{ line: 'DELETE /ar/_doc/al2', status: 200, answer: single('al2', 11, 'deleted') },
    expected: ['delete i/al2 #11 routing=R'],
  },
  'through an alias that is gone the routing is not told': {
    ...{ line: 'PUT /gone/_doc/1', body: '{"n":1}', status: 201 },
    answer: single('1', 9, 'created'),
    expected: ['read i/1 #9 routing?'],
  },
  'by a date': {
    ...{ line: 'PUT /%3Cplain-%7Bnow%2Fd%7D%3E/_doc/1', body: '{"n":1}', status: 201 },
    answer: single('1', 0, 'created', 'plain'),
    expected: ['write plain/1 #0 {"n":1}'],
  },
  'by a date that may be an alias with routing': {
    ...{ line: 'PUT /%3Ca-%7Bnow%2Fd%7D%3E/_doc/1', body: '{"n":1}', status: 201 },
    answer: single('1', 0, 'created'),
    expected: ['read i/1 #0 routing?'],
  },
  'into a data stream': {
    ...{ line: 'POST /s/_doc', body: '{"@timestamp":1}', status: 201 },
    answer: single('qQ-R', 0, 'created', '.ds-s-000001'),
    expected: ['write .ds-s-000001/qQ-R #0 new {"@timestamp":1}'],
  },
  'an index that is not known is read, and is a signal': {
    ...{ line: 'PUT /auto/_doc/1', body: '{"n":1}', status: 201 },
    answer: single('1', 0, 'created', 'auto'),
    expected: ['read auto/1 #0 routing?', 'signal metadata auto'],
  },
  'a pipeline of the request': {
    ...{ line: 'PUT /i/_doc/1?pipeline=p', body: '{"n":1}', status: 201 },
    answer: single('1', 1, 'created'),
    expected: ['read i/1 #1 routing?'],
  },
  'no pipeline, by name': {
    ...{ line: 'PUT /i/_doc/1?pipeline=_none', body: '{"n":1}', status: 201 },
    answer: single('1', 1, 'created'),
    expected: ['write i/1 #1 {"n":1}'],
  },
  'a pipeline of the index': {
    ...{ line: 'PUT /piped/_doc/1?routing=r', body: '{"n":1}', status: 201 },
    answer: single('1', 1, 'created', 'piped'),
    expected: ['read piped/1 #1 routing?'],
  },
  'a pipeline is not asked about deletes': {
    ...{ line: 'DELETE /piped/_doc/1?routing=r', status: 200 },
    answer: single('1', 2, 'deleted', 'piped'),
    expected: ['delete piped/1 #2 routing=r'],
  },
  'a pipeline that gave another id': {
    ...{ line: 'PUT /i/_doc/1', body: '{"n":1}', status: 201, answer: single('x', 2, 'created') },
    expected: ['read i/x #2'],
  },
  'of parameters with equal names the last counts': {
    ...{ line: 'PUT /i/_doc/1?routing=q1&routing=q2&parent=', body: '{}', status: 201 },
    answer: single('1', 2, 'created'),
    expected: ['write i/1 #2 routing=q2 {}'],
  },
  'parameters apart at a semicolon, which are one before 5.0': {
    ...{ line: 'PUT /i/_doc/1?routing=q;refresh=true', body: '{}', status: 201 },
    answer: single('1', 2, 'created'),
    expected: ['read i/1 #2 routing?'],
  },
  'an empty routing is none': {
    ...{ line: 'PUT /ar/_doc/1?routing=', body: '{}', status: 201 },
    answer: single('1', 2, 'created'),
    expected: ['write i/1 #2 routing=R {}'],
  },
  'a document in lines becomes one line, spelled as it was': {
    ...{
      line: 'PUT /i/_doc/1',
      body: ' {\r\n  "n" : 1.0,\n "s": "a\\nb", "n":2\n}\n',
      status: 200,
    },
    answer: single('1', 1, 'updated'),
    expected: ['write i/1 #1 {    "n" : 1.0,  "s": "a\\nb", "n":2 }'],
  },
  'line breaks inside strings and comments': {
    ...{ line: 'PUT /i/_doc/1', body: '{"s":"a\nb" // c\n,"n":1}', status: 200 },
    answer: single('1', 1, 'updated'),
    expected: ['write i/1 #1 {"s":"a\\nb"   ,"n":1}'],
  },
  'a document in another form is read': {
    ...{ line: 'PUT /i/_doc/y1', body: '---\nn: 1\n', status: 201 },
    answer: single('y1', 14, 'created'),
    expected: ['read i/y1 #14'],
  },
  'YAML that begins as JSON does is read': {
    ...{ line: 'PUT /i/_doc/y1', body: '{n: 1}', status: 201 },
    headers: ['Content-Type', 'application/yaml'],
    answer: single('y1', 14, 'created'),
    expected: ['read i/y1 #14'],
  },
  'a document without a body in the log is read': {
    ...{ line: 'PUT /i/_doc/1', status: 201, answer: single('1', 1, 'created') },
    expected: ['read i/1 #1'],
  },
  'an answer in another form': {
    ...{ line: 'PUT /i/_doc/1?format=yaml', body: '{"n":1}', status: 200 },
    answer: '---\n_index: "i"\n_id: "1"\n_version: 4\nresult: "updated"\n_seq_no: 13\n',
    expected: ['read i/1 v?'],
  },
  'an answer cut down': {
    ...{ line: 'PUT /i/_doc/1?filter_path=result', body: '{"n":1}', status: 200 },
    answer: '{"result":"updated"}',
    expected: ['read i/1 v?'],
  },
  'a delete whose answer is cut down': {
    ...{ line: 'DELETE /i/_doc/nope?filter_path=result', status: 404 },
    answer: '{"result":"not_found"}',
    expected: ['read i/nope v?'],
  },
  'no answer': {
    ...{ line: 'PUT /ar/_doc/1', body: '{"n":1}' },
    expected: ['read i/1 v? routing=R'],
  },
  'no whole answer': {
    ...{ line: 'DELETE /i/_doc/1', status: 0 },
    expected: ['read i/1 v?'],
  },
  'an error of the source': {
    ...{ line: 'PUT /i/_doc/1', body: '{"n":1}', status: 503, answer: refused },
    expected: ['read i/1 v?'],
  },
  'too many requests': {
    ...{ line: 'PUT /i/_doc/1', body: '{"n":1}', status: 429, answer: refused },
    expected: ['read i/1 v?'],
  },
  'no answer, and the server made the id': {
    ...{ line: 'POST /i/_doc', body: '{"n":1}', status: 504 },
    expected: ['signal documents i'],
  },
  'no answer, and the name stands for several indices': {
    ...{ line: 'PUT /two/_doc/1', body: '{"n":1}', status: 504 },
    expected: ['signal documents two'],
  },
  'no answer, and the name stands for one index': {
    ...{ line: 'PUT /one/_doc/1', body: '{"n":1}', status: 504 },
    expected: ['read one-1/1 v?'],
  },
  'no answer, and the index is not known': {
    ...{ line: 'PUT /auto/_doc/1', body: '{"n":1}', status: 504 },
    expected: ['signal metadata auto', 'signal documents auto'],
  },
  'no answer, and the name is a date': {
    ...{ line: 'PUT /%3Cplain-%7Bnow%2Fd%7D%3E/_doc/1', body: '{"n":1}', status: 504 },
    expected: ['signal metadata <plain-{now/d}>', 'signal documents any'],
  },
})

/** Elasticsearch 5.6 and 2.4: types, versions and no numbers. */
const old = (id: string, version: number, more: string): string =>
  `{"_index":"i","_type":"t","_id":"${id}","_version":${version},"_shards":{"total":1,"successful":1,"failed":0},${more}}`

check({
  '5.6: a new document of a type': {
    ...{ line: 'PUT /i/t/1', body: '{"n":1}', status: 201, typed: true },
    answer: old('1', 1, '"result":"created","created":true'),
    expected: ['write i/t/1 v1 {"n":1}'],
  },
  '2.4: a document that takes the place of another': {
    ...{ line: 'POST /i/t/1', body: '{"n":1}', status: 200, typed: true },
    answer: old('1', 2, '"created":false'),
    expected: ['write i/t/1 v2 {"n":1}'],
  },
  '2.4: an update': {
    ...{ line: 'POST /i/t/1/_update', body: '{"doc":{}}', status: 200, typed: true },
    answer: '{"_index":"i","_type":"t","_id":"1","_version":3}',
    expected: ['read i/t/1 v3'],
  },
  '2.4: a delete of what is not there': {
    ...{ line: 'DELETE /i/t/2', status: 404, typed: true },
    answer: '{"found":false,"_index":"i","_type":"t","_id":"2","_version":3}',
    expected: ['delete i/t/2 v3'],
  },
  '5.6: a delete makes the index that it deletes from': {
    ...{ line: 'DELETE /none/t/2', status: 404, typed: true },
    answer:
      '{"found":false,"_index":"none","_type":"t","_id":"2","_version":1,"result":"not_found"}',
    expected: ['delete none/t/2 v1', 'signal metadata none'],
  },
  '5.6: the routing of a child is its parent': {
    ...{ line: 'PUT /i/t/1?parent=P1', body: '{"n":1}', status: 201, typed: true },
    answer: old('1', 1, '"result":"created"'),
    expected: ['write i/t/1 v1 routing=P1 {"n":1}'],
  },
  '1.7: a field may have set the routing': {
    ...{ line: 'PUT /joined/t/1', body: '{"n":1}', status: 201, typed: true },
    answer: old('1', 1, '"created":true').replace('"i"', '"joined"'),
    expected: ['read joined/t/1 v1 routing?'],
  },
  '5.6: _create of a type without an answer': {
    ...{ line: 'PUT /i/t/2/_create', body: '{"n":1}', status: 0, typed: true },
    expected: ['read i/t/2 v?'],
  },
})

const items = (...all: string[]): string => `{"took":15,"errors":true,"items":[${all.join(',')}]}`
const item = (op: string, id: string, seqNo: number, result: string, index = 'i'): string =>
  `{"${op}":${single(id, seqNo, result, index).slice(0, -1)},"status":${result === 'created' ? 201 : result === 'not_found' ? 404 : 200}}}`
const failed = (op: string, id: string | null, status: number, index = 'i'): string =>
  `{"${op}":{"_index":"${index}","_id":${JSON.stringify(id)},"status":${status},"error":{"type":"some_exception","reason":"x"}}}`
const lines = (...all: string[]): string => all.map((line) => `${line}\n`).join('')

check({
  'a bulk of all kinds, in part refused': {
    line: 'POST /_bulk',
    body: lines(
      ...['{"index":{"_index":"i","_id":"b1"}}', '{"n":1}'],
      ...['{"create":{"_index":"i","_id":"b1"}}', '{"n":2}'],
      ...['{"create":{"_id":"b2","routing":"x","_index":"i"}}', '{"n":3}'],
      ...['{"index":{"_index":"i"}}', '{"n":4}'],
      ...['{"index":{"_index":"i"}}', '{"n":"bad"}'],
      ...['{"update":{"_index":"i","_id":"b1"}}', '{"doc":{"n":5}}'],
      ...['{"update":{"_index":"i","_id":"b1"}}', '{"doc":{"n":5}}'],
      '{"delete":{"_index":"i","_id":"b1"}}',
      '{"delete":{"_index":"i","_id":"b1"}}',
      ...['{"index":{"_index":"ar","_id":"b5"}}', '{"n":6}'],
      ...['{"index":{"_index":"i","_id":"b6","op_type":"create"}}', '{"n":7}'],
    ),
    status: 200,
    answer: items(
      item('index', 'b1', 5, 'created'),
      failed('create', 'b1', 409),
      item('create', 'b2', 6, 'created'),
      item('index', 'FqaQ', 7, 'created'),
      failed('index', 'F6aQ', 400),
      item('update', 'b1', 8, 'updated'),
      item('update', 'b1', 8, 'noop'),
      item('delete', 'b1', 9, 'deleted'),
      item('delete', 'b1', 10, 'not_found'),
      item('index', 'b5', 18, 'created'),
      item('create', 'b6', 19, 'created'),
    ),
    expected: [
      'write i/b1 #5 {"n":1}',
      'write i/b2 #6 routing=x {"n":3}',
      'write i/FqaQ #7 new {"n":4}',
      'read i/b1 #8',
      'delete i/b1 #9',
      'delete i/b1 #10',
      'write i/b5 #18 routing=R {"n":6}',
      'write i/b6 #19 {"n":7}',
    ],
  },
  'index and routing of the path; null is the one of the path, an empty one is none': {
    line: 'POST /i/_bulk?routing=p',
    body: lines(
      ...['{"index":{}}', '{}', '{"index":{"_id":"p1","routing":null}}', '{}'],
      ...['{"index":{"_id":"p2","routing":""}}', '{}', '{"delete":{"_id":"p1"}}'],
    ),
    status: 200,
    answer: items(
      item('index', 'GKaQ', 19, 'created'),
      item('index', 'p1', 20, 'created'),
      item('index', 'p2', 12, 'created'),
      item('delete', 'p1', 21, 'deleted'),
    ),
    expected: [
      'write i/GKaQ #19 routing=p new {}',
      'write i/p1 #20 routing=p {}',
      'write i/p2 #12 {}',
      'delete i/p1 #21 routing=p',
    ],
  },
  'numbers and true for id and routing are read as they are spelled': {
    line: 'POST /i/_bulk',
    body: lines(
      '{"index":{"_id":7,"routing":1.0}}',
      '{}',
      '{"index":{"_id":true,"routing":true}}',
      '{}',
    ),
    status: 200,
    answer: items(item('index', '7', 22, 'created'), item('index', 'true', 23, 'created')),
    expected: ['write i/7 #22 routing=1.0 {}', 'write i/true #23 routing=true {}'],
  },
  'older names in actions, types and parents': {
    ...{ line: 'POST /i/t/_bulk', status: 200, typed: true },
    body: lines(
      ...[
        '{"index":{"_id":"2","_parent":"P2"}}',
        '{}',
        '{"index":{"_routing":"r","parent":"P","_id":"3"}}',
        '{}',
      ],
      ...['{"index":{"_type":"u","_id":"4","_version":5,"_version_type":"external"}}', '{}'],
    ),
    answer: items(
      '{"index":{"_index":"i","_type":"t","_id":"2","_version":1,"status":201}}',
      '{"index":{"_index":"i","_type":"t","_id":"3","_version":1,"status":201}}',
      '{"index":{"_index":"i","_type":"u","_id":"4","_version":5,"status":201}}',
    ),
    expected: [
      'write i/t/2 v1 routing=P2 {}',
      'write i/t/3 v1 routing=r {}',
      'write i/u/4 v5 client:5 {}',
    ],
  },
  'blank lines and carriage returns': {
    line: 'POST /i/_bulk',
    body: '{"index":{"_id":"c1"}}\r\n{"n":1}\r\n\r\n\n{"delete":{"_id":"c1"}}\r\n',
    ...{
      status: 200,
      answer: items(item('index', 'c1', 1, 'created'), item('delete', 'c1', 2, 'deleted')),
    },
    expected: ['write i/c1 #1 {"n":1}', 'delete i/c1 #2'],
  },
  '5.6: what has no line break at its end was passed over': {
    line: 'POST /i/_bulk',
    body: '{"index":{"_id":"o1"}}\n{"n":1}\n{"index":{"_id":"o2"}}\n{"n":1}',
    ...{ status: 200, answer: items(item('index', 'o1', 1, 'created')) },
    expected: ['write i/o1 #1 {"n":1}'],
  },
  '5.6: a delete without a line break at its end, too': {
    line: 'POST /i/_bulk',
    body: '{"index":{"_id":"o1"}}\n{"n":1}\n{"delete":{"_id":"o1"}}',
    ...{ status: 200, answer: items(item('index', 'o1', 1, 'created')) },
    expected: ['write i/o1 #1 {"n":1}'],
  },
  '7.10: an action that nobody knows is passed over, and the others are read': {
    line: 'POST /i/_bulk',
    body: lines('{"index":{"_id":"k1"}}', '{}', '{"indx":{"_id":"k2"}}', '{}'),
    ...{ status: 200, answer: items(item('index', 'k1', 24, 'created')) },
    expected: ['read i/k1 #24 routing?'],
  },
  '7.10: of two actions in a line the first one counts': {
    line: 'POST /i/_bulk',
    body: lines('{"index":{"_id":"tw1"},"delete":{"_id":"k2"}}', '{}'),
    ...{ status: 200, answer: items(item('index', 'tw1', 17, 'created')) },
    expected: ['write i/tw1 #17 {}'],
  },
  'an action with a comment is not read here': {
    ...{ line: 'POST /i/_bulk', body: '{"index":{"_id":"cm"}} // c\n{"n":1} // c\n' },
    ...{ status: 200, answer: items(item('index', 'cm', 20, 'created')) },
    expected: ['read i/cm #20 routing?'],
  },
  'a pipeline of the request, of an action, and none': {
    line: 'POST /i/_bulk?pipeline=p',
    body: lines(
      '{"index":{"_id":"1"}}',
      '{}',
      '{"index":{"_id":"2","pipeline":"_none"}}',
      '{}',
      '{"delete":{"_id":"3"}}',
    ),
    status: 200,
    answer: items(
      item('index', '1', 1, 'created'),
      item('index', '2', 2, 'created'),
      item('delete', '3', 3, 'deleted'),
    ),
    expected: ['read i/1 #1 routing?', 'write i/2 #2 {}', 'delete i/3 #3'],
  },
  'into a data stream, which takes only what is new': {
    line: 'POST /s/_bulk',
    body: lines('{"create":{}}', '{"@timestamp":1}', '{"index":{"_id":"q"}}', '{}'),
    status: 200,
    answer: items(
      item('create', 'qw-R', 1, 'created', '.ds-s-000001'),
      failed('index', 'q', 400, '.ds-s-000001'),
    ),
    expected: ['write .ds-s-000001/qw-R #1 new {"@timestamp":1}'],
  },
  'an item whose shard could not be reached may have been carried out': {
    line: 'POST /_bulk',
    body: lines(
      ...['{"index":{"_index":"ar","_id":"1"}}', '{}', '{"index":{"_index":"i"}}', '{}'],
      '{"delete":{"_index":"i","_id":"3"}}',
    ),
    status: 200,
    answer: items(
      failed('index', '1', 503, 'ar'),
      failed('index', null, 500),
      failed('delete', '3', 429),
    ),
    expected: ['read i/1 v? routing=R', 'read i/3 v?', 'signal documents i'],
  },
  'an answer cut down by filter_path': {
    line: 'POST /i/_bulk?filter_path=errors,items.*.status,items.*.error',
    body: lines('{"index":{"_id":"f1"}}', '{}', '{"index":{}}', '{}', '{"delete":{"_id":"f2"}}'),
    ...{ status: 200, answer: '{"errors":false,"items":[{"index":{"status":201}}]}' },
    expected: ['read i/f1 v?', 'read i/f2 v?', 'signal documents i'],
  },
  'an answer with other items than were asked for': {
    line: 'POST /i/_bulk',
    body: lines('{"index":{"_id":"1"}}', '{}', '{"index":{"_id":"2"}}', '{}'),
    ...{ status: 200, answer: items(item('index', '3', 1, 'created')) },
    expected: ['read i/3 #1 routing?', 'read i/1 v?', 'read i/2 v?'],
  },
  'an answer about another action than was asked for': {
    ...{ line: 'POST /i/_bulk', body: lines('{"index":{"_id":"1","routing":"x"}}', '{}') },
    ...{ status: 200, answer: items(item('delete', '1', 3, 'deleted')) },
    expected: ['read i/1 #3 routing?', 'read i/1 v? routing=x'],
  },
  'an answer in another form to a bulk': {
    ...{ line: 'POST /i/_bulk?format=yaml', body: lines('{"index":{"_id":"ym"}}', '{}') },
    ...{ status: 200, answer: '---\ntook: 37\nerrors: false\n' },
    expected: ['read i/ym v?'],
  },
  'a pretty answer': {
    ...{ line: 'POST /i/_bulk?pretty', body: lines('{"index":{"_id":"pr"}}', '{}'), status: 200 },
    answer: JSON.stringify(JSON.parse(items(item('index', 'pr', 21, 'created'))), null, 2),
    expected: ['write i/pr #21 {}'],
  },
  'a bulk that was refused for its end may be done in part': {
    ...{ line: 'POST /i/_bulk', body: '{"index":{"_id":"1"}}\n{}\n{"delete":' },
    ...{ status: 400, answer: refused },
    expected: ['signal documents i'],
  },
  'a bulk without login': {
    ...{ line: 'POST /i/_bulk', body: lines('{"delete":{"_id":"1"}}'), status: 401 },
    expected: [],
  },
  'a bulk without an answer': {
    ...{
      line: 'POST /_bulk',
      body: lines(
        '{"delete":{"_index":"a","_id":"1","routing":"x"}}',
        '{"update":{"_index":"piped","_id":"1"}}',
        '{}',
      ),
    },
    expected: ['read i/1 v? routing=x', 'read piped/1 v? routing?'],
  },
  'a bulk in another form': {
    ...{ line: 'POST /_bulk', body: Buffer.from([0x3a, 0x29, 0x0a, 0x05, 0xff]), status: 200 },
    answer: items(item('index', '1', 3, 'created'), item('delete', '2', 4, 'deleted')),
    expected: ['read i/1 #3 routing?', 'read i/2 #4 routing?'],
  },
  'a bulk in another form, without an answer': {
    ...{ line: 'POST /i/_bulk', body: Buffer.from([0x3a, 0x29, 0x0a, 0x05, 0xff]), status: 502 },
    expected: ['signal documents i'],
  },
})

const compressions = { gzip: gzipSync, deflate: deflateSync, zstd: zstdCompressSync }
check(
  Object.fromEntries(
    Object.entries(compressions).map(([encoding, compress]) => [
      `bodies in ${encoding}`,
      {
        ...{ line: 'POST /i/_bulk', body: compress(lines('{"index":{"_id":"1"}}', '{"n":1}')) },
        ...{
          headers: ['Content-Encoding', encoding],
          answerHeaders: ['content-encoding', encoding],
        },
        ...{ status: 200, answer: compress(items(item('index', '1', 3, 'created'))) },
        expected: ['write i/1 #3 {"n":1}'],
      },
    ]),
  ),
)

test('a body that becomes too long is read', () => {
  const body = gzipSync(`{"s":"${'x'.repeat(2 << 20)}"}`)
  const exchange = loggedExchange({
    ...{ line: 'PUT /i/_doc/1', body, headers: ['content-encoding', 'gzip'] },
    ...{ status: 201, answer: single('1', 3, 'created') },
  })
  assert.deepEqual(outcomeText(changesOf(exchange, typeless)), ['read i/1 #3'])
})

test('of a body that is not whole in the log nothing is taken', () => {
  const { kind, request, response } = loggedExchange({
    ...{ line: 'POST /i/_bulk', body: lines('{"index":{"_id":"1"}}', '{}'), status: 200 },
    answer: items(item('index', '1', 3, 'created'), item('index', '2', 4, 'created')),
  })
  const cut = { kind, request: { ...request!, bodyBytes: 1000 }, response }
  assert.deepEqual(outcomeText(changesOf(cut, typeless)), [
    'read i/1 #3 routing?',
    'read i/2 #4 routing?',
  ])
})

/** With a thin record in the place of the answer; the body of the request is not kept then. */
function thin(
  line: string,
  given: readonly [id: string, result: string, more?: object][],
  status = 200,
) {
  const { request } = loggedExchange({ line })
  const all = given.map(([id, result, more]) => ({ index: 'i', id, result, ...more }))
  const { exchange } = request!
  return {
    kind: 'exchange',
    request: { ...request!, bodyBytes: 100 },
    response: { kind: 'thin', exchange, status, lastByteAt: 2, items: all },
  } as const
}

test('thin records: what was written is read, what was deleted is deleted', () => {
  const exchange = thin('POST /plain/_bulk', [
    ['1', 'created', { index: 'plain', seqNo: 1 }],
    ['2', 'updated', { index: 'plain', seqNo: 2, routing: 'r' }],
    ['3', 'deleted', { index: 'plain', seqNo: 3 }],
    ['4', 'not_found', { index: 'plain', seqNo: 4, routing: 'r' }],
    ['5', 'noop', { index: 'plain', seqNo: 4 }],
    ['6', 'version_conflict_engine_exception', { index: 'plain' }],
    ['7', 'unavailable_shards_exception', { index: 'plain' }],
    ['', 'unavailable_shards_exception', { index: 'plain' }],
  ])
  assert.deepEqual(outcomeText(changesOf(exchange, typeless)), [
    'read plain/1 #1 routing?',
    'read plain/2 #2 routing?',
    'delete plain/3 #3',
    'delete plain/4 #4 routing=r',
    'read plain/7 v? routing?',
    'signal documents plain',
  ])
})

test('thin records of single requests', () => {
  const one = (line: string, result: string, status = 200): string[] =>
    outcomeText(changesOf(thin(line, [['1', result, { seqNo: 1 }]], status), typeless))
  assert.deepEqual(one('PUT /ar/_doc/1', 'created', 201), ['read i/1 #1 routing=R'])
  assert.deepEqual(one('DELETE /ar/_doc/1', 'deleted'), ['delete i/1 #1 routing=R'])
  assert.deepEqual(one('DELETE /i/_doc/1', 'not_found', 404), ['delete i/1 #1'])
})

test('an answer whose request is not in the log', () => {
  const alone = (parts: ExchangeParts): string[] =>
    outcomeText(changesOf({ ...loggedExchange(parts), request: undefined }, typeless))
  const bulk = items(item('index', '1', 3, 'created'), item('delete', '2', 4, 'deleted'))
  assert.deepEqual(alone({ line: ' ', status: 200, answer: bulk }), [
    'read i/1 #3 routing?',
    'read i/2 #4 routing?',
  ])
  const one = single('1', 5, 'deleted')
  assert.deepEqual(alone({ line: ' ', status: 200, answer: one }), ['read i/1 #5 routing?'])
  const any = ['signal metadata any', 'signal documents any']
  assert.deepEqual(alone({ line: ' ', status: 200, answer: '{"acknowledged":true}' }), any)
  assert.deepEqual(alone({ line: ' ', status: 409, answer: refused }), any)
  assert.deepEqual(alone({ line: ' ' }), [])
})
