// A network is made, looked at, drawn; a container comes in and goes; what nobody is in is removed.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, becomeOwner, becomes, browser, fits, openKnown, pressTo, tab } from '../house.js'

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

const inForm = (name) => page.locator(`main form [name=${name}]`)
const row = (name) => page.locator('main tr', { hasText: name })

test('a network is made by its form, which says what it cannot take', async () => {
  await pressTo(page, ['g', 'n'], `${house.origin}/networks`)
  await row('bridge').first().waitFor()
  await accessible(page, 'networks')
  await page.getByRole('link', { name: 'New network' }).click()
  await page.waitForURL(`${house.origin}/networks/new`)
  await inForm('name').fill('shop')
  await page.locator('details.section > summary').click()
  await inForm('subnet').fill('10.213.7.0')
  await page.getByRole('button', { name: 'Create the network' }).click()
  await page.locator('.field__error', { hasText: 'must be a subnet' }).waitFor()
  assert.equal(await inForm('name').inputValue(), 'shop')
  await accessible(page, 'a network that cannot be')
  await inForm('subnet').fill('10.213.7.0/24')
  await page.getByRole('button', { name: 'Create the network' }).click()
  await page.waitForURL(`${house.origin}/networks`)
  await row('10.213.7.0/24').waitFor()
})

test('a container is connected, has its address there, and is disconnected', async () => {
  await house.run('web', 'exec sleep 1000', { HostConfig: { NetworkMode: 'bridge' } })
  await openKnown(page, `${house.origin}/networks/shop`, 'Connect a container')
  await becomes(() => inForm('container').locator('option').allTextContents(), ['web'])
  await inForm('address').fill('10.213.7.77')
  await inForm('aliases').fill('front')
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await row('10.213.7.77/24').waitFor()
  await accessible(page, 'a network with a container')
  await fits(page)
  await row('10.213.7.77/24').getByRole('link', { name: 'web' }).click()
  await page.waitForURL(/\/containers\/[0-9a-f]{64}$/)
  await row('10.213.7.77/24').getByRole('button', { name: 'Disconnect' }).click()
  await page.locator('#notices .notice', { hasText: 'web is disconnected' }).waitFor()
  await becomes(() => row('10.213.7.77/24').count(), 0)
})

test('the picture leads to everything in it', async () => {
  await page.goto(`${house.origin}/networks/picture`)
  await page.locator('svg.net a', { hasText: 'web' }).first().waitFor()
  await accessible(page, 'the picture of networks')
  await page.locator('svg.net a', { hasText: 'shop' }).first().click()
  await page.waitForURL(/\/networks\/[0-9a-f]{64}$/)
})

test('the ports say who listens where', async () => {
  await page.goto(`${house.origin}/ports`)
  await page.locator('output', { hasText: 'is free' }).waitFor()
  await accessible(page, 'ports')
})

test('what nobody is in is shown and removed', async () => {
  await page.goto(`${house.origin}/networks`)
  await page.getByRole('link', { name: 'Remove unused ones' }).click()
  await page.waitForURL(`${house.origin}/networks/prune`)
  await row('10.213.7.0/24').waitFor()
  await page.getByRole('button', { name: 'Remove 1 network' }).click()
  await page.waitForURL(`${house.origin}/networks`)
  await becomes(() => row('10.213.7.0/24').count(), 0)
})
