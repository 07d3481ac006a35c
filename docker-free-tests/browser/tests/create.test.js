// The form that makes a container, while one types.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { House, becomeOwner, browser, tab, until } from '../house.js'

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

test('the command line is that of the form, however late an earlier answer comes', async () => {
  await page.goto(`${house.origin}/containers/new`)
  const asked = []
  await page.route('**/containers/new/command', (route) => asked.push(route))
  const line = page.locator('form-command code').first()
  await page.locator('#name').fill('early')
  await until('it asks', () => asked.length === 1)
  await page.locator('#name').fill('late')
  await until('it asks again', () => asked.length === 2)
  await asked[1].continue()
  await line.getByText('--name late').waitFor()
  // The browser has dropped the first question, or will show its answer now.
  await asked[0].continue().catch(() => {})
  await page.evaluate(() => fetch('/login'))
  assert.match(await line.innerText(), /--name late/)
  assert.deepEqual(page.complaints, [])
})
