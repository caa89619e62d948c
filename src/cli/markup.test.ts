import assert from 'node:assert/strict'
import test from 'node:test'
import { barChart } from './bar-chart.ts'
import { html, nameOf } from './markup.ts'

const hostile = `"><script>alert('1')</script>&\u0000\u009b\ud800<svg onload=x>`

test('values become text, between tags and in attributes; markup stays markup', () => {
  const { text } = html`<p title="${hostile}">${hostile} ${html`<b>${'<'}</b>`} ${[1, 'a']}</p>`
  assert.doesNotMatch(text, /<script|<svg|"><|\u0000|\u009b|\ud800/)
  assert.match(text, /<b>&lt;<\/b> 1a<\/p>$/)
  assert.match(text, /\\u0000\\u009b\\ud800/)
})

test('a name cannot turn the writing around it', () => {
  assert.equal(nameOf('\u202eabc').text, '<bdi>\\u202eabc</bdi>')
})

test('lines stay lines', () => {
  assert.equal(html`<pre>${'a\n\tb'}</pre>`.text, '<pre>a\n\\u0009b</pre>')
})

test('a chart of hostile, empty and huge bars is well formed', () => {
  const bars = [hostile, '😀'.repeat(100), ''].map((label, i) => ({
    label,
    value: [0, 1e300, 5][i]!,
    text: hostile,
  }))
  const { text } = barChart(hostile, bars, { value: 3, text: 'limit' })
  assert.doesNotMatch(text, /<script|<svg onload|NaN|Infinity/)
  assert.equal(text.match(/<rect/g)!.length, 3)
  assert.doesNotMatch(barChart('none', []).text, /NaN|Infinity/)
})
