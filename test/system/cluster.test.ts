import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { Cluster, ClusterOptions } from '../../src/cluster/cluster.ts'
import { deliverBulk } from '../../src/cluster/bulk.ts'
import { connectCluster, retryChannel } from '../../src/cluster/connect.ts'
import { requireTarget } from '../../src/cluster/version.ts'
import { bulkBody, SkippingClock } from '../support/bulk-bodies.ts'
import { send, uniqueName, useEngine } from '../support/engines.ts'
import { closedPort, startFaultProxy } from '../support/fault-proxy.ts'

const secured = await useEngine('opensearch', '3', { security: true })
const plain = await useEngine('opensearch', '3')
const { skip } = secured

const folder = mkdtempSync(path.join(tmpdir(), 'osmigrate-cluster-'))
after(() => rmSync(folder, { recursive: true }))

function secretFile(name: string, text: string): string {
  const location = path.join(folder, name)
  writeFileSync(location, text, { mode: 0o600 })
  return `file:${location}`
}

const { username = '', password = '' } = secured.adminAuth ?? {}
const auth = { username, password: secretFile('admin', `${password}\n`) }
const certificate = (name: string): string => `file:${path.dirname(secured.caFile!)}/${name}`
const securedUrl = [secured.url]

async function withCluster<T>(
  options: ClusterOptions,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = await connectCluster('target', options, undefined, new SkippingClock())
  try {
    return await work(cluster)
  } finally {
    await cluster.close()
  }
}

const refuses = (options: ClusterOptions, code: string, message: RegExp): Promise<void> =>
  assert.rejects(
    withCluster(options, async () => {}),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, code, error.message)
      assert.match(error.message, message)
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error)}`, /hunter2/)
      return true
    },
  )

test('connects over TLS with a custom CA and a password', { skip }, async () => {
  const ca = `file:${secured.caFile!}`
  await withCluster({ url: securedUrl, auth, tls: { ca } }, async (cluster) => {
    assert.equal(cluster.version.flavour, 'opensearch')
    assert.equal(cluster.version.major, 3)
    requireTarget(cluster)
    const { body } = await cluster.request('GET', '/_cluster/health')
    assert.equal(typeof body['status'], 'string')
  })
})

test(
  'connects with a client certificate, and without any check when told so',
  { skip },
  async () => {
    const tls = {
      ca: `file:${secured.caFile!}`,
      cert: certificate('client.pem'),
      key: certificate('client-key.pem'),
    }
    await withCluster({ url: securedUrl, tls }, async (cluster) => {
      const { body } = await cluster.request('GET', '/_plugins/_security/authinfo')
      assert.match(JSON.stringify(body['user_name']), /migrator/)
    })
    await withCluster({ url: securedUrl, auth, tls: { insecure: true } }, async () => {})
  },
)

test('says in plain words what is wrong with TLS', { skip }, async () => {
  const ca = `file:${secured.caFile!}`
  await refuses(
    { url: securedUrl, auth },
    'MA_CLUSTER_UNREACHABLE',
    /set target\.tls\.ca to file:PATH/,
  )
  const otherCa = certificate('client.pem')
  await refuses(
    { url: securedUrl, auth, tls: { ca: otherCa } },
    'MA_CLUSTER_UNREACHABLE',
    /not signed by the authority in target\.tls\.ca/,
  )
  const plainScheme = [secured.url.replace('https:', 'http:')]
  await refuses({ url: plainScheme, auth }, 'MA_CLUSTER_UNREACHABLE', /it speaks TLS; write https/)
  const tlsScheme = [plain.url.replace('http:', 'https:')]
  await refuses({ url: tlsScheme, tls: { ca } }, 'MA_CLUSTER_UNREACHABLE', /write http:\/\//)
})

test('names a wrong file of certificates by its option', { skip }, async () => {
  const url = securedUrl
  const noPem = secretFile('no-pem', 'hunter2')
  await refuses({ url, tls: { ca: noPem } }, 'MA_CONFIG', /target\.tls\.ca is not a certificate/)
  const cert = certificate('client.pem')
  await refuses({ url, tls: { cert } }, 'MA_CONFIG', /both cert and key/)
  const otherKey = certificate('admin-key.pem')
  await refuses(
    { url, tls: { cert, key: otherKey } },
    'MA_CONFIG',
    /does not belong to the certificate/,
  )
  await refuses(
    { url, tls: { cert, key: noPem } },
    'MA_CONFIG',
    /target\.tls\.key is not a private key/,
  )
})

test('names the user whose password is wrong, and never the password', { skip }, async () => {
  const ca = `file:${secured.caFile!}`
  const wrong = { username, password: secretFile('wrong', 'hunter2') }
  const tls = { ca }
  await refuses(
    { url: securedUrl, auth: wrong, tls },
    'MA_CLUSTER_AUTH',
    /the user admin \(401\).*check target\.auth/,
  )
  await refuses({ url: securedUrl, tls }, 'MA_CLUSTER_AUTH', /without credentials \(401\)/)
  const literal = { username, password: 'hunter2' }
  await refuses({ url: securedUrl, auth: literal, tls }, 'MA_CONFIG', /target\.auth\.password/)
})

test(
  'names the permission that is missing, for a control call and for bulk',
  { skip },
  async () => {
    const index = uniqueName('guarded')
    const alias = `${index}-fence`
    const user = uniqueName('reader')
    await send(secured, 'PUT', `/${index}`, { aliases: { [alias]: {} } })
    const api = '/_plugins/_security/api'
    const userPassword = 'Correct-Horse-9-Battery'
    await send(secured, 'PUT', `${api}/internalusers/${user}`, { password: userPassword })
    await send(secured, 'PUT', `${api}/roles/${user}`, {
      cluster_permissions: ['cluster:monitor/main', 'indices:data/write/bulk'],
      index_permissions: [{ index_patterns: [index], allowed_actions: ['read'] }],
    })
    await send(secured, 'PUT', `${api}/rolesmapping/${user}`, { users: [user] })
    const options = {
      url: securedUrl,
      auth: { username: user, password: secretFile('reader', userPassword) },
      tls: { ca: `file:${secured.caFile!}` },
    }
    await withCluster(options, async (cluster) => {
      await assert.rejects(cluster.request('PUT', `/${index}-other`), {
        code: 'MA_CLUSTER_AUTH',
        message: /lacks the permission indices:admin\/create/,
      })
      const body = bulkBody([{ id: '1', version: 1, source: {} }])
      const { signal } = new AbortController()
      await assert.rejects(deliverBulk(cluster, { alias, body, signal, waitMaxMs: 60_000 }), {
        code: 'MA_CLUSTER_AUTH',
        message: /indices:data\/write\/bulk\[s\]/,
      })
    })
  },
)

test('sends API keys and bearer tokens in the form that engines expect', { skip }, async () => {
  const proxy = await startFaultProxy(plain.port)
  try {
    const url = [proxy.url]
    const encoded = Buffer.from('id1:key1').toString('base64')
    await withCluster({ url, auth: { apiKey: secretFile('key', 'id1:key1\n') } }, async () => {})
    await withCluster({ url, auth: { apiKey: secretFile('key2', encoded) } }, async () => {})
    await withCluster({ url, auth: { bearer: secretFile('token', 'abc.def\n') } }, async () => {})
    const headers = [...proxy.sent().matchAll(/^authorization: (.*)\r$/gim)].map(
      (match) => match[1],
    )
    assert.deepEqual(headers, [`ApiKey ${encoded}`, `ApiKey ${encoded}`, 'Bearer abc.def'])
  } finally {
    await proxy.close()
  }
  const broken = { bearer: secretFile('broken', 'hunter2\nhunter2') }
  await refuses({ url: [plain.url], auth: broken }, 'MA_SECRET', /line breaks/)
})

test('refuses addresses that cannot be meant', { skip }, async () => {
  const cases: [string[], RegExp][] = [
    [[], /at least one address/],
    [['hunter2'], /not a URL/],
    [['http://u:hunter2@h:9200'], /credentials do not belong/],
    [['ftp://h'], /ftp:\/\/ is not known/],
    [['http://h/?x=1'], /must end with its path/],
    [['http://h', 'https://h'], /all addresses must be/],
  ]
  for (const [url, message] of cases) await refuses({ url }, 'MA_CONFIG', message)
})

test(
  'takes the next address where one is unreachable, at the start and later',
  { skip },
  async () => {
    const dead = `http://127.0.0.1:${await closedPort()}`
    const proxy = await startFaultProxy(plain.port)
    const options = { url: [dead, `${proxy.url}/`, plain.url] }
    await withCluster(options, async (cluster) => {
      assert.equal(cluster.url, proxy.url)
      await proxy.close()
      await cluster.request('GET', '/_cluster/health')
      assert.equal(cluster.url, plain.url)
    })
  },
)

test('names every address where none can be reached', { skip }, async () => {
  const url = [await closedPort(), await closedPort()].map((port) => `http://127.0.0.1:${port}`)
  const clock = new SkippingClock()
  await assert.rejects(connectCluster('target', { url }, undefined, clock), {
    code: 'MA_CLUSTER_UNREACHABLE',
    retryable: true,
    message: new RegExp(`none of the 2 .*${url[0]!}: .*refused.*${url[1]!}: .*refused`),
  })
  assert.ok(clock.slept > 0)
})

test('repeats a GET whose answer was cut, and never a PUT', { skip }, async (t) => {
  const proxy = await startFaultProxy(plain.port)
  t.after(() => proxy.close())
  const index = uniqueName('cut')
  await withCluster({ url: [proxy.url] }, async (cluster) => {
    const retries: unknown[] = []
    const listener = (message: unknown): void => void retries.push(message)
    retryChannel.subscribe(listener)
    let cuts = 2
    proxy.fault = () => (cuts-- > 0 ? 'cut' : 'none')
    await cluster.request('GET', '/_cluster/health')
    assert.equal(retries.length, 2)
    cuts = 1
    await assert.rejects(cluster.request('PUT', `/${index}`), {
      code: 'MA_CLUSTER_UNREACHABLE',
      details: { kind: 'cut', sent: true },
    })
    retryChannel.unsubscribe(listener)
    const puts = proxy.sent().match(new RegExp(`^PUT /${index}`, 'gm'))
    assert.equal(puts?.length, 1)
  })
})

test('an answer that never comes ends by timeout or by the signal', { skip }, async (t) => {
  const proxy = await startFaultProxy(plain.port)
  t.after(() => proxy.close())
  await withCluster({ url: [proxy.url] }, async (cluster) => {
    proxy.fault = () => 'hold'
    await assert.rejects(cluster.request('POST', '/_refresh', { timeoutMs: 200 }), {
      code: 'MA_CLUSTER_UNREACHABLE',
      message: /no answer to POST \/_refresh within 0\.2 s/,
      details: { kind: 'timeout', sent: true },
    })
    const stopping = new AbortController()
    const { signal } = stopping
    const waiting = cluster.request('GET', '/_cluster/health', { signal })
    setImmediate(() => stopping.abort(new Error('enough')))
    await assert.rejects(waiting, { code: 'MA_STOPPED' })
  })
})

test('refuses Elasticsearch as a target', async () => {
  const source = await useEngine('elasticsearch', '7')
  await withCluster({ url: [source.url] }, async (cluster) => {
    assert.equal(cluster.version.text, '7.10.2')
    assert.equal(cluster.version.flavour, 'elasticsearch')
    assert.throws(() => requireTarget(cluster), { code: 'MA_CLUSTER_KIND' })
  })
})

test('refuses a server that is no search engine, by what it is', async (t) => {
  const server = http.createServer((request, response) => {
    if (request.url!.startsWith('/dashboards')) {
      response.writeHead(302, { location: '/app/home', 'osd-name': 'node' })
    }
    response.end('<h1>It works</h1>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await refuses({ url: [url] }, 'MA_CLUSTER_KIND', /neither .* \(status 200: "<h1>It works/)
  await refuses({ url: [`${url}/dashboards`] }, 'MA_CLUSTER_KIND', /is OpenSearch Dashboards/)
})
