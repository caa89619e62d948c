/** Takes any request with a Content-Length and answers as an engine would, as cheaply as Node.js can: over bare sockets. */
import net, { type AddressInfo } from 'node:net'

const body = JSON.stringify({
  ...{ _index: 'bench', _type: '_doc', _id: '1', _version: 1, result: 'created' },
  ...{ _shards: { total: 2, successful: 1, failed: 0 }, _seq_no: 0, _primary_term: 1 },
})
const answer = Buffer.from(
  'HTTP/1.1 201 Created\r\ncontent-type: application/json; charset=UTF-8\r\n' +
    `content-length: ${body.length}\r\n\r\n${body}`,
)

function serve(socket: net.Socket): void {
  let left = 0
  let head = ''
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.on('data', (bytes: Buffer) => {
    let at = 0
    while (at < bytes.length) {
      if (left === 0) {
        const text = head + bytes.toString('latin1', at)
        const end = text.indexOf('\r\n\r\n')
        if (end === -1) {
          head = text
          return
        }
        at += end + 4 - head.length
        head = ''
        left = Number(/content-length: *(\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
        if (left === 0) socket.write(answer)
      }
      const taken = Math.min(left, bytes.length - at)
      if (taken === 0) continue
      left -= taken
      at += taken
      if (left === 0) socket.write(answer)
    }
  })
}

// A thousand clients come at once: where the queue is too short, those beyond it wait for seconds.
const listen = { port: 0, host: '127.0.0.1', backlog: 4096 }
const server = net.createServer(serve).listen(listen, () => {
  process.send!({ port: (server.address() as AddressInfo).port })
})
process.on('disconnect', () => process.exit())
