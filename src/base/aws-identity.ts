import type { AwsIdentity } from './aws-signature.ts'
import { MigrationError } from './errors.ts'

export interface AwsIdentityOptions {
  /** What the credentials are for: `Kafka`. */
  readonly purpose: string
  /** Of the shared configuration files; default: as for other AWS tools. */
  readonly profile?: string | undefined
}

/**
 * Finds credentials of AWS as other tools do: environment, profile, web identity, container, machine. From five minutes before
 * they expire they are renewed beside their use; with `again` they are looked up anew. Throws MA_SECRET where none are found.
 */
export function awsIdentities({
  purpose,
  profile,
}: AwsIdentityOptions): (options?: { readonly again?: boolean }) => Promise<AwsIdentity> {
  let find: ((properties?: { forceRefresh?: boolean }) => Promise<AwsIdentity>) | undefined
  return async ({ again = false } = {}) => {
    if (find === undefined) {
      const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
      find = defaultProvider(profile === undefined ? {} : { profile })
    }
    try {
      return await find({ forceRefresh: again })
    } catch (error) {
      const text = `no credentials of AWS were found for ${purpose}: ${(error as Error).message}`
      throw new MigrationError('MA_SECRET', text, { cause: error })
    }
  }
}
