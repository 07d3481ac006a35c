// Without a mouse: nothing traps the focus, and letters do what they do on every keyboard, or nothing.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, becomeOwner, becomes, browser, pressTo, tab } from '../house.js'

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
  await becomes(() => focused('.bar__end *'), true)
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

test('keys without ctrl work on a Korean keyboard', async () => {
  await page.goto(`${house.origin}/`)
  await page.evaluate(() => {
    for (const [key, code] of [['ㅎ', 'KeyG'], ['ㅊ', 'KeyC']]) {
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key, code, bubbles: true, cancelable: true }))
    }
  })
  await page.waitForURL(`${house.origin}/containers`)
})

test('keys without ctrl can be turned off, and stay off', async () => {
  await page.goto(`${house.origin}/`)
  await page.keyboard.press('?')
  const single = page.locator('#shortcuts #single-keys')
  await single.uncheck()
  await accessible(page, 'the list of shortcuts')
  await page.keyboard.press('Escape')
  await page.reload()

  for (const key of ['?', '/', 'g', 'c']) await page.keyboard.press(key)
  assert.equal(await page.locator('dialog:modal').count(), 0)
  assert.equal(page.url(), `${house.origin}/`)
  await page.keyboard.press('Control+k')
  await palette().waitFor()
  await page.keyboard.press('Escape')

  await page.locator('.bar__end details.menu summary').last().click()
  await page.locator('[data-open=shortcuts]').click()
  await single.check()
  await page.keyboard.press('Escape')
  await pressTo(page, 'gi', `${house.origin}/images`)
})

test('without script nothing is offered that needs one', async () => {
  await house.loadBusybox()
  await house.run('plain', 'sleep 1000')
  const plain = await tab(chrome, { javaScriptEnabled: false })
  await plain.context().addCookies(await page.context().cookies())
  await plain.goto(`${house.origin}/containers`)
  await plain.locator('.bar__end details.menu summary').last().click()
  await plain.locator('[formaction$="/logout"]').waitFor()
  assert.equal(await plain.locator('[data-open]').first().isVisible(), false)
  assert.equal(await plain.locator('[data-all]').first().isVisible(), false)
  assert.ok(await plain.locator('tbody .check').first().isVisible())
  await plain.context().close()

  await page.goto(`${house.origin}/containers`)
  await page.locator('[data-all]').first().waitFor()
})
