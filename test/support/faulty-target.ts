/** A relay in front of a target that now and then refuses, answers wrongly, or breaks off: what a target under load does. */
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FaultyTarget {
  readonly url: string
  /** Share of the answers that are not the target's: 0.05 is one in twenty. */
  share: number
  /** How many were not. */
  readonly faults: number
  close(): Promise<void>
}

/**
 * `random` decides. Of the faults half are refused before the target sees them (429, 503), the others are carried out
 * and answered by 503, or by the end of the connection.
 */
export async function startFaultyTarget(
  port: () => number,
  random: () => number,
): Promise<FaultyTarget> {
  const agent = new http.Agent({ keepAlive: true })
  let faults = 0
  const refuse = (response: http.ServerResponse, status: number): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'retry-after': '0' })
    response.end(`{"error":{"type":"made_by_test","reason":"made by the test"},"status":${status}}`)
  }
  const server = http.createServer((request, response) => {
    const isFault = random() < relay.share
    const how = isFault ? random() : 1
    if (isFault) faults++
    if (isFault && how < 0.5) return refuse(response, how < 0.25 ? 429 : 503)
    const { method, url: path, headers } = request
    const onward = http.request(
      { host: '127.0.0.1', port: port(), method, path, headers, agent },
      (answer) => {
        if (!isFault) {
          response.writeHead(answer.statusCode ?? 502, answer.headers)
          answer.pipe(response)
          answer.on('error', () => response.destroy())
          return
        }
        answer.resume()
        answer.on('end', () => {
          if (how < 0.75) refuse(response, 503)
          else response.destroy()
        })
      },
    )
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const relay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    share: 0,
    get faults() {
      return faults
    },
    close: async () => {
      agent.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return relay
}
