import { useEngine } from '../support/engines.ts'
import { testTypes } from '../support/move-types.ts'

/** Elasticsearch 5 keeps the ids of parents in doc values alone; what is older is in older-types.soak.ts. */
testTypes(
  '5',
  await useEngine('elasticsearch', '5', { own: true }),
  await useEngine('opensearch', '3'),
)
