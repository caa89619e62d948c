/**
 * Runs once around a whole test run (`node --test --test-global-setup`): keeps the engines that the test
 * files share. An engine starts when the first file asks for it, so a run of files that need none starts none.
 */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { startEngine, stopAllEngines, type Engine } from '../../src/engines/engine.ts'
import { findEngine } from '../../src/engines/catalogue.ts'
import { registryVariable, type EngineFacts, type SharedEngine } from './engines.ts'

const engines = new Map<string, Promise<Engine>>()
let server: http.Server | undefined

export async function globalSetup(): Promise<void> {
  server = http.createServer((request, response) => {
    answer(request).then(
      (facts) => response.end(JSON.stringify(facts)),
      (error: unknown) => {
        response.statusCode = 500
        response.end(error instanceof Error ? error.message : String(error))
      },
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.env[registryVariable] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

export async function globalTeardown(): Promise<void> {
  server?.close()
  server?.closeAllConnections()
  await Promise.allSettled(engines.values())
  await stopAllEngines()
}

async function answer(request: http.IncomingMessage): Promise<EngineFacts> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  const { kind, version, security } = JSON.parse(text) as SharedEngine
  const key = `${kind} ${findEngine(kind, version, security)?.version ?? version} ${security}`
  const engine = engines.get(key) ?? startEngine({ kind, version, security })
  engines.set(key, engine)
  return engine
}
