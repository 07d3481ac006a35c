// What the first page weighs over the wire, as a browser counts it: bodies as they were sent, with heads.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { House, becomeOwner, browser, tab } from '../house.js'

const MOST_BYTES = 100_000

let house
let chrome
let known

before(async () => {
  house = await House.start()
  chrome = await browser()
  const page = await tab(chrome)
  await becomeOwner(page, house)
  known = await page.context().storageState()
  await page.context().close()
})

after(async () => {
  await chrome?.close()
  await house?.stop()
})

/** Opens a page in a browser that has nothing of ours yet; returns what each file weighed. */
async function weigh(path) {
  const page = await tab(chrome, { storageState: known })
  const session = await page.context().newCDPSession(page)
  const files = new Map()
  await session.send('Network.enable')
  session.on('Network.responseReceived', ({ requestId, response }) => {
    files.set(requestId, { url: response.url.replace(house.origin, ''), bytes: 0 })
  })
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const file = files.get(requestId)
    if (file) file.bytes = encodedDataLength
  })
  await page.goto(`${house.origin}${path}`, { waitUntil: 'networkidle' })
  await page.evaluate(() => document.fonts.ready)
  assert.deepEqual(page.complaints, [])
  await page.context().close()
  return [...files.values()]
}

test('a fresh overview weighs at most a hundred kilobytes', async () => {
  const files = await weigh('/')
  const sum = files.reduce((total, file) => total + file.bytes, 0)
  const report = files.map(({ url, bytes }) => `${bytes} ${url}`).join('\n')
  console.log(`${sum} bytes in ${files.length} answers\n${report}`)
  assert.ok(sum <= MOST_BYTES, `${sum} bytes\n${report}`)
  assert.ok(files.some(({ url }) => url.endsWith('inter.woff2')), 'the font was not counted')
  assert.ok(!files.some(({ url }) => /vendor|bold/.test(url)), 'what is not shown was loaded')
})
