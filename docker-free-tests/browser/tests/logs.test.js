// A log as a person reads it: what they choose is what they see.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { House, becomeOwner, browser, tab } from '../house.js'

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
  await page.goto(`${house.origin}/containers/${id}/logs`)
  await lines().getByText('to-err').waitFor()
  await page.locator('log-view details.menu summary').click()
  const stream = page.locator('log-view select[name=stream]')

  await stream.selectOption({ label: 'stderr' })
  await lines().getByText('to-out').waitFor({ state: 'detached' })
  assert.deepEqual(await shown(), ['to-err'])

  await stream.selectOption({ label: 'stdout' })
  await lines().getByText('to-err').waitFor({ state: 'detached' })
  assert.deepEqual(await shown(), ['to-out'])
})
