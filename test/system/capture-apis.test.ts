import { test } from 'node:test'
import { testEffects } from '../support/capture-effects.ts'
import { useEngine } from '../support/engines.ts'

const documents = ['bulk', 'create', 'delete', 'delete_by_query', 'index', 'reindex']
const indices = ['delete_index', 'put_alias', 'put_mapping', 'put_settings', 'rollover', 'template']

const engine = await useEngine('elasticsearch', '7.10.2', { own: true })

test('what the parser takes for reads and writes is that on Elasticsearch 7.10', (context) =>
  testEffects(context, engine, [...documents, ...indices]))
