import { MigrationError } from './errors.ts'

/**
 * Loads a package that is installed only by those who need it. `install` is what to give to npm. Throws MA_CONFIG that
 * says the command when the package is not there.
 */
export async function loadOptional<T>(
  load: () => Promise<T>,
  { name, install, neededBy }: { name: string; install: string; neededBy: string },
): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw error
    throw new MigrationError(
      'MA_CONFIG',
      `${neededBy} needs the package ${name}, which is not installed: npm install ${install} ` +
        '(with -g where osmigrate was installed so; with npx: npx -p osmigrate ' +
        `${install.replaceAll(/(^| )(?=\S)/g, '$1-p ')} osmigrate …)`,
      { cause: error, details: { package: name } },
    )
  }
}
