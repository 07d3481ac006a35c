// A registry is named once: added, tested, pushed to, browsed, pulled from with its tags completed, and
// what was done is in the audit without the password.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, becomeOwner, becomes, browser, fits, logIn, openKnown, pressTo, tab } from '../house.js'
import { NAME, PASSWORD, Registry } from '../registry.js'

let house
let registry
let chrome
let page

before(async () => {
  registry = await Registry.start()
  house = await House.start()
  chrome = await browser()
  page = await tab(chrome)
  await becomeOwner(page, house)
  await house.loadBusybox()
})

after(async () => {
  await chrome?.close()
  await house?.stop()
  await registry?.stop()
})

const notice = (text) => page.locator('#notices .notice', { hasText: text })
const row = () => page.locator('tr', { hasText: registry.address })
const inForm = (name) => page.locator(`main form [name=${name}]`)
const done = (job) => page.locator('main .job .badge', { hasText: job })

test('a registry is added, and a test says why it lets nobody in', async () => {
  await pressTo(page, ['g', 'r'], `${house.origin}/registries`)
  await accessible(page, 'no registries')
  await inForm('name').fill('Team')
  await inForm('address').fill(`https://${registry.address}/v2/`)
  await inForm('user').fill(NAME)
  await inForm('secret').fill('not the right one')
  await page.getByRole('button', { name: 'Add a registry' }).click()
  await notice('Team').waitFor()
  await row().getByRole('button', { name: 'Test' }).click()
  await notice('refused the user name or password').waitFor()
  await accessible(page, 'a registry that refuses')
})

test('a password is typed again and the test passes', async () => {
  await row().getByRole('link', { name: 'Edit the registry' }).click()
  await page.waitForURL(/\/registries\/[^/]+\/edit$/)
  assert.equal(await inForm('secret').inputValue(), '')
  await inForm('address').fill('127.0.0.1:1')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('.field__error', { hasText: 'never sent to another' }).waitFor()
  await accessible(page, 'an address without its password')
  await inForm('address').fill(registry.address)
  await inForm('secret').fill(PASSWORD)
  await page.getByRole('button', { name: 'Save' }).click()
  await page.waitForURL(`${house.origin}/registries`)
  await row().getByRole('button', { name: 'Test' }).click()
  await notice('lets us in').waitFor()
})

test('an image is pushed there without typing a password', async () => {
  const tagged = await house.api('POST', `/images/busybox/tag?repo=${encodeURIComponent(`${registry.address}/shop/app`)}&tag=1`)
  assert.equal(tagged.status, 201, tagged.text)
  const { Id } = JSON.parse((await house.api('GET', '/images/busybox/json')).text)
  const name = `${registry.address}/shop/app:1`
  await openKnown(page, `${house.origin}/images/${encodeURIComponent(Id)}`, name)
  await inForm('push').selectOption(name)
  await page.getByRole('button', { name: 'Push', exact: true }).click()
  await page.waitForURL(/\/jobs\//)
  await done('Done').waitFor()
  await house.api('DELETE', `/images/${registry.address}/shop/app:1`)
})

test('its repositories and tags are browsed', async () => {
  await page.goto(`${house.origin}/registries`)
  await row().getByRole('link', { name: 'Team' }).click()
  await page.waitForURL(/\/registries\/[^/]+$/)
  await accessible(page, 'a registry')
  await inForm('filter').fill('nothing like it')
  await page.getByRole('button', { name: 'Narrow' }).click()
  await page.getByText('Nothing there fits.').waitFor()
  await inForm('filter').fill('app')
  await page.getByRole('button', { name: 'Narrow' }).click()
  await page.getByRole('link', { name: 'shop/app', exact: true }).click()
  await page.waitForURL(/\/tags\?repository=shop%2Fapp$/)
  await page.locator('.table__name', { hasText: '1' }).waitFor()
  await accessible(page, 'the tags of a repository')
  await page.getByRole('link', { name: 'Pull' }).click()
  await becomes(() => inForm('reference').inputValue(), `${registry.address}/shop/app:1`)
})

test('an image is pulled from it, its tag completed', async () => {
  await page.goto(`${house.origin}/images`)
  await page.locator('details.section summary', { hasText: 'Pull' }).click()
  await inForm('registry').selectOption(registry.address)
  await inForm('reference').fill('shop/nothing')
  await page.getByRole('button', { name: 'Show tags' }).click()
  await page.locator('tag-list output', { hasText: 'pull access denied' }).waitFor()
  await inForm('reference').fill('shop/app')
  await page.getByRole('button', { name: 'Show tags' }).click()
  await page.locator('tag-list output', { hasText: 'One tag' }).waitFor()
  const offered = page.locator('#pull-tags option')
  await becomes(() => offered.evaluateAll((all) => all.map((one) => one.value)), ['shop/app:1'])
  await accessible(page, 'a pull form with tags')
  await inForm('reference').fill('shop/app:1')
  await page.locator('form[action="/images/pull"] button.button--primary').click()
  await page.waitForURL(/\/jobs\//)
  await done('Done').waitFor()
  const pulled = await house.api('GET', `/images/${registry.address}/shop/app:1/json`)
  assert.equal(pulled.status, 200, pulled.text)
})

test('it works on a phone, in the dark, and without scripts', async () => {
  const phone = await tab(chrome, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: 'dark' })
  await logIn(phone, house, 'olga')
  await phone.goto(`${house.origin}/registries`)
  await phone.locator('tr', { hasText: registry.address }).waitFor()
  await accessible(phone, 'registries on a phone')
  await fits(phone, 'registries')
  await phone.context().close()

  const plain = await tab(chrome, { javaScriptEnabled: false })
  await logIn(plain, house, 'olga')
  await plain.goto(`${house.origin}/registries`)
  await plain.locator('tr', { hasText: registry.address }).getByRole('button', { name: 'Test' }).click()
  await plain.locator('#notices .notice', { hasText: 'lets us in' }).waitFor()
  await plain.context().close()
})

test('it is removed, and the audit tells all of it but the password', async () => {
  await page.goto(`${house.origin}/registries`)
  await row().getByRole('link', { name: 'Remove' }).click()
  await page.locator('dialog', { hasText: 'The password that is kept for it' }).waitFor()
  await accessible(page, 'the question before a registry goes')
  await page.locator('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByText('No registries yet').waitFor()
  await page.goto(`${house.origin}/audit`)
  for (const action of ['registry.add', 'registry.test', 'registry.edit', 'image.push', 'image.pull', 'registry.remove']) {
    await page.locator('tr', { hasText: action }).first().waitFor()
  }
  const text = await page.content() + house.log('server.log') + house.log('engine.log')
  assert.ok(!text.includes(PASSWORD), 'the password is nowhere')
})
