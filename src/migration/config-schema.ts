import { z } from 'zod'
import { backfillOptions } from '../backfill/options.ts'
import { captureOptions } from '../capture/options.ts'
import { requestDefaults } from '../blob/retry.ts'
import { duration, namePatterns, option, pemFile, secretReference } from '../base/option-types.ts'
import { compareOptions } from '../compare/options.ts'
import { compareGateOptions } from '../compare/report/gate-options.ts'
import { metadataOptions } from '../metadata/options.ts'
import { shadowOptions } from '../shadow/options.ts'
import { syncOptions } from '../sync/options.ts'
import { takeOptions } from '../take/options.ts'
import { transformOptions } from '../transform/options.ts'

/**
 * Everything that migration.yaml may say. Flags, the editors' JSON schema and docs/reference/config.md are made from
 * this table: a default and a sentence are written once, here or in the options.ts of the folder that uses them.
 */

const clusterUrl = z
  .string()
  .regex(/^https?:\/\/[^\s/]+/, { error: 'expected http://HOST:PORT or https://HOST:PORT' })
  .refine((url) => !/^https?:\/\/[^/]*@/.test(url), {
    error: 'expected a URL without user and password (they belong under auth)',
  })

const regionError = 'expected the name of a region such as eu-west-1'

/** Where a cluster is and how to log in; `side` names its flags: --source-url, --target-url. */
function clusterSchema(side: 'source' | 'target') {
  const auth = z.strictObject({
    username: option(z.string().min(1).optional(), {
      description: `User name for basic authentication. Its password comes from ${side}.auth.password, or from the environment variable ${passwordVariable(side)}.`,
      flag: `${side}-username`,
      placeholder: 'NAME',
    }),
    password: option(secretReference().optional(), {
      description: 'Password that goes with username, as env:NAME or file:PATH.',
      secret: true,
    }),
    apiKey: option(secretReference().optional(), {
      description: 'API key, base64 of id:key as Elasticsearch gives it, as env:NAME or file:PATH.',
      secret: true,
    }),
    bearer: option(secretReference().optional(), {
      description: 'Bearer token, as env:NAME or file:PATH.',
      secret: true,
    }),
    sigv4: z
      .strictObject({
        region: option(z.string().regex(/^[a-z0-9-]+$/, { error: regionError }), {
          description: `AWS region of the ${side}, whose requests are then signed by Signature Version 4. The credentials come from the environment, a profile or the machine, as for other AWS tools, and are renewed.`,
          flag: `${side}-sigv4-region`,
          placeholder: 'REGION',
        }),
        service: option(z.enum(['es', 'aoss']).default('es'), {
          description:
            'What requests are signed for: es is Amazon OpenSearch Service, aoss is Amazon OpenSearch Serverless.',
          flag: `${side}-sigv4-service`,
          placeholder: 'es|aoss',
        }),
        profile: option(z.string().min(1).optional(), {
          description:
            'Profile of the AWS configuration that holds the credentials. Default: as for other AWS tools (AWS_PROFILE).',
          flag: `${side}-sigv4-profile`,
          placeholder: 'NAME',
        }),
      })
      .optional(),
  })
  return z.strictObject({
    url: option(
      z
        .union([clusterUrl, z.array(clusterUrl).min(1)], {
          error: 'expected a URL or a list of URLs',
        })
        .transform((url) => (typeof url === 'string' ? [url] : url)),
      {
        description: `Address of the ${side} cluster, or a list of addresses of its nodes.`,
        flag: `${side}-url`,
        placeholder: 'URL',
      },
    ),
    auth: auth
      .refine((value) => waysToLogIn(value) <= 1, {
        error: 'expected one way to log in: username with password, apiKey, bearer, or sigv4',
      })
      .refine((value) => value.password === undefined || value.username !== undefined, {
        error: 'expected a username beside the password',
      })
      .optional(),
    tls: z
      .strictObject({
        ca: option(pemFile().optional(), {
          description: `Certificate authority that signed the ${side}'s certificate: file:PATH of PEM. Default: what Node.js trusts.`,
          flag: `${side}-ca`,
          placeholder: 'file:PATH',
        }),
        cert: option(pemFile().optional(), {
          description: 'Client certificate: file:PATH of PEM. Needs key.',
          flag: `${side}-cert`,
          placeholder: 'file:PATH',
        }),
        key: option(secretReference().optional(), {
          description: 'Private key of the client certificate, as file:PATH or env:NAME.',
          secret: true,
        }),
        insecure: option(z.boolean().default(false), {
          description: `Do not check the ${side}'s certificate. Only for tests: anybody in between can read and change everything.`,
          flag: `${side}-insecure`,
        }),
      })
      .refine((tls) => (tls.cert === undefined) === (tls.key === undefined), {
        error: 'expected cert and key together',
      })
      .optional(),
    requestTimeout: option(duration({ minMs: 1000 }).optional(), {
      description: 'How long one request may take before it is given up and tried again.',
      flag: `${side}-request-timeout`,
      placeholder: 'TIME',
    }),
  })
}

/** The environment variable that holds a side's password when the file names none. */
export function passwordVariable(side: 'source' | 'target'): string {
  return `OSMIGRATE_${side.toUpperCase()}_PASSWORD`
}

interface Ways {
  username?: unknown
  apiKey?: unknown
  bearer?: unknown
  sigv4?: unknown
}

function waysToLogIn({ username, apiKey, bearer, sigv4 }: Ways): number {
  return [username, apiKey, bearer, sigv4].filter((way) => way !== undefined).length
}

const selectSchema = z.strictObject({
  include: option(namePatterns().prefault('*'), {
    description:
      'Indices that take part; * stands for any characters, and regex:EXPRESSION is a regular expression for the whole name. Repeatable as a flag.',
    flag: 'index',
    placeholder: 'PATTERN',
  }),
  exclude: option(namePatterns().optional(), {
    description:
      'Indices that are left out; wins over include. Default: .* (names with a leading dot), unless include names them.',
    flag: 'exclude',
    placeholder: 'PATTERN',
  }),
})

const snapshotSchema = z.strictObject({
  repository: option(z.string().min(1).optional(), {
    description:
      'Where the snapshot repository is: a path, file:///PATH, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, azure://ACCOUNT/CONTAINER/PREFIX, or https://HOST/PATH of a web server. A folder that `snapshot create` is to write to must be below path.repo of the source.',
    flag: 'repository',
    placeholder: 'LOC',
  }),
  s3: z
    .strictObject({
      region: option(z.string().min(1).optional(), {
        description:
          'Region of the bucket of an s3:// repository. Default: as for other AWS tools (AWS_REGION, profile); with an endpoint AWS_REGION, or us-east-1.',
        flag: 's3-region',
        placeholder: 'REGION',
      }),
      endpoint: option(clusterUrl.optional(), {
        description: 'Address of an S3 service other than the one of AWS.',
        flag: 's3-endpoint',
        placeholder: 'URL',
      }),
      pathStyle: option(z.boolean().optional(), {
        description:
          'Put the bucket into the path of requests, not into the host name. Default: true where an endpoint is given.',
        flag: 's3-path-style',
      }),
    })
    .optional(),
  gcs: z
    .strictObject({
      endpoint: option(clusterUrl.optional(), {
        description:
          'Address of Google Cloud Storage where it is not https://storage.googleapis.com. With http:// (an emulator) nobody logs in there.',
        flag: 'gcs-endpoint',
        placeholder: 'URL',
      }),
      project: option(z.string().min(1).optional(), {
        description:
          'Project that pays for the requests to a gs:// repository, where the owner of the bucket does not.',
        flag: 'gcs-project',
        placeholder: 'PROJECT',
      }),
      credentials: option(secretReference().optional(), {
        description:
          'Key of a service account (JSON) for a gs:// repository, as file:PATH or env:NAME. Default: as for other tools of Google (GOOGLE_APPLICATION_CREDENTIALS, gcloud, the account of the machine).',
        secret: true,
      }),
    })
    .optional(),
  azure: z
    .strictObject({
      endpoint: option(clusterUrl.optional(), {
        description:
          'Address of the storage account of an azure:// repository, where it is not https://ACCOUNT.blob.core.windows.net.',
        flag: 'azure-endpoint',
        placeholder: 'URL',
      }),
      key: option(secretReference().optional(), {
        description:
          'Access key of the storage account, as env:NAME or file:PATH. Default: AZURE_STORAGE_KEY where it is set; without a key and a SAS token an identity (of the environment, a workload, the machine, az login).',
        secret: true,
      }),
      sas: option(secretReference().optional(), {
        description:
          'Shared access signature for the container, as env:NAME or file:PATH. Default: AZURE_STORAGE_SAS_TOKEN where it is set.',
        secret: true,
      }),
    })
    .optional(),
  requests: z
    .strictObject({
      atOnce: option(z.int().min(1).max(256).default(requestDefaults.atOnce), {
        description:
          'Requests to a repository over the network that are under way at once, per thread.',
        flag: 'repository-requests',
        placeholder: 'NUMBER',
      }),
      attempts: option(z.int().min(1).max(100).default(requestDefaults.attempts), {
        description:
          'How often a request to the repository is made while it fails in a way that may pass. The waits in between grow from 0.2 to 10 seconds.',
        flag: 'repository-attempts',
        placeholder: 'NUMBER',
      }),
      timeout: option(duration({ minMs: 1000 }).default(requestDefaults.timeoutMs), {
        description:
          'How long a request to the repository may take before it is given up and made again. Default: 60s.',
        flag: 'repository-timeout',
        placeholder: 'TIME',
      }),
    })
    .prefault({}),
  tls: z
    .strictObject({
      ca: option(pemFile().optional(), {
        description:
          'Certificate authority of the endpoint or web server that holds the repository: file:PATH of PEM. Default: what Node.js trusts.',
        flag: 'repository-ca',
        placeholder: 'file:PATH',
      }),
    })
    .optional(),
  name: option(z.string().min(1).optional(), {
    description: 'Name of the snapshot. Default: osmigrate-NAME of the migration.',
    flag: 'snapshot',
    placeholder: 'NAME',
  }),
  ...takeOptions.shape,
  allowPartial: option(z.boolean().default(false), {
    description:
      'Use a snapshot whose state is PARTIAL: the shards that it lacks are not migrated.',
    flag: 'allow-partial',
  }),
  allowPartialSource: option(z.boolean().default(false), {
    description:
      'Carry over what there is of indices that do not keep _source as it was sent (disabled, filtered, synthetic). Documents without any are counted, not migrated.',
    flag: 'allow-partial-source',
  }),
})

const nameError =
  'expected a name of small letters, digits, dot, dash and underscore (it names a folder)'

export const configSchema = z.strictObject({
  version: z.literal(1, { error: 'expected version: 1 (newer files need a newer osmigrate)' }),
  name: option(
    z
      .string({ error: nameError })
      .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, { error: nameError })
      .default('migration'),
    {
      description: 'Name of this migration; its state is kept in ./.osmigrate/NAME/.',
      flag: 'name',
      placeholder: 'NAME',
    },
  ),
  source: clusterSchema('source').optional(),
  target: clusterSchema('target').optional(),
  select: selectSchema.prefault({}),
  snapshot: snapshotSchema.prefault({}),
  metadata: metadataOptions.prefault({}),
  transform: option(transformOptions.optional(), {
    description:
      'What is changed on the way: a module, a step such as { module: ./shop.ts }, or a list of them. See docs/guides/transformations.md.',
    flag: 'transform',
    placeholder: 'MODULE',
  }),
  backfill: backfillOptions.prefault({}),
  compare: compareOptions.prefault({}),
  capture: captureOptions.prefault({}),
  sync: syncOptions.prefault({}),
  shadow: shadowOptions.prefault({}),
  gates: z.strictObject({ compare: compareGateOptions.prefault({}) }).prefault({}),
})

/** The completed configuration, every default filled in. */
export type Config = z.output<typeof configSchema>
/** One cluster as configured, before its secrets are resolved. */
export type ClusterConfig = NonNullable<Config['source']>
