/** What clients, operators and lifecycle policies do that breaks simple ways to follow a source; each on an index of its own. */
import assert from 'node:assert/strict'
import type { Json, JsonObject } from '../../src/base/json.ts'
import { ask, type HttpAnswer } from './capture.ts'
import { send, type TestEngine } from './engines.ts'

export interface ConditionClientInput {
  readonly source: TestEngine
  readonly prefix: string
  readonly proxy: () => string
}

const documents = 60
const one = { number_of_shards: 1, number_of_replicas: 0 }

export class ConditionClient {
  readonly #input: ConditionClientInput
  #n = 0

  constructor(input: ConditionClientInput) {
    this.#input = input
  }

  index(name: string): string {
    return this.#input.prefix + name
  }

  /** Straight to the source, as a lifecycle policy or an operator does. */
  operator(method: string, target: string, body?: JsonObject): Promise<JsonObject> {
    return send(this.#input.source, method, target, body)
  }

  /** Through the proxy. */
  async client(method: string, target: string, body?: Json): Promise<HttpAnswer> {
    return ask(this.#input.proxy(), {
      method,
      target,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  }

  async put(name: string, id: string, query = '', extra: JsonObject = {}): Promise<void> {
    const target = `/${this.index(name)}/_doc/${id}${query}`
    const { status, body } = await this.client('PUT', target, { n: ++this.#n, ...extra })
    assert.ok(status < 300, `${target}: ${status} ${body.toString()}`)
  }

  async delete(name: string, id: string, query = ''): Promise<void> {
    const target = `/${this.index(name)}/_doc/${id}${query}`
    const { status, body } = await this.client('DELETE', target)
    assert.ok(status < 300, `${target}: ${status} ${body.toString()}`)
  }

  async putMany(name: string, from: number, to: number, query = ''): Promise<void> {
    for (let i = from; i < to; i++) await this.put(name, `d${i}`, query)
  }

  /** What is there before the snapshot of the migration. */
  async prepare(): Promise<void> {
    const make = (name: string, body: JsonObject): Promise<unknown> =>
      this.operator('PUT', `/${this.index(name)}`, body)
    const simple = { settings: one, mappings: { properties: { n: { type: 'long' } } } }
    await make('restored', simple)
    await make('recreated', simple)
    await make('lazy', { settings: { ...one, refresh_interval: '-1' } })
    await make('tombs', simple)
    await make('marker', simple)
    await make('routed', {
      settings: { ...one, number_of_shards: 3 },
      aliases: { [this.index('routing-alias')]: { routing: 'r1' } },
    })
    await make('immense', {
      ...simple,
      mappings: { properties: { n: { type: 'long' }, exact: { type: 'keyword' } } },
    })
    await make('clients', simple)
    await make('small', simple)
    await this.operator('PUT', `/_ingest/pipeline/${this.index('routes')}`, {
      processors: [{ set: { field: '_routing', value: 'r9' } }],
    })
    for (const name of ['restored', 'recreated', 'lazy', 'tombs', 'small', 'routing-alias']) {
      await this.putMany(name, 0, documents / 2)
    }
    await this.#takeOwnSnapshot()
    await this.putMany('restored', documents / 4, documents)
    await this.clientVersions(1_700_000_000_000)
  }

  /** The operator's own, of an earlier time. */
  async #takeOwnSnapshot(): Promise<void> {
    const { location } = this.#input.source.makeRepository()
    const repository = `/_snapshot/${this.index('own')}`
    await this.operator('PUT', repository, { type: 'fs', settings: { location } })
    await this.operator('PUT', `${repository}/earlier?wait_for_completion=true`, {
      indices: this.index('restored'),
      include_global_state: false,
    })
  }

  /** Another history under the same UUID: numbers are given once more. */
  async restore(): Promise<void> {
    const name = this.index('restored')
    await this.putMany('restored', 0, 20)
    await this.operator('POST', `/${name}/_close`)
    const restore = `/_snapshot/${this.index('own')}/earlier/_restore?wait_for_completion=true`
    await this.operator('POST', restore, { indices: name, include_global_state: false })
    await this.putMany('restored', 10, 25)
    await this.delete('restored', 'd5')
  }

  /** As a lifecycle policy does it, and the next write makes the index again. */
  async recreate(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await this.putMany('recreated', 0, 20)
      await this.operator('DELETE', `/${this.index('recreated')}`)
      await this.putMany('recreated', 15 - 5 * round, 25)
    }
    await this.operator('DELETE', `/${this.index('recreated')}/_doc/d20`)
  }

  /** Which routing an alias gives is not in the request, and is another one a moment later. */
  async routing(): Promise<void> {
    await this.putMany('routing-alias', 10, 40)
    const action = (routing: string): JsonObject => ({
      add: { index: this.index('routed'), alias: this.index('routing-alias'), routing },
    })
    await this.operator('POST', '/_aliases', { actions: [action('r2')] })
    await this.putMany('routing-alias', 30, 50)
    await this.delete('routing-alias', 'd35')
    await this.operator('POST', '/_aliases', { actions: [action('r3')] })
    await this.putMany('routed', 100, 120, `?pipeline=${this.index('routes')}`)
    await this.putMany('routed', 110, 115, '?routing=r7')
    await this.delete('routed', 'd101', '?routing=r9')
  }

  async lazy(): Promise<void> {
    await this.putMany('lazy', 10, documents)
    for (let i = 0; i < 10; i++) await this.delete('lazy', `d${i}`)
    for (let i = 20; i < 30; i++) {
      await this.client('POST', `/${this.index('lazy')}/_update/d${i}`, { doc: { updated: i } })
    }
    for (let i = 30; i < 33; i++) await this.operator('DELETE', `/${this.index('lazy')}/_doc/d${i}`)
  }

  /** Numbered, and then refused by Lucene: a hole that nothing explains. */
  async immense(): Promise<void> {
    for (let i = 0; i < 100; i++) {
      const target = `/${this.index('immense')}/_doc/d${i % 30}`
      const exact = i % 20 === 0 ? 'y'.repeat(40_000) : `x${i}`
      await this.client('PUT', target, { n: i, exact })
    }
  }

  async clientVersions(from: number): Promise<void> {
    for (let i = 0; i < 20; i++) {
      const version = `?version=${from + i * 7}&version_type=external`
      await this.client('PUT', `/${this.index('clients')}/_doc/d${i % 8}${version}`, { n: i })
      if (i % 9 === 8) {
        const later = version.replace(String(from + i * 7), String(from + i * 7 + 1))
        await this.client('DELETE', `/${this.index('clients')}/_doc/d${i % 8}${later}`)
      }
    }
  }

  /** Below the numbers by which the backfill has written: such a target index has to be made anew. */
  async smallVersions(): Promise<void> {
    for (let version = 2; version < 5; version++) {
      await this.putMany('small', 10, 20, `?version=${version}&version_type=external`)
    }
    await this.delete('small', 'd15', '?version=9&version_type=external')
    await this.delete('small', 'd25')
  }

  /** Which comes first decides what a field is; what does not fit afterwards is refused. */
  async dynamicTypes(): Promise<void> {
    const values: Json[] = [1, 2.5, '2020-01-01', 'words', true, { inner: 1 }]
    await Promise.all(
      values.flatMap((first, i) =>
        values.map(async (second, k) => {
          const target = (id: string): string => `/${this.index(`typed-${i}`)}/_doc/${k}-${id}`
          await Promise.all([
            this.client('PUT', target('a'), { [`f${k}`]: first }),
            this.client('PUT', target('b'), { [`f${k}`]: second }),
          ])
        }),
      ),
    )
  }

  /** Deleted before the backfill brings what the snapshot holds. */
  async deleteBeforeBackfill(): Promise<void> {
    for (let i = 0; i < documents / 2; i += 2) await this.delete('tombs', `d${i}`)
    await this.put('marker', 'deleted')
  }

  async remove(): Promise<void> {
    const { source } = this.#input
    await send(source, 'DELETE', `/${this.#input.prefix}*`).catch(() => undefined)
    await send(source, 'DELETE', `/_ingest/pipeline/${this.index('routes')}`).catch(() => undefined)
    await send(source, 'DELETE', `/_snapshot/${this.index('own')}`).catch(() => undefined)
  }
}
