#!/usr/bin/env node
// Plain JavaScript that any Node.js can read: it finds the program (compiled in the published package, the
// sources in a clone) and a Node.js that can run it.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const nodeMajorMin = 24
const at = (path) => fileURLToPath(new URL(path, import.meta.url))

/** Set for the second attempt, so that there is no third. */
const attemptVariable = 'OSMIGRATE_OWN_NODE'
const isNewEnough = Number.parseInt(process.versions.node, 10) >= nodeMajorMin
const isClone = existsSync(at('../src/cli/main.ts'))
const ownNode = at('../node_modules/.bin/node')

if (isNewEnough) {
  const { main } = await import(isClone ? '../src/cli/main.ts' : '../dist/cli/main.js')
  await main()
} else if (isClone && process.env[attemptVariable] === undefined && existsSync(ownNode)) {
  const { runAndExit } = await import('../scripts/run-and-exit.js')
  const env = { ...process.env, [attemptVariable]: '1' }
  runAndExit(ownNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], env)
} else {
  const how = isClone
    ? 'run `node scripts/set-up.js` first'
    : 'run `npx -p node@24 -p osmigrate osmigrate …`'
  console.error(`osmigrate needs Node.js ${nodeMajorMin}, this is ${process.version}: ${how}`)
  process.exitCode = 2
}
