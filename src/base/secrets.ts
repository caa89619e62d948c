import { readFile, stat } from 'node:fs/promises'
import { MigrationError } from './errors.ts'

/** Certificates and keys are a few KB; a larger file is not a secret. */
const secretBytesMax = 1024 * 1024

/**
 * Reads the secret that a reference points to: `env:NAME` or `file:PATH` (relative to the working folder). Line ends
 * at the end of a file are not part of the secret.
 *
 * A literal is refused, so that no secret ends in a config file, a shell history or a process list. `what` is the
 * option's name as the user wrote it, e.g. `target.auth.password`; neither a literal nor a secret is ever in a message.
 *
 * Errors: MA_CONFIG for a literal, MA_SECRET for a reference that leads nowhere.
 */
export async function resolveSecret(reference: string, what: string): Promise<string> {
  if (reference.startsWith('env:')) return fromEnvironment(reference.slice(4), what)
  if (reference.startsWith('file:')) return fromFile(reference.slice(5), what)
  throw new MigrationError(
    'MA_CONFIG',
    `${what} holds something other than a reference to a secret. A secret is never written into the configuration: ` +
      `put it into an environment variable and write env:NAME, or into a file and write file:PATH`,
    { details: { what } },
  )
}

function fromEnvironment(name: string, what: string): string {
  // What is no name of a variable may be the secret itself, put after env: by mistake: do not repeat it.
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
    throw new MigrationError(
      'MA_CONFIG',
      `${what} starts with env: but goes on with something that is not the name of an environment variable`,
      { details: { what } },
    )
  }
  const value = process.env[name]
  if (value === undefined || value === '') {
    throw new MigrationError(
      'MA_SECRET',
      `${what}: the environment variable ${name} is ${value === '' ? 'empty' : 'not set'}; set it for this process`,
      { details: { what, name } },
    )
  }
  return value
}

async function fromFile(path: string, what: string): Promise<string> {
  const failed = (found: string, cause?: unknown): MigrationError =>
    new MigrationError('MA_SECRET', `${what}: the file ${path} ${found}`, {
      cause,
      details: { what, path },
    })
  let text: string
  try {
    const found = await stat(path)
    if (!found.isFile() && !found.isFIFO()) throw failed('is not a file')
    if (found.size > secretBytesMax) throw failed('is larger than 1 MiB, which no secret is')
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof MigrationError) throw error
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') throw failed('does not exist', error)
    throw failed(`cannot be read (${code ?? 'unknown error'})`, error)
  }
  const secret = text.replace(/[\r\n]+$/, '')
  if (secret === '') throw failed('is empty')
  return secret
}
