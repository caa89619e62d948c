import { z } from 'zod'
import { duration, option } from '../base/option-types.ts'

/** How the source makes a snapshot: a part of the section `snapshot` of migration.yaml. */
export const takeOptions = z.strictObject({
  sourceLocation: option(z.string().min(1).optional(), {
    description:
      'For `snapshot create`: the same repository as the nodes of the source see it, where that is not snapshot.repository (a folder that is mounted elsewhere there).',
    flag: 'source-location',
    placeholder: 'LOC',
  }),
  sourceRepository: option(z.string().min(1).optional(), {
    description:
      'For `snapshot create`: name of a repository that is registered on the source already. It is used as it is, and never unregistered.',
    flag: 'source-repository',
    placeholder: 'NAME',
  }),
  repositorySettings: option(
    z.record(z.string().min(1), z.union([z.string(), z.number(), z.boolean()])).default({}),
    {
      description:
        'For `snapshot create`: further settings to register the repository with, by the names of the engine (client, role_arn, server_side_encryption, chunk_size …). Never credentials: they belong into the keystore of the nodes.',
      flag: 'repository-setting',
      placeholder: 'NAME=VALUE',
    },
  ),
  rateMbPerNode: option(z.int().min(1).optional(), {
    description:
      'For `snapshot create`: MB a second that one node of the source reads at most. Default: the limit of the engine.',
    flag: 'rate-mb-per-node',
    placeholder: 'NUMBER',
  }),
  globalState: option(z.boolean().default(true), {
    description:
      'For `snapshot create`: whether templates, pipelines and settings of the cluster come into the snapshot (default: they do). Without them no templates are carried over.',
    flag: 'global-state',
  }),
  compress: option(z.boolean().default(true), {
    description:
      'For `snapshot create`: whether the engine compresses the metadata of the snapshot (default: it does). Documents are stored as they are either way.',
    flag: 'compress',
  }),
  stallMax: option(duration({ minMs: 1000 }).default(3_600_000), {
    description:
      'For `snapshot create` and `delete`: how long nothing may move before it is given up to wait; the source goes on. Default: 1h.',
    flag: 'stall-max',
    placeholder: 'TIME',
  }),
})
