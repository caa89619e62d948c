import { useEngine } from '../support/engines.ts'
import { testTypes } from '../support/move-types.ts'

const target = await useEngine('opensearch', '3', { own: true })
for (const version of ['2', '1']) {
  testTypes(version, await useEngine('elasticsearch', version, { own: true }), target)
}
