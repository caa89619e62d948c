/** A broker with a listener for each way to log in, beside a plain one. */
import { alterUserScramCredentialsV0, Connection } from '@platformatic/kafka'
import { mkdtempSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { pbkdf2Sync, randomBytes } from 'node:crypto'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { makeCertificates } from '../../src/engines/certificates.ts'
import { startEngine, type Engine } from '../../src/engines/engine.ts'
import { freePort } from '../../src/engines/ports.ts'

export const kafkaUser = { username: 'capture', password: 'a "quoted" password' }

export interface SecuredKafka {
  /** host:port by listener. */
  readonly plain: string
  readonly sasl: string
  readonly saslTls: string
  /** Asks for a client certificate. */
  readonly tls: string
  /** As the machine's loss of power would. */
  kill(): void
  /** Stops and goes on as a machine does that is out of memory. */
  freeze(): void
  thaw(): void
  start(): Promise<void>
  readonly certificates: { readonly ca: string; readonly cert: string; readonly key: string }
}

/** Kafka 4.1 that knows `kafkaUser` by PLAIN and SCRAM, and any subject by an unsigned token. */
export async function useSecuredKafka(): Promise<SecuredKafka> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'osmigrate-kafka-tls-'))
  after(() => rm(folder, { recursive: true, force: true }))
  await makeCertificates(folder)
  const pem = (name: string) => readFile(path.join(folder, name), 'utf8')
  const [ca, node, nodeKey] = [
    await pem('ca.pem'),
    await pem('node.pem'),
    await pem('node-key.pem'),
  ]
  const ports = {
    plain: await freePort(),
    sasl: await freePort(),
    saslTls: await freePort(),
    tls: await freePort(),
    controller: await freePort(),
  }
  const at = (port: number) => `127.0.0.1:${port}`
  const clients = `PLAINTEXT://${at(ports.plain)},SASL://${at(ports.sasl)},SASLTLS://${at(ports.saslTls)},TLS://${at(ports.tls)}`
  const dir = mkdtempSync(path.join(os.tmpdir(), 'osmigrate-kafka-'))
  after(() => rm(dir, { recursive: true, force: true }))
  const options = {
    port: ports.plain,
    dir,
    settings: {
      'controller.quorum.voters': `1@${at(ports.controller)}`,
      listeners: `${clients},CONTROLLER://${at(ports.controller)}`,
      'advertised.listeners': clients,
      'listener.security.protocol.map':
        'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,SASLTLS:SASL_SSL,TLS:SSL',
      'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      ...loginModules('sasl'),
      ...loginModules('sasltls'),
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': onOneLine(node),
      'ssl.keystore.key': onOneLine(nodeKey),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.certificates': onOneLine(ca),
      'listener.name.tls.ssl.client.auth': 'required',
    },
  }
  let engine: Engine | undefined
  after(() => engine?.stop())
  const start = async (): Promise<void> => {
    engine = await startEngine({ kind: 'kafka', version: '4', ...options })
  }
  await start()
  await addScramUser(ports.plain)
  return {
    kill: () => process.kill(engine!.pid, 'SIGKILL'),
    freeze: () => process.kill(engine!.pid, 'SIGSTOP'),
    thaw: () => process.kill(engine!.pid, 'SIGCONT'),
    start,
    plain: at(ports.plain),
    sasl: at(ports.sasl),
    saslTls: at(ports.saslTls),
    tls: at(ports.tls),
    certificates: { ca, cert: await pem('client.pem'), key: await pem('client-key.pem') },
  }
}

/** As a file of properties continues a value. */
function onOneLine(pem: string): string {
  return pem.trim().replaceAll('\n', '\\n')
}

function loginModules(listener: string): Record<string, string> {
  const { username, password } = kafkaUser
  const quoted = password.replaceAll('"', '\\\\"')
  const security = 'org.apache.kafka.common.security'
  const module = (mechanism: string, name: string, options = '') => [
    `listener.name.${listener}.${mechanism}.sasl.jaas.config`,
    `${security}.${name} required${options};`,
  ]
  return Object.fromEntries([
    module('plain', 'plain.PlainLoginModule', ` user_${username}="${quoted}"`),
    module('scram-sha-256', 'scram.ScramLoginModule'),
    module('scram-sha-512', 'scram.ScramLoginModule'),
    module(
      'oauthbearer',
      'oauthbearer.OAuthBearerLoginModule',
      ' unsecuredLoginStringClaim_sub="broker"',
    ),
  ]) as Record<string, string>
}

async function addScramUser(port: number): Promise<void> {
  const connection = new Connection('test')
  await connection.connect('127.0.0.1', port)
  const users = [
    { mechanism: 1, hash: 'sha256', bytes: 32 },
    { mechanism: 2, hash: 'sha512', bytes: 64 },
  ].map(({ mechanism, hash, bytes }) => {
    const salt = randomBytes(16)
    const iterations = 4096
    const saltedPassword = pbkdf2Sync(kafkaUser.password, salt, iterations, bytes, hash)
    return { name: kafkaUser.username, mechanism, iterations, salt, saltedPassword }
  })
  // A broker alters one credential of a user a request.
  for (const user of users) await alterUserScramCredentialsV0.api.async(connection, [], [user])
  await connection.close()
}
