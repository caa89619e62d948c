/** Certificates for an engine with TLS: a CA of its own, a node, an administrator and an ordinary client. */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { MigrationError } from '../base/errors.ts'

const run = promisify(execFile)
const validDays = '3650'

/** File name → common name; each has a `-key.pem` beside it. */
const holders = { node: 'node1', admin: 'admin-cert', client: 'migrator' } as const

/** Writes ca.pem, node.pem, admin.pem, client.pem and their keys into a folder. Throws MA_ENGINE. */
export async function makeCertificates(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(
    path.join(folder, 'extensions.cnf'),
    'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n',
  )
  const days = ['-days', validDays]
  const key = (name: string) => ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}-key.pem`]
  await openssl(['req', '-x509', ...days, '-subj', '/CN=engine-ca', ...key('ca'), '-out', 'ca.pem'])
  for (const [name, commonName] of Object.entries(holders)) {
    const request = `${name}.csr`
    await openssl(['req', '-subj', `/CN=${commonName}`, ...key(name), '-out', request])
    const authority = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-CAcreateserial']
    const extensions = ['-extfile', 'extensions.cnf']
    const output = ['-out', `${name}.pem`]
    await openssl(['x509', '-req', '-in', request, ...authority, ...days, ...extensions, ...output])
  }

  async function openssl(args: string[]): Promise<void> {
    try {
      await run('openssl', args, { cwd: folder, timeout: 60_000 })
    } catch (cause) {
      throw new MigrationError(
        'MA_ENGINE',
        `openssl could not make certificates in ${folder}: ${(cause as Error).message.slice(0, 500)}. ` +
          'An engine with security needs the openssl command: install it and try again',
        { cause },
      )
    }
  }
}
