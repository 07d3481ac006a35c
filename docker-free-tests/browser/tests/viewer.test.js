// Someone who may look and not touch: sees everything there is to see, and why the rest is grey.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, PASSWORD, becomeOwner, becomes, browser, logIn, openKnown, tab } from '../house.js'

let house
let chrome
let page

before(async () => {
  house = await House.start()
  chrome = await browser()
  const owner = await tab(chrome)
  await becomeOwner(owner, house)
  await owner.goto(`${house.origin}/people`)
  await owner.locator('main #name').fill('vera')
  for (const field of await owner.locator('main input[type=password]').all()) await field.fill(PASSWORD)
  const role = owner.locator('main #role')
  if (await role.count()) await role.selectOption('viewer')
  await owner.locator('main form button.button--primary').click()
  await owner.getByRole('cell', { name: 'vera' }).waitFor()
  await house.loadBusybox()
  await house.run('box', 'echo hello; sleep 1000')
  page = await tab(chrome)
  await logIn(page, house, 'vera')
})

after(async () => {
  await chrome?.close()
  await house?.stop()
})

test('a viewer sees the container and its state', async () => {
  await page.goto(`${house.origin}/containers`)
  await page.getByRole('link', { name: 'box', exact: true }).click()
  await page.locator('#container-header .badge', { hasText: 'Running' }).waitFor()
})

test('every control that changes something is grey and says why', async () => {
  const header = page.locator('#container-header')
  assert.equal(await header.locator('[formaction]').count(), 0, 'a viewer has a working button')
  const blocked = header.locator('[aria-disabled=true]')
  assert.ok((await blocked.count()) > 0, 'the controls are hidden rather than grey')
  for (const button of await blocked.all()) {
    assert.match((await button.getAttribute('aria-label')) ?? '', /: .+/)
  }
})

test('a viewer is refused even where the page shows nothing to press', async () => {
  const id = JSON.parse((await house.api('GET', '/containers/box/json')).text).Id
  for (const verb of ['start', 'stop', 'restart', 'kill', 'remove']) {
    const status = await page.evaluate(async (url) => (await fetch(url, { method: 'POST' })).status, `/containers/${id}/${verb}`)
    assert.equal(status, 403, verb)
  }
  assert.equal(JSON.parse((await house.api('GET', '/containers/box/json')).text).State.Running, true)
})

test('a viewer sees an image and not into it', async () => {
  const { Id: id } = JSON.parse((await house.api('GET', '/images/busybox/json')).text)
  const address = `${house.origin}/images/${encodeURIComponent(id)}`
  await openKnown(page, address, 'busybox')
  const tabs = page.getByRole('navigation', { name: /busybox/ })
  await tabs.getByText(/^Files: /).waitFor()
  await becomes(() => tabs.getByRole('link').count(), 1)
  await accessible(page, 'an image that may not be looked into')
  for (const part of ['layers', 'files', 'files/download?path=/etc/passwd']) {
    assert.equal((await page.request.get(`${address}/${part}`)).status(), 403, part)
  }
})

test('a stranger is sent to the door', async () => {
  const stranger = await tab(chrome)
  await stranger.goto(`${house.origin}/containers`)
  assert.match(stranger.url(), /\/login/)
  await stranger.context().close()
})
