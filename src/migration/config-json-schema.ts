import { z } from 'zod'
import { configSchema } from './config-schema.ts'

/** The JSON schema of migration.yaml, for editors: what a person writes, before defaults are filled in. */
export function configJsonSchema(): object {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ jsonSchema }) => {
      for (const key of ['flag', 'placeholder', 'secret']) delete jsonSchema[key]
    },
  })
  return {
    ...schema,
    $id: 'migration.schema.json',
    title: 'osmigrate: migration.yaml',
  }
}
