// `npm start`, `npm test`, `npm run soak`, `npm run fuzz`, `npm run bench`: sets the clone up, then runs the program or the tests
// with the Node.js of node_modules. Plain JavaScript that an older Node.js runs before anything is installed.
import { setUp } from './set-up.js'
import { runAndExit } from './run-and-exit.js'
import { globSync, rootPath } from './paths.js'

const [job, ...args] = process.argv.slice(2)
const program = rootPath('bin/osmigrate.js')

/** Two cores: more files at once would only make the engines' answers late. */
const testFilesAtOnce = 2
const testTimeoutMs = 10 * 60_000
/** The matrix of metadata takes twelve engines to three others. */
const soakTimeoutMs = 3 * 60 * 60_000

/** Files that the caller has tested in a step of its own, separated by commas: see .ci/run. */
const alreadyTested = new Set((process.env.OSMIGRATE_ALREADY_TESTED ?? '').split(','))

const jobs = {
  demo: () => [program, 'demo', ...args],
  bench: () => [rootPath('bench/main.ts'), ...args],
  fuzz: () => [rootPath('test/fuzz/main.ts'), ...args],
  test: () => testArguments(['src', 'test', 'bench'], '.test.ts'),
  soak: () => testArguments(['src', 'test'], '.soak.ts'),
}

/** With file names as arguments only these are run; flags go to `node --test`. */
function testArguments(folders, ending) {
  const flags = args.filter((arg) => arg.startsWith('-'))
  const named = args.filter((arg) => !arg.startsWith('-'))
  const found = folders.flatMap((folder) => globSync(folder, ending))
  const files = named.length > 0 ? named : found.filter((file) => !alreadyTested.has(file))
  if (files.length === 0) {
    console.log(`there is no file *${ending}`)
    process.exit(0)
  }
  return [
    '--test',
    `--test-global-setup=${rootPath('test/support/global-setup.ts')}`,
    `--test-concurrency=${testFilesAtOnce}`,
    `--test-timeout=${ending === '.soak.ts' ? soakTimeoutMs : testTimeoutMs}`,
    `--test-reporter=${rootPath('test/support/reporter.ts')}`,
    '--test-reporter-destination=stdout',
    ...flags,
    ...files,
  ]
}

if (jobs[job] === undefined) {
  console.error(`usage: node scripts/run.js ${Object.keys(jobs).join('|')} [arguments]`)
  process.exit(2)
}
const node = setUp()
process.chdir(rootPath('.'))
runAndExit(node, jobs[job]())
