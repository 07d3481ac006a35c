// A log as a person reads it: what they choose is what they see.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { House, becomeOwner, becomes, browser, openKnown, tab } from '../house.js'

let house
let chrome
let page

before(async () => {
  house = await House.start()
  chrome = await browser()
  page = await tab(chrome)
  await becomeOwner(page, house)
  await house.loadBusybox()
})

after(async () => {
  await chrome?.close()
  await house?.stop()
})

const lines = () => page.locator('log-view .log__text')
const shown = async () => (await lines().allInnerTexts()).map((text) => text.trim())

test('a stream that is chosen is the one that is shown', async () => {
  const id = await house.run('twins', 'echo to-out; echo to-err >&2; sleep 1000')
  await openKnown(page, `${house.origin}/containers/${id}/logs`)
  await lines().getByText('to-err').waitFor()
  await page.locator('log-view details.menu summary').click()
  const stream = page.locator('log-view select[name=stream]')

  await stream.selectOption({ label: 'stderr' })
  await becomes(shown, ['to-err'])

  await stream.selectOption({ label: 'stdout' })
  await becomes(shown, ['to-out'])
})

test('a log goes on when its container is started again', async () => {
  const id = await house.run('again', 'echo begin $(cat /proc/sys/kernel/random/uuid); trap "exit 0" TERM; sleep 1000 & wait')
  const begins = () => lines().getByText(/^begin /)
  const has = (n) => page.waitForFunction(
    (wanted) => [...document.querySelectorAll('log-view .log__text')].filter((line) => line.textContent.startsWith('begin ')).length === wanted, n,
  )
  await openKnown(page, `${house.origin}/containers/${id}/logs`)
  await begins().first().waitFor()
  await house.api('POST', '/containers/again/stop')
  await page.getByText('End of the log').waitFor()
  await house.api('POST', '/containers/again/start')
  await has(2)

  // However fast: the page may hear of the new run before the end of the old one.
  await house.api('POST', '/containers/again/restart?t=0')
  await has(3)
  const all = await begins().allInnerTexts()
  assert.equal(new Set(all).size, 3, `told twice: ${all.join(' | ')}`)
})
