// Makes a clone ready: dependencies when the lock file changed, and the Node.js that the sources need.
// Plain JavaScript for any Node.js from 18 on.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { rootPath } from './paths.js'

const nodeMajor = 24
const installedLock = rootPath('node_modules/.package-lock.json')
const ownNode = rootPath('node_modules/.bin/node')

/** Gives the path of the Node.js to run things with. Ends the process with a clear line when it cannot be had. */
export function setUp() {
  if (process.platform === 'win32') fail('Windows is supported by WSL: run this in a Linux shell')
  if (!isInstalled()) {
    console.error('osmigrate: installing dependencies (npm ci)')
    const { status, error } = npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'])
    if (status !== 0)
      fail(`npm ci failed${error ? `: ${error.message}` : ''}; see its output above`)
  }
  if (majorOf(ownNode) !== nodeMajor) installNode()
  return ownNode
}

/**
 * True if everything in the lock file is there in its version. npm writes its own record of what it has installed
 * last, so an installation that was interrupted is made again.
 */
function isInstalled() {
  if (!existsSync(installedLock)) return false
  const wanted = readPackages(rootPath('package-lock.json'))
  const installed = readPackages(installedLock)
  return Object.entries(wanted).every(
    ([name, entry]) =>
      name === '' || entry.optional === true || installed[name]?.version === entry.version,
  )
}

function readPackages(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages
}

/**
 * The package `node` brings its binary by an install script, which npm may be told not to run
 * (`ignore-scripts`, or versions that ask for permission). Then the binary's own package is taken directly.
 */
function installNode() {
  const { version } = JSON.parse(readFileSync(rootPath('node_modules/node/package.json'), 'utf8'))
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'
  const name = `${prefix}-${process.platform}-${process.arch}`
  const folder = rootPath('node_modules/.node-binary')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n')
  const flags = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund']
  const { status } = npm(['install', ...flags, `${name}@${version}`], folder)
  const binary = path.join(folder, 'node_modules', name, 'bin/node')
  if (status !== 0 || !existsSync(binary)) {
    fail(
      `Node.js ${nodeMajor} could not be installed (package ${name}@${version}). ` +
        `Install Node.js ${nodeMajor} yourself and link it: ln -s "$(command -v node)" ${ownNode}`,
    )
  }
  const installed = rootPath('node_modules/node/bin/node')
  mkdirSync(path.dirname(installed), { recursive: true })
  rmSync(installed, { force: true })
  copyFileSync(binary, installed)
  chmodSync(installed, 0o755)
  rmSync(folder, { recursive: true })
  mkdirSync(path.dirname(ownNode), { recursive: true })
  rmSync(ownNode, { force: true })
  symlinkSync('../node/bin/node', ownNode)
  if (majorOf(ownNode) !== nodeMajor) fail(`${ownNode} does not run on this machine`)
}

function majorOf(node) {
  try {
    const version = execFileSync(node, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return Number.parseInt(version.slice(1), 10)
  } catch {
    return undefined // missing, or made for another machine
  }
}

/** npm's output goes to standard error: standard output belongs to what is run afterwards. */
function npm(args, cwd = rootPath('.')) {
  return spawnSync('npm', args, { cwd, stdio: ['ignore', 2, 2] })
}

function fail(message) {
  console.error(`osmigrate: ${message}`)
  process.exit(1)
}

if (process.argv[1] === rootPath('scripts/set-up.js')) setUp()
