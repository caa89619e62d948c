import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DocumentSizes } from './page-size.ts'

const mb = 1024 * 1024

function sizesOf(groups: { count: number; bytes: number }[]): DocumentSizes {
  const sizes = new DocumentSizes()
  for (const { count, bytes } of groups) for (let i = 0; i < count; i++) sizes.add(bytes)
  return sizes
}

test('pages of even documents have about the wanted size', () => {
  const pages = sizesOf([{ count: 100_000, bytes: 1500 }]).pageDocuments(8 * mb)
  assert.ok(pages > 3500 && pages < 5600, String(pages))
})

test('a page of the largest documents alone stays within four times the wanted size', () => {
  const largest = 3 * mb
  const pages = sizesOf([
    { count: 100_000, bytes: 1000 },
    { count: 500, bytes: largest },
  ]).pageDocuments(8 * mb)
  assert.ok(pages >= 1 && pages * largest <= 4 * 8 * mb, String(pages))
})

test('one large document among small ones does not make pages small', () => {
  const pages = sizesOf([
    { count: 100_000, bytes: 1000 },
    { count: 1, bytes: 10 * mb },
  ]).pageDocuments(8 * mb)
  assert.ok(pages > 2000, String(pages))
})

test('a page has at least one document and never more than the window', () => {
  assert.equal(sizesOf([{ count: 3, bytes: 90 * mb }]).pageDocuments(8 * mb), 1)
  assert.equal(sizesOf([{ count: 30_000, bytes: 2 }]).pageDocuments(64 * mb), 10_000)
  assert.ok(new DocumentSizes().pageDocuments(8 * mb) > 0)
})
