import { MigrationError } from '../base/errors.ts'

/** What a broker's refusal means, and what a person can do; everything else is passed on as the broker says it. */
const advice: { readonly [id: string]: { readonly text: string; readonly forGood: boolean } } = {
  TOPIC_AUTHORIZATION_FAILED: {
    text: 'the user lacks rights on the topic: Write and Describe to capture, Read, Describe and Delete to follow it',
    forGood: true,
  },
  CLUSTER_AUTHORIZATION_FAILED: {
    text: 'the user lacks a right on the cluster, such as Create for a topic',
    forGood: true,
  },
  SASL_AUTHENTICATION_FAILED: {
    text: 'the brokers refuse the login: check mechanism, user and secret',
    forGood: true,
  },
  UNSUPPORTED_SASL_MECHANISM: {
    text: 'the listener has another SASL mechanism: check the mechanism and the port',
    forGood: true,
  },
  UNKNOWN_TOPIC_OR_PARTITION: { text: 'the topic is not there', forGood: false },
  NOT_ENOUGH_REPLICAS: {
    text: 'fewer replicas are in step than min.insync.replicas asks for',
    forGood: false,
  },
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: {
    text: 'fewer replicas are in step than min.insync.replicas asks for',
    forGood: false,
  },
  KAFKA_STORAGE_ERROR: { text: 'the disk of the broker fails or is full', forGood: false },
}

interface KafkaFault {
  readonly message?: string
  readonly code?: string
  readonly apiId?: string
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
}

/** The error ids of the protocol, and the codes of the system, that an error of the package has anywhere inside. */
export function faultIds(error: unknown): string[] {
  const ids: string[] = []
  const visit = (one: unknown, depth: number): void => {
    if (typeof one !== 'object' || one === null || depth > 8) return
    const { apiId, code, cause, errors } = one as KafkaFault
    if (typeof apiId === 'string') ids.push(apiId)
    if (typeof code === 'string' && !code.startsWith('PLT_KFK_MULTIPLE')) ids.push(code)
    visit(cause, depth + 1)
    for (const inner of errors ?? []) visit(inner, depth + 1)
  }
  visit(error, 0)
  return ids
}

/** The innermost message: "connect ECONNREFUSED 127.0.0.1:9092" rather than "Cannot connect to any broker". */
function innermost(error: unknown): string {
  let message = ''
  const visit = (one: unknown, depth: number): void => {
    if (typeof one !== 'object' || one === null || depth > 8) return
    const { message: own, cause, errors } = one as KafkaFault
    if (typeof own === 'string' && own !== '') message = own
    if (cause !== undefined) return visit(cause, depth + 1)
    if (errors?.[0] !== undefined) visit(errors[0], depth + 1)
  }
  visit(error, 0)
  return message
}

/**
 * An error of the package as MA_CAPTURE_LOG: what was done, where, and what a person can do. `retryable` is false for
 * what only a person can mend.
 */
export function kafkaError(what: string, error: unknown): MigrationError {
  if (error instanceof MigrationError) return error
  const ids = faultIds(error)
  const known = ids.map((id) => advice[id]).find((one) => one !== undefined)
  const found = innermost(error)
  const text =
    known === undefined
      ? `${found}. Check that the brokers run and can be reached at the names that they advertise`
      : `${known.text} (${found})`
  return new MigrationError('MA_CAPTURE_LOG', `${what}: ${text}`, {
    cause: error,
    retryable: known?.forGood !== true && !ids.includes('PLT_KFK_AUTHENTICATION'),
    details: { ids },
  })
}
