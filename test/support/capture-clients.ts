import assert from 'node:assert/strict'
import { answeredItems } from '../../src/traffic/answered-items.ts'
import { parseRequest } from '../../src/traffic/api/parse-request.ts'
import { readCaptureLog, startCapture, writeCaptureConfig, type RunningProxy } from './capture.ts'
import { mergeRequests } from './captured.ts'
import { cliFolder } from './cli.ts'
import { uniqueName, type EngineFacts } from './engines.ts'

/** What each client writes; it then updates d0 and deletes d1. */
export const documents = Array.from({ length: 500 }, (_, n) => ({
  id: `d${n}`,
  n,
  text: 'word '.repeat(20),
}))

/** Runs a client against a proxy of its own; then every document that it wrote must be in the log by index and id. */
export async function throughProxy(
  engine: EngineFacts,
  work: (proxy: RunningProxy, index: string) => Promise<void>,
): Promise<void> {
  const folder = cliFolder()
  writeCaptureConfig(folder, engine.url, { rewriteAddresses: true })
  const index = uniqueName('client')
  const proxy = await startCapture(folder)
  await work(proxy, index)
  await proxy.stop()
  const written = new Map<string, string>()
  for (const { request, response } of mergeRequests(await readCaptureLog(folder))) {
    assert.ok(request.mayWrite, request.target)
    const parsed = parseRequest(request.method, request.target)
    if (parsed.effect !== 'documents') continue
    const encoding = response!.headers.includes('gzip') ? 'gzip' : undefined
    const items = answeredItems(parsed, { body: response!.body, encoding }, 1 << 30)
    for (const { index: where, id, result } of items!) {
      if (where === index) written.set(id, result)
    }
  }
  for (const { id } of documents) assert.ok(written.has(id), id)
  assert.equal(written.get('d0'), 'updated')
  assert.equal(written.get('d1'), 'deleted')
}
