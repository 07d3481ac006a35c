// What runs is compared with its tag's digest in a real registry: up to date, behind after somebody pushed
// another image there, pulled, made anew, and up to date again. Nobody waits for a reload.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, PASSWORD as OWN, becomeOwner, browser, fits, logIn, openKnown, tab, until } from '../house.js'
import { NAME, PASSWORD, Registry } from '../registry.js'

let house
let registry
let chrome
let page
let name

before(async () => {
  // What is asked here is asked by a person: a look by itself could come between two steps.
  process.env.GANTRY_UPDATE_CHECKS = 'off'
  registry = await Registry.start()
  house = await House.start()
  chrome = await browser()
  page = await tab(chrome)
  await becomeOwner(page, house)
  await house.loadBusybox()
  name = `${registry.address}/shop/app:1`
  await push('busybox')
  await house.run('web', 'sleep 3600', { Image: name })
  await house.run('local', 'sleep 3600')
  await openKnown(page, `${house.origin}/registries`)
  await page.locator('main form [name=name]').fill('Team')
  await page.locator('main form [name=address]').fill(registry.address)
  await page.locator('main form [name=user]').fill(NAME)
  await page.locator('main form [name=secret]').fill(PASSWORD)
  await page.getByRole('button', { name: 'Add a registry' }).click()
  await page.locator('#notices .notice', { hasText: 'Team' }).waitFor()
})

after(async () => {
  await chrome?.close()
  await house?.stop()
  await registry?.stop()
})

/** Pushes an image of this engine there as the tag that runs, past the server. */
async function push(image) {
  const repo = `${registry.address}/shop/app`
  const tagged = await house.api('POST', `/images/${image}/tag?repo=${encodeURIComponent(repo)}&tag=1`)
  assert.equal(tagged.status, 201, tagged.text)
  const pushed = await registry.pushFrom(house, name)
  assert.ok(!pushed.includes('errorDetail'), pushed)
}

const row = (container) => page.locator('#container-rows tr', { hasText: container })
const line = () => page.locator('#updates .updates__line', { hasText: name })
const idOf = async (image) => JSON.parse((await house.api('GET', `/images/${image}/json`)).text).Id

test('an image that was made here says why it is not checked', async () => {
  const id = await idOf('busybox')
  await openKnown(page, `${house.origin}/images/${encodeURIComponent(id)}`, 'did not come from that repository')
  await page.locator('.updates__line', { hasText: 'busybox:latest' }).getByText('Not checked').waitFor()
})

test('Check now asks the registry, and the page says that it is up to date', async () => {
  await line().getByRole('button', { name: 'Check now' }).click()
  await page.locator('#notices .notice', { hasText: 'The registry is asked' }).waitFor()
  await line().getByText('Up to date').waitFor()
  await line().getByText('checked').waitFor()
  await accessible(page, 'an image that is up to date')
  await page.goto(`${house.origin}/containers`)
  await row('web').locator('[data-column=image]').getByText('Up to date').waitFor()
  await row('local').waitFor()
  assert.equal(await row('local').locator('.update').count(), 0, 'what was made here has no mark')
})

test('another image under the tag is an update, seen without a reload', async () => {
  const before = await idOf(name)
  const committed = await house.api('POST', '/commit?container=local&repo=fresh&tag=1')
  assert.equal(committed.status, 201, committed.text)
  await push('fresh:1')
  // The tag here goes back: what runs and what the tag names here are the old one.
  const back = await house.api('POST', `/images/${before}/tag?repo=${encodeURIComponent(`${registry.address}/shop/app`)}&tag=1`)
  assert.equal(back.status, 201, back.text)
  await openKnown(page, `${house.origin}/images/${encodeURIComponent(before)}`, name)
  const list = await page.context().newPage()
  await list.goto(`${house.origin}/containers`)
  const marked = list.locator('#container-rows tr', { hasText: 'web' }).locator('[data-column=image]')
  await marked.getByText('Up to date').waitFor()
  await line().getByRole('button', { name: 'Check now' }).click()
  await line().getByText('Update available').waitFor()
  await marked.getByText('Update available').waitFor()
  await list.close()
  await accessible(page, 'an image with an update')
})

test('the way on is a pull, then an edit that makes it anew', async () => {
  await page.goto(`${house.origin}/containers`)
  await row('web').getByRole('link', { name: 'web' }).click()
  const head = page.locator('#container-header')
  await head.getByText('Update available').waitFor()
  await accessible(page, 'a container with an update')
  await head.getByRole('link', { name: 'Pull it' }).click()
  await page.locator('form[action="/images/pull"] button.button--primary').click()
  await page.waitForURL(/\/jobs\//)
  await page.locator('main .job .badge', { hasText: 'Done' }).waitFor()
  const { Id } = JSON.parse((await house.api('GET', '/containers/web/json')).text)
  await openKnown(page, `${house.origin}/containers/${Id}`, 'make it anew')
  await head.getByRole('link', { name: 'Edit: make it anew' }).click()
  await page.waitForURL(/\/edit$/)
})

test('a registry that is gone is said with its age, and what is known stays', async () => {
  await registry.kill()
  const id = await idOf(name)
  await openKnown(page, `${house.origin}/images/${encodeURIComponent(id)}`, name)
  await line().getByRole('button', { name: 'Check now' }).click()
  await line().getByText('Could not be checked').waitFor()
  await line().getByText('cannot reach the registry').waitFor()
})

test('it works on a phone, in the dark, and without scripts', async () => {
  const id = await idOf(name)
  const address = `${house.origin}/images/${encodeURIComponent(id)}`
  const phone = await tab(chrome, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: 'dark' })
  await logIn(phone, house, 'olga', OWN)
  for (const path of [address, `${house.origin}/images`, `${house.origin}/containers`]) {
    await phone.goto(path)
    await accessible(phone, `${path} on a phone`)
    await fits(phone, path)
    if (path.endsWith('/containers')) await phone.locator('#container-rows .update:visible').waitFor()
  }
  await phone.context().close()

  const plain = await tab(chrome, { javaScriptEnabled: false })
  await logIn(plain, house, 'olga', OWN)
  await plain.goto(address)
  await plain.locator('.updates__line', { hasText: name }).getByRole('button', { name: 'Check now' }).click()
  await plain.locator('#notices .notice', { hasText: 'The registry is asked' }).waitFor()
  await until('the answer is there at the next look', async () => {
    await plain.goto(address)
    return plain.locator('.updates__line', { hasText: 'Could not be checked' }).count()
  })
  await plain.context().close()
})
