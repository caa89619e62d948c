import { z } from 'zod'
import { byteSize, duration, option, pemFile, secretReference } from '../base/option-types.ts'

/** The section `capture` of migration.yaml. */

const addressError = 'expected HOST:PORT such as 0.0.0.0:9200 or [::]:9200'

/** HOST:PORT, the host of IPv6 in square brackets. */
const address = () =>
  z.string({ error: addressError }).regex(/^(\[[0-9a-fA-F:.%]+\]|[^\s:[\]/@]+):\d{1,5}$/, {
    error: addressError,
  })

/** As a flag gives it. */
const yesOrNo = z.enum(['true', 'false']).transform((text) => text === 'true')

const proxyError = 'expected addresses such as https://proxy-1:9201'

const nameError = 'expected a name of letters, digits, dots, dashes and underscores'

const tlsOptions = z
  .strictObject({
    cert: option(pemFile().optional(), {
      description:
        'Certificate that clients are shown, with those that lead to its authority: file:PATH of PEM. Needs key. A renewed file is taken up by itself.',
      flag: 'capture-cert',
      placeholder: 'file:PATH',
    }),
    key: option(secretReference().optional(), {
      description: 'Private key of that certificate, as file:PATH or env:NAME.',
      secret: true,
    }),
    clientCa: option(pemFile().optional(), {
      description:
        'Authority of client certificates: file:PATH of PEM. With it every client must show one.',
      flag: 'capture-client-ca',
      placeholder: 'file:PATH',
    }),
  })
  .refine((tls) => (tls.cert === undefined) === (tls.key === undefined), {
    error: 'expected cert and key together',
  })

const adminOptions = z.strictObject({
  listen: option(address().default('127.0.0.1:9201'), {
    description:
      'Where the proxy tells of itself and takes commands: health, metrics, status, its log. Anywhere but on this machine it needs a token.',
    flag: 'admin-listen',
    placeholder: 'HOST:PORT',
  }),
  token: option(secretReference().optional(), {
    description:
      'Token that requests to the admin address must carry (Authorization: Bearer …), as env:NAME or file:PATH.',
    secret: true,
  }),
  tls: z
    .strictObject({
      cert: option(pemFile().optional(), {
        description: 'Certificate of the admin address: file:PATH of PEM. Needs key.',
        flag: 'admin-cert',
        placeholder: 'file:PATH',
      }),
      key: option(secretReference().optional(), {
        description: 'Private key of that certificate, as file:PATH or env:NAME.',
        secret: true,
      }),
      ca: option(pemFile().optional(), {
        description:
          'Authority that signed the certificates of the admin addresses in capture.proxies: file:PATH of PEM. Default: what Node.js trusts.',
        flag: 'admin-ca',
        placeholder: 'file:PATH',
      }),
    })
    .refine((tls) => (tls.cert === undefined) === (tls.key === undefined), {
      error: 'expected cert and key together',
    })
    .optional(),
})

const kafkaOptions = z.strictObject({
  brokers: option(
    z
      .union([address(), z.array(address()).min(1)], {
        error: 'expected HOST:PORT of a broker, or a list of them',
      })
      .transform((brokers) => (typeof brokers === 'string' ? [brokers] : brokers))
      .optional(),
    {
      description:
        'Brokers of Kafka, or some of them; with it the log is kept there and not in files.',
      flag: 'kafka-brokers',
      placeholder: 'HOST:PORT',
    },
  ),
  recordedBy: option(z.enum(['osmigrate', 'opensearch-migrations']).optional(), {
    description:
      "Whose proxies have written the topic; the other tool's is read as it is, and never written to. Default: osmigrate.",
    flag: 'kafka-recorded-by',
    placeholder: 'TOOL',
  }),
  topic: option(z.string().min(1).max(249).default('osmigrate-capture'), {
    description: 'Topic of the log. It is made when it is not there.',
    flag: 'kafka-topic',
    placeholder: 'NAME',
  }),
  partitions: option(z.int().min(1).max(1000).optional(), {
    description: 'Partitions of a topic that is made. Default: what the brokers have set.',
    flag: 'kafka-partitions',
    placeholder: 'NUMBER',
  }),
  replicas: option(z.int().min(1).max(10).optional(), {
    description: 'Replicas of a topic that is made. Default: what the brokers have set.',
    flag: 'kafka-replicas',
    placeholder: 'NUMBER',
  }),
  sasl: z
    .strictObject({
      mechanism: option(z.enum(['plain', 'scram-sha-256', 'scram-sha-512', 'aws-msk-iam']), {
        description:
          'How to log in to Kafka. aws-msk-iam takes the credentials of AWS as other tools do, and needs tls.',
        flag: 'kafka-sasl',
        placeholder: 'MECHANISM',
      }),
      username: option(z.string().min(1).optional(), {
        description: 'User name at Kafka.',
        flag: 'kafka-username',
        placeholder: 'NAME',
      }),
      password: option(secretReference().optional(), {
        description: 'Password of that user, as env:NAME or file:PATH.',
        secret: true,
      }),
      region: option(z.string().min(1).optional(), {
        description: 'Region of the cluster, for aws-msk-iam. Default: as for other AWS tools.',
        flag: 'kafka-region',
        placeholder: 'REGION',
      }),
    })
    .refine(
      ({ mechanism, username, password }) =>
        mechanism === 'aws-msk-iam' || (username !== undefined && password !== undefined),
      { error: 'expected username and password for this mechanism' },
    )
    .optional(),
  tls: z
    .strictObject({
      ca: option(pemFile().optional(), {
        description:
          'Authority that signed the certificates of the brokers: file:PATH of PEM. Default: what Node.js trusts.',
        flag: 'kafka-ca',
        placeholder: 'file:PATH',
      }),
      cert: option(pemFile().optional(), {
        description: 'Client certificate: file:PATH of PEM.',
        flag: 'kafka-cert',
        placeholder: 'file:PATH',
      }),
      key: option(secretReference().optional(), {
        description: 'Private key of the client certificate, as file:PATH or env:NAME.',
        secret: true,
      }),
    })
    .optional(),
})

const logOptions = z.strictObject({
  dir: option(z.string().min(1).optional(), {
    description:
      'Folder of the capture log, on a disk of its own if that can be had. Default: log in the state folder.',
    flag: 'log-dir',
    placeholder: 'DIR',
  }),
  bytesMax: option(byteSize({ min: 16 << 20 }).default(20 * 2 ** 30), {
    description:
      'What the log may hold until sync has read it. From 80 % of it on records are thin; when it is full, see onLogFailure. Default: 20gb.',
    flag: 'log-bytes-max',
    placeholder: 'SIZE',
  }),
  kafka: kafkaOptions.optional(),
})

export const captureOptions = z.strictObject({
  mode: option(z.enum(['proxy', 'none']).optional(), {
    description:
      'How writes are followed: proxy records them in front of the source, and `snapshot create` waits for the proof that it does; none asks the source alone (no `capture start` then). Where it is not said, `sync start` reads what a proxy records, and `snapshot create` asks for no proof unless one runs here.',
    flag: 'capture-mode',
    placeholder: 'proxy|none',
  }),
  name: option(
    z
      .string({ error: nameError })
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: nameError })
      .optional(),
    {
      description:
        'Name of this proxy in the log, one for each of several. Default: the name of the machine.',
      flag: 'proxy-name',
      placeholder: 'NAME',
    },
  ),
  listen: option(address().default('127.0.0.1:9200'), {
    description: 'Where clients come in; 0.0.0.0:9200 for those of other machines, too.',
    flag: 'listen',
    placeholder: 'HOST:PORT',
  }),
  workers: option(z.int().min(1).max(64).optional(), {
    description: 'Processes that serve clients. Default: one for each core but one.',
    flag: 'workers',
    placeholder: 'NUMBER',
  }),
  tls: tlsOptions.optional(),
  forwardedHeaders: option(z.boolean().default(true), {
    description:
      'Tell the source by X-Forwarded-For and X-Forwarded-Proto whose requests these are (default: it does).',
    flag: 'forwarded-headers',
  }),
  rewriteAddresses: option(z.union([z.boolean(), yesOrNo, address()]).default(false), {
    description:
      'Answer to clients that ask for the nodes of the source (sniffing) with the address of the proxy: true for the one that the client used, or HOST:PORT.',
    flag: 'rewrite-addresses',
    placeholder: 'true|HOST:PORT',
  }),
  setHeaders: option(
    z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/), z.string().min(1)).optional(),
    {
      description:
        "Fields that each request to the source carries in the place of the client's, e.g. { Host: es.internal }. They are not recorded.",
      flag: 'set-header',
      placeholder: 'NAME=VALUE',
    },
  ),
  sourceWait: option(duration().default(30_000), {
    description:
      'How long a request is held while the source cannot be reached, before the client is told so: what a restart takes. Default: 30s.',
    flag: 'source-wait',
    placeholder: 'TIME',
  }),
  idleTimeout: option(duration({ minMs: 1000 }).default(3_600_000), {
    description: 'After which a connection without a request is closed. Default: 1h.',
    flag: 'idle-timeout',
    placeholder: 'TIME',
  }),
  drainTimeout: option(duration().default(25_000), {
    description:
      'How long requests may go on when the proxy is stopped or replaced, until they are cut. Default: 25s.',
    flag: 'drain-timeout',
    placeholder: 'TIME',
  }),
  connectionsMax: option(z.int().min(1).max(1_000_000).default(10_000), {
    description: 'Connections of clients that one worker accepts.',
    flag: 'connections-max',
    placeholder: 'NUMBER',
  }),
  admin: adminOptions.prefault({}),
  proxies: option(
    z
      .array(z.string().regex(/^https?:\/\/[^\s/@]+$/, { error: proxyError }))
      .min(1, { error: proxyError })
      .optional(),
    {
      description:
        'Admin addresses of proxies on other machines, e.g. https://proxy-1:9201: `sync start` reads their logs there, with the token of capture.admin.token. Default: the log of this machine.',
      flag: 'proxy',
      placeholder: 'URL',
    },
  ),
  onLogFailure: option(z.enum(['pass', 'refuse']).default('pass'), {
    description:
      'When a write cannot be recorded: pass answers the client and notes a gap, which the audit fills; refuse answers 503.',
    flag: 'on-log-failure',
    placeholder: 'pass|refuse',
  }),
  logWaitMax: option(duration({ minMs: 10, maxMs: 60_000 }).default(2000), {
    description:
      'How long an answer waits for the log at most; a slower log is as one that fails. Default: 2s.',
    flag: 'log-wait-max',
    placeholder: 'TIME',
  }),
  bodyBytesMax: option(byteSize({ min: 1 << 10, max: 400 << 20 }).default(100 << 20), {
    description:
      'The longest body of a write that is recorded, and of its answer; a longer one passes and is noted as a gap. Default: 100mb, above which engines refuse by themselves.',
    flag: 'body-bytes-max',
    placeholder: 'SIZE',
  }),
  memoryMax: option(byteSize({ min: 1 << 20 }).default(256 << 20), {
    description:
      'Bodies that one worker holds at once until they are recorded; more pass and are noted as a gap. Default: 256mb.',
    flag: 'memory-max',
    placeholder: 'SIZE',
  }),
  reads: option(z.number().min(0).max(1).default(0), {
    description:
      'Share of the searches that is recorded for comparison, 0 to 1: 0.01 is one in a hundred.',
    flag: 'reads',
    placeholder: 'SHARE',
  }),
  readBytesMax: option(byteSize({ max: 400 << 20 }).default(256 << 10), {
    description:
      'The longest body of a recorded search, and of its answer; a longer one is left out. Default: 256kb.',
    flag: 'read-bytes-max',
    placeholder: 'SIZE',
  }),
  redact: option(z.array(z.string().min(1)).default([]), {
    description:
      'Fields whose values are taken out of recorded searches and of reports, e.g. user.email. Writes are recorded as they are.',
    flag: 'redact',
    placeholder: 'FIELD',
  }),
  log: logOptions.prefault({}),
})

/** The completed options. */
export type CaptureOptions = z.output<typeof captureOptions>
