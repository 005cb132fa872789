// Drives the query page in a headless Chromium and reports what it saw as JSON: node page.mjs '{"url", "chromium", "token", "pictures"}'

import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(new URL('../../explorer/package.json', import.meta.url))
const { chromium } = require('playwright-core')

const options = JSON.parse(process.argv[2])
const seen = { requests: [], violations: [], errors: [], runs: [] }

const browser = await chromium.launch({
  executablePath: options.chromium,
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking'],
})
const context = await browser.newContext({ viewport: { width: 1360, height: 840 }, locale: 'zh-CN' })
const page = await context.newPage()
page.on('request', (request) => seen.requests.push(request.url()))
page.on('pageerror', (error) => seen.errors.push(String(error)))
page.on('console', (message) => {
  if (message.type() === 'error') seen.errors.push(message.text())
})
await page.exposeFunction('violated', (text) => seen.violations.push(text))
await page.addInitScript(() => {
  addEventListener('securitypolicyviolation', (event) => {
    window.violated(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`)
  })
})

const picture = (name) => page.screenshot({ path: join(options.pictures, `${name}.png`) })

/** Press run; what the hub answered to the page's own query, and what the page shows of it. */
async function run() {
  const answered = page.waitForResponse((response) => response.request().postData()?.includes('query Overview') ?? false)
  await page.click('.graphiql-execute-button')
  const response = await answered
  const body = await response.json()
  await page.waitForFunction(() => document.querySelector('.graphiql-response .view-lines')?.textContent.includes('data'))
  const shown = await page.textContent('.graphiql-response .view-lines')
  seen.runs.push({ status: response.status(), body, shown: shown.replaceAll('\u00a0', ' ') })
}

await page.goto(options.url)
await page.waitForSelector('.graphiql-execute-button')
await page.waitForSelector('.graphiql-query-editor .view-line')
seen.title = await page.title()
seen.heading = (await page.textContent('h1')).trim()
seen.tokenType = await page.getAttribute('#hub-token', 'type')

await run()
await picture('anonymous')

await page.fill('#hub-token', options.token)
await run()
await picture('with-token')

seen.localStorage = await page.evaluate(() => Object.keys(localStorage))
seen.kept = await page.evaluate(() => sessionStorage.getItem('hub:token'))
await page.reload()
await page.waitForSelector('.graphiql-query-editor .view-line')
seen.afterReload = await page.inputValue('#hub-token')

// A wrong field is underlined: the language worker runs under the page's policy.
await page.click('.graphiql-query-editor .view-lines')
await page.keyboard.press('Control+A')
await page.keyboard.press('Delete')
await page.keyboard.type('{ nothingOfTheKind', { delay: 20 })
await page.waitForFunction(() => document.querySelector('.graphiql-query-editor .view-lines').textContent.includes('nothingOfTheKind'))
await page.keyboard.press('Escape')
const wave = await (await page.waitForSelector('.graphiql-query-editor .squiggly-error')).boundingBox()
await page.mouse.move(wave.x + wave.width / 2, wave.y + wave.height / 2)
await page.waitForFunction(() =>
  [...document.querySelectorAll('.monaco-hover')].some((hover) => hover.textContent.includes('Cannot query field')),
)
await picture('wrong-field')

await page.click('button[aria-label="Show Documentation Explorer"]')
await page.waitForSelector('.graphiql-doc-explorer')
await picture('documentation')

await page.fill('#hub-token', 'not-a-token')
await page.keyboard.press('Tab')
seen.buttons = await page.$$eval('.hub-token button', (buttons) => buttons.map((button) => button.textContent))
await page.click('.hub-token button:last-child')
seen.cleared = await page.evaluate(() => sessionStorage.getItem('hub:token'))

await browser.close()
console.log(JSON.stringify(seen))
