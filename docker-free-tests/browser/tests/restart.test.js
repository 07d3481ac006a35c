// Pages that are open while a container ends and is started again, or while the engine is away.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, becomeOwner, browser, openKnown, tab } from '../house.js'

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

const SLEEP = 'trap "exit 0" TERM; sleep 1000 & wait'
const badge = (word) => page.locator('#container-header .badge', { hasText: word }).waitFor()
const does = (verb, name) => house.api('POST', `/containers/${name}/${verb}`)
const screen = () => page.locator('terminal-view .xterm-rows')

/** Opens a page and marks it: another document in its place would not have the mark. */
async function open(path) {
  await openKnown(page, house.origin + path)
  await page.evaluate(() => (document.body.dataset.mine = 'yes'))
}

const isTheSamePage = async () => assert.equal(await page.evaluate(() => document.body.dataset.mine), 'yes')

test('the overview shows what needs attention and what happened, as it happens', async () => {
  await open('/')
  await house.run('fails', 'exit 3')
  await page.locator('#troubled-rows').getByText('fails').waitFor()
  await page.locator('#overview-events').getByText('fails').first().waitFor()
  await isTheSamePage()
})

test('why it stopped is told while one looks, and taken back at the next start', async () => {
  const id = await house.run('seen', SLEEP)
  await open(`/containers/${id}`)
  await badge('Running')
  await does('kill', 'seen')
  await page.locator('#why-stopped').waitFor()
  await does('start', 'seen')
  await page.locator('#why-stopped').waitFor({ state: 'detached' })
  await isTheSamePage()
})

test('a part with an open menu is renewed when the menu closes', async () => {
  const rename = page.locator('#container-header details.rename')
  await rename.locator('summary').click()
  await rename.locator('input').fill('half-typed')
  await does('kill', 'seen')
  await page.locator('#why-stopped').waitFor()
  assert.equal(await rename.locator('input').inputValue(), 'half-typed')
  await rename.locator('summary').click()
  await badge('Stopped')
  await does('start', 'seen')
  await badge('Running')
})

test('the processes appear with the start of their container', async () => {
  await house.run('idle', SLEEP)
  await does('kill', 'idle')
  const id = JSON.parse((await house.api('GET', '/containers/idle/json')).text).Id
  await open(`/containers/${id}/processes`)
  await page.getByText('The container is not running.').first().waitFor()
  await does('start', 'idle')
  await page.locator('#processes td').getByText('sleep').first().waitFor()
  await does('kill', 'idle')
  await page.getByText('The container is not running.').first().waitFor()
  await isTheSamePage()
})

test('a terminal appears with the start of its container, and again after a restart', async () => {
  const id = JSON.parse((await house.api('GET', '/containers/idle/json')).text).Id
  await open(`/containers/${id}/terminal`)
  await page.getByText('The container is not running.').first().waitFor()
  await does('start', 'idle')
  await screen().getByText('#').first().waitFor()
  await page.locator('.terminal__bar').waitFor()
  await page.locator('terminal-view .xterm').click()
  await page.keyboard.type('echo one $((6 * 7))\n')
  await screen().getByText('one 42').first().waitFor()

  await does('restart?t=0', 'idle')
  await screen().getByText('one 42').first().waitFor({ state: 'detached' })
  await screen().getByText('#').first().waitFor()
  await page.locator('terminal-view .xterm').click()
  await page.keyboard.type('echo two $((6 * 7))\n')
  await screen().getByText('two 42').first().waitFor()
  await isTheSamePage()
})

test('every list says by itself that the engine is away, and that it is back', async () => {
  const notice = page.locator('#engine-notice .notice')
  const others = []
  for (const path of ['/', '/images', '/events']) {
    const other = await page.context().newPage()
    await other.goto(house.origin + path)
    others.push(other)
  }
  await open('/containers')
  await house.kill(house.engine)
  for (const each of [page, ...others]) {
    const said = each.locator('#engine-notice .notice')
    await said.getByText(/Containers keep running.*as it was at \d{4}-/).waitFor()
  }
  await accessible(page, 'a list whose engine is away')
  house.startEngine()
  await notice.waitFor({ state: 'detached' })
  for (const other of others) {
    await other.locator('#engine-notice .notice').waitFor({ state: 'detached' })
    await other.close()
  }
  await isTheSamePage()
})

test('nothing on the way was complained about', () => {
  const others = page.complaints.filter((text) => !/WebSocket|ERR_CONNECTION/.test(text))
  assert.deepEqual(others, [])
})
