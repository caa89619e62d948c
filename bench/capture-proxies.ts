/** What the capture proxy is measured against: a pipe over bare sockets, and a proxy of node:http. */
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'

const [kind, sourcePort] = [process.argv[2], Number(process.argv[3])]

const pipe = (): net.Server =>
  net.createServer({ noDelay: true }, (client) => {
    const source = net.connect({ port: sourcePort, host: '127.0.0.1', noDelay: true })
    client.pipe(source).pipe(client)
    client.on('error', () => source.destroy())
    source.on('error', () => client.destroy())
  })

const nodeHttp = (): http.Server => {
  const agent = new http.Agent({ keepAlive: true })
  return http.createServer((request, response) => {
    const { method, url: path, headers } = request
    const options = { port: sourcePort, host: '127.0.0.1', agent, method, path, headers }
    const onward = http.request(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
}

const server = kind === 'pipe' ? pipe() : nodeHttp()
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.send!({ port: (server.address() as AddressInfo).port })
})
process.on('disconnect', () => process.exit())
