/** Every command against clusters that take signed requests only. Amazon's own cannot be had here; the signer of its SDK can. */
import assert from 'node:assert/strict'
import { writeFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, test } from 'node:test'
import { MigrationError } from '../../src/base/errors.ts'
import { connectCluster } from '../../src/cluster/connect.ts'
import { cliFolder } from '../support/cli.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { startSignedGateway, type SignedGateway } from '../support/signed-gateway.ts'
import { LiveMigration } from '../support/sync-live.ts'

const source = await useEngine('elasticsearch', '7')
const target = await useEngine('opensearch', '3')
const { skip } = target

const accessKeyId = 'AKIDOFTHETEST'
const secretAccessKey = 'secret/of+the=test'
const region = 'eu-west-1'

async function gatewayTo(engineUrl: string): Promise<SignedGateway> {
  const gateway = await startSignedGateway({
    ...{ engineUrl, region, service: 'es', accessKeyId, secretAccessKey },
  })
  after(() => gateway.close())
  return gateway
}

/** A profile whose credentials a process gives: with a new token each time, which is to be good for so long. */
function makeProfile(secondsValid: number): {
  readonly file: string
  readonly count: () => number
} {
  const folder = cliFolder()
  const counter = path.join(folder, 'count')
  const script = path.join(folder, 'credentials.mjs')
  writeFileSync(counter, '0')
  writeFileSync(
    script,
    `import { readFileSync, writeFileSync } from 'node:fs'
const count = Number(readFileSync(${JSON.stringify(counter)}, 'utf8')) + 1
writeFileSync(${JSON.stringify(counter)}, String(count))
console.log(JSON.stringify({
  Version: 1,
  AccessKeyId: ${JSON.stringify(accessKeyId)},
  SecretAccessKey: ${JSON.stringify(secretAccessKey)},
  SessionToken: 'token/' + count + '==',
  Expiration: new Date(Date.now() + ${secondsValid * 1000}).toISOString(),
}))
`,
  )
  const file = path.join(folder, 'config')
  writeFileSync(file, `[profile signed]\ncredential_process = "${process.execPath}" "${script}"\n`)
  return { file, count: () => Number(readFileSync(counter, 'utf8')) }
}

/** For this process and those that it starts. */
function useProfile(file: string): void {
  process.env['AWS_CONFIG_FILE'] = file
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = path.join(path.dirname(file), 'none')
}

const sigv4 = { region, profile: 'signed' }

test(
  'metadata, backfill, compare, capture and sync go through gateways that take signed requests only',
  { skip },
  async () => {
    useProfile(makeProfile(3600).file)
    const [front, back] = [await gatewayTo(source.url), await gatewayTo(target.url)]
    const index = uniqueName('signed')
    const live = new LiveMigration({ source, targetUrl: back.url, prefix: index })
    const file = path.join(live.folder, 'migration.yaml')
    const config = JSON.parse(readFileSync(file, 'utf8')) as { [section: string]: object }
    // Clients of the proxy sign nothing here: it passes what they send to the source itself.
    config['target'] = { ...config['target'], auth: { sigv4 } }
    config['backfill'] = { gzip: true }
    writeFileSync(file, JSON.stringify(config))
    await live.startProxy()
    const through = { ...source, url: live.proxy.url }
    for (let n = 0; n < 20; n++) {
      await send(through, 'PUT', `/${index}/_doc/${encodeURIComponent(`é ${n}/+`)}`, { n })
    }
    await live.takeSnapshot()
    await live.backfill()
    await live.run([0], 'compare', 'documents')
    await live.startSync()
    await send(through, 'PUT', `/${index}/_doc/later`, { n: 99 })
    await live.drain('60s')
    await live.endSync('SIGTERM')
    await send(target, 'POST', `/${index}/_refresh`)
    assert.equal((await send<{ count: number }>(target, 'GET', `/${index}/_count`)).count, 21)
    assert.deepEqual(back.refused, [])
    assert.ok(back.passed.get('POST')! > 0 && back.passed.get('PUT')! > 0)
    assert.ok(back.compressed > 0, 'a bulk body went compressed')

    // The same snapshot's source by a signed way: what `assess` and `metadata` ask of it.
    config['source'] = { url: front.url, auth: { sigv4 } }
    writeFileSync(file, JSON.stringify(config))
    await live.run([0, 3], 'assess')
    assert.deepEqual(front.refused, [])
    assert.ok(front.passed.get('GET')! > 0)
  },
)

test(
  'credentials are renewed when they expire, and when the cluster says that they have',
  { skip },
  async () => {
    const profile = makeProfile(3600)
    useProfile(profile.file)
    const gateway = await gatewayTo(target.url)
    const cluster = await connectCluster('target', { url: [gateway.url], auth: { sigv4 } })
    await cluster.request('GET', '/_cluster/health')
    assert.equal(profile.count(), 1)
    gateway.expired.add('token/1==')
    await cluster.request('GET', '/_cluster/health')
    assert.deepEqual([...gateway.seenTokens], ['token/1==', 'token/2=='])
    await cluster.close()

    // Those that will expire within five minutes are renewed beside the requests.
    const short = makeProfile(120)
    useProfile(short.file)
    const tokens = new Set(gateway.seenTokens)
    gateway.expired.clear()
    gateway.seenTokens.clear()
    const other = await connectCluster('target', { url: [gateway.url], auth: { sigv4 } })
    while (gateway.seenTokens.size < 2) await other.request('GET', '/_cluster/health')
    assert.ok(tokens.size === 2 && short.count() >= 2)
    assert.deepEqual(gateway.refused.length, 1)
    await other.close()
  },
)

test(
  'another region, and credentials that are not there, are told as what they are',
  { skip },
  async () => {
    useProfile(makeProfile(3600).file)
    const gateway = await gatewayTo(target.url)
    const connect = (options: { region: string; profile: string }): Promise<unknown> =>
      connectCluster('target', { url: [gateway.url], auth: { sigv4: options } })
    await assert.rejects(connect({ ...sigv4, region: 'us-east-1' }), (error: unknown) => {
      assert.ok(error instanceof MigrationError)
      assert.equal(error.code, 'MA_CLUSTER_AUTH')
      assert.match(error.message, /the AWS credentials of the profile signed/)
      assert.ok(!error.message.includes(secretAccessKey))
      return true
    })
    await assert.rejects(connect({ ...sigv4, profile: 'absent' }), { code: 'MA_SECRET' })
  },
)
