/** Asks a starting engine whether it is ready. Not src/cluster: this is a launcher's question, and a "no" is no error. */
import http from 'node:http'
import https from 'node:https'
import { connect } from 'node:net'

const askTimeoutMs = 10_000

/** True once the cluster answers that every primary shard is there. */
export function askHealth(
  url: string,
  options: { ca?: Buffer; auth?: { username: string; password: string } },
): Promise<boolean> {
  return new Promise((resolve) => {
    const { ca, auth } = options
    const no = () => resolve(false)
    const request = (url.startsWith('https:') ? https : http).get(
      `${url}/_cluster/health?wait_for_status=yellow&timeout=5s`,
      {
        agent: false,
        timeout: askTimeoutMs,
        ...(ca === undefined ? {} : { ca }),
        ...(auth === undefined ? {} : { auth: `${auth.username}:${auth.password}` }),
      },
      (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode === 200)).on('error', no)
      },
    )
    request.on('timeout', () => request.destroy()).on('error', no)
  })
}

/** True if something accepts connections on the port. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    const end = (listening: boolean) => {
      socket.destroy()
      resolve(listening)
    }
    socket.on('connect', () => end(true)).on('error', () => end(false))
  })
}
