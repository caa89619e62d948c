import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MetricsSum } from './metrics-sum.ts'
import { metricsText } from './metrics-text.ts'
import { metricPlaces, Metrics, placeOf, statusAt, statusPlace } from './metrics.ts'

test('what is counted stands in the text, by kind and status', () => {
  const metrics = new Metrics()
  metrics.answered('write', 201, 0.1)
  metrics.answered('write', 201, 0.1)
  metrics.answered('passed', 0, 0.1)
  metrics.add('osmigrate_capture_connections', 3, 1)
  const lines = metricsText(metrics.values, []).split('\n')
  const requests = 'osmigrate_capture_requests_total'
  assert.deepEqual(
    lines.filter((line) => line.startsWith(requests)),
    [
      `${requests}{osmigrate_request_kind="write",http_response_status_code="201"} 2`,
      `${requests}{osmigrate_request_kind="passed",http_response_status_code="0"} 1`,
    ],
  )
  assert.ok(lines.includes('osmigrate_capture_connections{osmigrate_side="client"} 0'))
  assert.ok(lines.includes('osmigrate_capture_connections{osmigrate_side="source"} 3'))
})

test('a duration on a bound belongs to its bucket, buckets are cumulative', () => {
  const metrics = new Metrics()
  const name = 'osmigrate_capture_added_duration_seconds'
  for (const seconds of [0.0001, 0.0002, 0.001, 99]) metrics.observe(name, seconds)
  const text = metricsText(metrics.values, [])
  const bucket = (bound: string) =>
    new RegExp(
      `^${name}_bucket\\{le="${bound.replaceAll('.', '\\.').replace('+', '\\+')}"\\} (.*)$`,
      'm',
    ).exec(text)?.[1]
  assert.equal(bucket('0.0001'), '1')
  assert.equal(bucket('0.00025'), '2')
  assert.equal(bucket('0.0005'), '2')
  assert.equal(bucket('0.001'), '3')
  assert.equal(bucket('10'), '3')
  assert.equal(bucket('+Inf'), '4')
  assert.match(text, new RegExp(`^${name}_count 4$`, 'm'))
  assert.match(text, new RegExp(`^${name}_sum 99\\.0013$`, 'm'))
})

test('every name has its help and type once, and names have their unit', () => {
  const text = metricsText(new Float64Array(metricPlaces), [])
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  assert.equal(new Set(names.map(([, name]) => name)).size, names.length)
  for (const [, name, type] of names) {
    assert.match(name!, /^[a-z_]+$/)
    if (type === 'counter') assert.match(name!, /_total$/)
    if (type === 'histogram') assert.match(name!, /_seconds$/)
  }
  for (const line of text.split('\n')) {
    assert.match(
      line,
      /^(# (HELP|TYPE) .*|[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [-+.\de]+|)$/,
    )
  }
})

test('every status has a place of its own', () => {
  for (const status of [0, 100, 200, 429, 598]) assert.equal(statusAt(statusPlace(status)), status)
  for (const status of [-1, 99, 599, 1000]) assert.equal(statusPlace(status), 0)
})

test('counts of an ended worker stay, what it held does not', () => {
  const sum = new MetricsSum()
  const [first, second] = [new Metrics(), new Metrics()]
  for (const worker of [first, second]) {
    worker.answered('write', 200, 0.1)
    worker.add('osmigrate_capture_connections', 5)
    worker.observe('http_client_request_duration_seconds', 0.3)
  }
  sum.update(1, first.values)
  sum.update(2, second.values)
  const writes = placeOf('osmigrate_capture_requests_total') + statusPlace(200)
  const open = placeOf('osmigrate_capture_connections')
  assert.deepEqual([sum.total()[writes], sum.total()[open]], [2, 10])
  sum.end(1)
  assert.deepEqual([sum.total()[writes], sum.total()[open]], [2, 5])
  const text = metricsText(sum.total(), [])
  assert.match(text, /^http_client_request_duration_seconds_count 2$/m)
})

test('values of labels are escaped', () => {
  const figure = { name: 'a_gauge', type: 'gauge' as const, help: 'one.', value: 1 }
  const labels = { place: 'a"b\\c\nd' }
  const text = metricsText(new Float64Array(metricPlaces), [{ ...figure, labels }])
  assert.match(text, /a_gauge\{place="a\\"b\\\\c\\nd"\} 1/)
})
