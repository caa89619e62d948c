import type { ParsedRequest } from './api/parse-request.ts'

/** Whether the bodies of a write are kept. Those of other APIs (users, repositories, pipelines) may hold secrets. */
export function keepsBodies({ effect }: ParsedRequest): boolean {
  return effect === 'documents' || effect === 'by-query' || effect === 'indices'
}

/** A reindex from another cluster holds the login there. */
export function holdsLogin({ api }: ParsedRequest, body: Uint8Array): boolean {
  if (api !== 'reindex' && api !== 'migrate_reindex') return false
  const text = Buffer.from(body.buffer, body.byteOffset, body.length)
  return text.includes('remote') || text.includes('\\u') || text[0] === 0x1f || text[0] === 0x28
}
