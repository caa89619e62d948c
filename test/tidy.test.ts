import assert from 'node:assert/strict'
import { readFile, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** House rules that no linter knows: the walls of ARCHITECTURE.md, the list of dependencies, and what may not be in the code. */

const root = fileURLToPath(new URL('../', import.meta.url))

interface Wall {
  folder: string
  /** Folder → 'value' or 'types'. */
  mayImport: Map<string, 'value' | 'types'>
  packages: Set<string>
}

test('every import of src is allowed by the table in ARCHITECTURE.md', async () => {
  const walls = await readWalls()
  const findings: string[] = []
  for (const file of await sourceFiles('src')) {
    const folder = relative(join(root, 'src'), file).split(sep)[0]!
    const wall = walls.get(folder)
    if (!wall) continue
    for (const one of await importsOf(file)) {
      const finding = wrongImport(one, { file, wall })
      if (finding) findings.push(`${relative(root, file)}:${one.line}: ${finding}`)
    }
  }
  assert.deepEqual(findings, [])
})

test('every file of src lies directly in a folder of the table', async () => {
  const walls = await readWalls()
  const strays = (await sourceFiles('src'))
    .map((file) => relative(join(root, 'src'), file).split(sep))
    .filter((parts) => !walls.has(parts[0]!) || !isDirectlyIn(parts))
  assert.deepEqual(strays, [])
})

/** Tables of many files have a folder below, named here. */
const foldersBelow = [
  ...['metadata/rules', 'traffic/api', 'capture/wire', 'transform/request'],
  ...['compare/searches', 'compare/performance', 'compare/report'],
]

function isDirectlyIn(parts: readonly string[]): boolean {
  return parts.length === 2 || foldersBelow.includes(parts.slice(0, -1).join('/'))
}

test('the walls have no loop: no folder reaches itself through what it may import', async () => {
  const walls = await readWalls()
  const reach = (folder: string, seen: string[]): void => {
    assert.ok(!seen.includes(folder), `loop: ${[...seen, folder].join(' → ')}`)
    for (const next of walls.get(folder)!.mayImport.keys()) reach(next, [...seen, folder])
  }
  for (const folder of walls.keys()) reach(folder, [])
})

const pureFolders = ['bytes', 'lucene', 'snapshot', 'document', 'transform']
const impureModules =
  /^node:(fs|net|http|https|http2|tls|dns|dgram|child_process|worker_threads|cluster|timers|sqlite|os|process)/

test('pure folders touch no network, no files, no clock', async () => {
  const findings: string[] = []
  for (const folder of pureFolders) {
    for (const file of await sourceFiles(join('src', folder))) {
      if (file.endsWith('.test.ts')) continue
      const text = codeOf(await readFile(file, 'utf8'))
      const name = relative(root, file)
      for (const one of await importsOf(file)) {
        if (impureModules.test(one.specifier))
          findings.push(`${name}:${one.line}: ${one.specifier}`)
      }
      const clock =
        /\b(Date\.now|new Date\(\)|performance\.now|setTimeout|setInterval|Math\.random|fetch)\s*\(/.exec(
          text,
        )
      if (clock) findings.push(`${name}: ${clock[1]}`)
    }
  }
  assert.deepEqual(findings, [])
})

test('every run-time dependency has its line in CONTRIBUTING.md, and nothing else has', async () => {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
    peerDependencies: Record<string, string>
  }
  const packages = { ...manifest.dependencies, ...manifest.peerDependencies }
  const contributing = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8')
  const section = /## Run-time dependencies\n(.*?)(\n## |$)/s.exec(contributing)?.[1] ?? ''
  const rows = section.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  const lines = rows
    .filter(([, name, what, why]) => name?.startsWith('`') && what!.length > 20 && why!.length > 20)
    .map(([, name]) => name!.replaceAll('`', ''))
  assert.deepEqual(lines.sort(), Object.keys(packages).sort())
})

/** What may not stand in code, with the reason that the finding gives. */
const forbidden: readonly { pattern: RegExp; reason: string; in?: RegExp }[] = [
  { pattern: /\b(pkill|killall)\b/, reason: 'ends processes of others; end your own by their id' },
  { pattern: /\bexport default\b/, reason: 'named exports only' },
  { pattern: /\b(TODO|FIXME|XXX|HACK)\b/, reason: 'plans belong into an issue' },
  { pattern: /@ts-(ignore|nocheck|expect-error)/, reason: 'narrow the type' },
  {
    pattern: /\bconsole\.(log|error|warn|info)\(/,
    reason: 'output goes through cli/output.ts',
    in: /^src\//,
  },
  {
    pattern: /\bprocess\.exit\(/,
    reason: 'set process.exitCode: pending output would be lost',
    in: /^src\/(?!engines\/)/,
  },
  { pattern: /\b(it|test|describe)\.only\(/, reason: 'leaves the other tests out' },
  {
    pattern: /rejectUnauthorized:\s*false/,
    reason: 'certificates are checked',
    in: /^src\/(?!cluster\/)/,
  },
  { pattern: /(?<![\w.])\/(root|home)\/\w|\/work\//, reason: 'a path of one machine' },
]

test('nothing that may not be in the code is there', async () => {
  const findings: string[] = []
  for (const folder of ['src', 'test', 'scripts', 'bin', 'bench']) {
    for (const file of await sourceFiles(folder)) {
      const name = relative(root, file).replaceAll(sep, '/')
      if (name === 'test/tidy.test.ts' || name.startsWith('test/fixtures/')) continue
      const lines = (await readFile(file, 'utf8')).split('\n')
      for (const { pattern, reason, in: where } of forbidden) {
        if (where && (!where.test(name) || name.endsWith('.test.ts'))) continue
        const line = lines.findIndex((text) => pattern.test(text))
        if (line >= 0) findings.push(`${name}:${line + 1}: ${pattern.source}: ${reason}`)
      }
    }
  }
  assert.deepEqual(findings, [])
})

/** A wire format or a state machine may be longer: it is listed here with its length at most. */
const longFiles: Record<string, number> = { 'src/capture/client-connection.ts': 430 }
const linesMax = 400

test(`no file of src is longer than ${linesMax} lines unless it is listed`, async () => {
  const findings: string[] = []
  for (const file of await sourceFiles('src')) {
    if (file.endsWith('.test.ts')) continue
    const name = relative(root, file).replaceAll(sep, '/')
    const lines = (await readFile(file, 'utf8')).split('\n').length - 1
    if (lines > (longFiles[name] ?? linesMax)) findings.push(`${name}: ${lines} lines`)
  }
  assert.deepEqual(findings, [])
})

test('a file that is listed as long is there, and is long', async () => {
  for (const [name, most] of Object.entries(longFiles)) {
    const lines = (await readFile(join(root, name), 'utf8')).split('\n').length - 1
    assert.ok(lines > linesMax && lines <= most, `${name}: ${lines} lines`)
  }
})

test('file names are in kebab case', async () => {
  const files = (await Promise.all(['src', 'test', 'scripts', 'bench'].map(sourceFiles))).flat()
  const odd = files.filter(
    (file) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.soak|\.d)?\.[a-z]+$/.test(file.split(sep).at(-1)!),
  )
  assert.deepEqual(odd, [])
})

/** Reads `| folder | what it answers | may import | packages |`. */
async function readWalls(): Promise<Map<string, Wall>> {
  const text = await readFile(join(root, 'ARCHITECTURE.md'), 'utf8')
  const table = /\| folder +\| what it answers +\|.*?\n\n/s.exec(text)?.[0]
  assert.ok(table, 'ARCHITECTURE.md has the table of folders')
  const walls = new Map<string, Wall>()
  for (const line of table.trim().split('\n').slice(2)) {
    const [, folder = '', , imports = '', packages = ''] = line
      .split('|')
      .map((cell) => cell.trim())
    const mayImport = new Map<string, 'value' | 'types'>()
    for (const entry of list(imports)) {
      const [, name = '', types] =
        /^([a-z]+)( \(types\))?$/.exec(entry) ?? assert.fail(`cannot read "${entry}"`)
      mayImport.set(name, types ? 'types' : 'value')
    }
    walls.set(folder, { folder, mayImport, packages: new Set(list(packages)) })
  }
  return walls
}

function list(cell: string): string[] {
  return cell === '-' ? [] : cell.split(',').map((entry) => entry.trim())
}

interface Import {
  specifier: string
  isTypes: boolean
  line: number
}

/** All imports, re-exports and `import()`s of a file. */
async function importsOf(file: string): Promise<Import[]> {
  const source = ts.createSourceFile(
    file,
    await readFile(file, 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  )
  const found: Import[] = []
  const note = (node: ts.Node, specifier: string, isTypes: boolean): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1
    found.push({ specifier, isTypes, line })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      note(node, node.moduleSpecifier.text, isTypeImport(node.importClause))
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      note(node, node.moduleSpecifier.text, node.isTypeOnly)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const argument = node.arguments[0]
      if (argument && ts.isStringLiteral(argument)) note(node, argument.text, false)
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      note(node, node.argument.literal.text, true)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** `import type …`, or every name in braces marked `type`. */
function isTypeImport(clause: ts.ImportClause | undefined): boolean {
  if (!clause) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const names = clause.namedBindings
  return (
    !clause.name &&
    names !== undefined &&
    ts.isNamedImports(names) &&
    names.elements.length > 0 &&
    names.elements.every((element) => element.isTypeOnly)
  )
}

/** Only for tests: they may use what they need to make real input. */
const testPackages = new Set(['typescript', 'prettier'])

function wrongImport(
  one: Import,
  { file, wall }: { file: string; wall: Wall },
): string | undefined {
  const { specifier } = one
  const isTest = file.endsWith('.test.ts')
  if (specifier.startsWith('node:')) return undefined
  if (!specifier.startsWith('.')) {
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/')
    if (wall.packages.has(name) || (isTest && testPackages.has(name))) return undefined
    return `${wall.folder} may not import the package ${name}`
  }
  if (!/\.(ts|json)$/.test(specifier)) return `${specifier} lacks its .ts`
  const path = relative(join(root, 'src'), join(file, '..', specifier)).split(sep)
  const folder = path[0]!
  if (folder === '..') {
    return isTest && path[1] === 'test' ? undefined : `${specifier} lies outside src`
  }
  if (folder === wall.folder) return undefined
  const allowed = wall.mayImport.get(folder)
  if (isTest && folder !== 'cli') return undefined
  if (allowed === undefined) return `${wall.folder} may not import ${folder}`
  return allowed === 'types' && !one.isTypes
    ? `${wall.folder} may import only types of ${folder}`
    : undefined
}

/** The code without its comments, roughly: enough to look for calls. */
function codeOf(text: string): string {
  return text.replace(/\/\*.*?\*\//gs, '').replace(/^\s*\/\/.*$/gm, '')
}

async function sourceFiles(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(
    () => [],
  )
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
