// Without a mouse: nothing traps the focus, and letters do what they do on every keyboard, or nothing.
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
})

after(async () => {
  await chrome?.close()
  await house?.stop()
})

const palette = () => page.locator('dialog.palette[open]')
const focused = (selector) => page.evaluate((s) => document.activeElement?.matches(s), selector)

test('the tab key goes through the search field and out again', async () => {
  await page.goto(`${house.origin}/containers`)
  for (let n = 0; n < 30 && !(await focused('command-palette input')); n += 1) await page.keyboard.press('Tab')
  assert.ok(await focused('command-palette input'), 'the search field cannot be reached')
  assert.equal(await palette().count(), 0, 'focus alone opened the palette')
  await page.keyboard.press('Tab')
  assert.ok(await focused('.bar__end *'), 'the focus is held')
})

test('escape closes the palette however it was opened', async () => {
  await page.locator('command-palette input').click()
  await palette().waitFor()
  await page.keyboard.press('Escape')
  await palette().waitFor({ state: 'detached' })

  await page.keyboard.press('Tab')
  await page.keyboard.press('Control+k')
  await palette().waitFor()
  await page.keyboard.press('Escape')
  await palette().waitFor({ state: 'detached' })
})

test('a click beside the palette closes it', async () => {
  await page.locator('command-palette input').click()
  await palette().waitFor()
  await page.mouse.click(5, 800)
  await palette().waitFor({ state: 'detached' })
})
