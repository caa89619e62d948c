import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { chromium, type BrowserContext } from 'playwright-core'

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const executable = [process.env.CHROMIUM ?? '', ...places].find(
  (place) => place !== '' && existsSync(place),
)

/** false, or why no page can be looked at here. */
export const skipBrowser: string | false =
  executable === undefined && 'no Chromium: install the package chromium, or set CHROMIUM=PATH'

const quiet = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
  ...['--disable-background-networking', '--disable-component-update'],
]

/** Runs `work` with a Chromium of its own, whose profile is empty and gone afterwards. */
export async function withBrowser(work: (browser: BrowserContext) => Promise<void>): Promise<void> {
  const profile = mkdtempSync(path.join(tmpdir(), 'osmigrate-chromium-'))
  try {
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: executable!,
      args: quiet,
      headless: true,
      timeout: 120_000,
    })
    try {
      await work(browser)
    } finally {
      await browser.close()
    }
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}
