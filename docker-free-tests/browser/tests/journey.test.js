// The first hour of a new user, in a real browser: from the printed link to a shell, and the audit.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, PASSWORD, browser, logIn, tab } from '../house.js'

let house
let chrome
let page

before(async () => {
  house = await House.start()
  chrome = await browser()
  page = await tab(chrome)
})

after(async () => {
  await chrome?.close()
  await house?.stop()
})

const rowOf = (name) => page.locator('tr', { has: page.getByRole('link', { name, exact: true }) })
const header = () => page.locator('#container-header')
const press = (verb) => header().locator(`[formaction$="/${verb}"]`).click()
const state = (word) => header().locator('.badge', { hasText: word }).waitFor()

async function create(fields, { start = true } = {}) {
  await page.goto(`${house.origin}/containers`)
  await page.locator('.page__actions a[href="/containers/new"]').first().click()
  for (const [name, value] of Object.entries(fields)) {
    const field = page.locator(`#${name}`)
    if (!(await field.isVisible())) await page.locator('details', { has: field }).locator('summary').click()
    await field.fill(value)
  }
  await page.locator('#start').setChecked(start)
  await page.locator('button[form="create"]').click()
  await header().waitFor()
}

test('the printed link makes the first person the owner', async () => {
  const link = await house.setUpLink()
  await page.goto(link)
  await accessible(page, 'set-up')
  await page.locator('#name').fill('olga')
  for (const field of await page.locator('input[type=password]').all()) await field.fill(PASSWORD)
  await page.locator('main form button.button--primary').click()

  await page.waitForURL(`${house.origin}/`)
  await page.getByText('olga').first().waitFor()
  // The link works once.
  const again = await fetch(link)
  assert.ok([403, 404, 410].includes(again.status), `${again.status}`)
})

test('the hello container is created by the form and starts', async () => {
  await create({ image: 'gantry/hello', name: 'hello' }, { start: false })
  await state('Created')
  await press('start')
  await state('Running')
  await page.goto(`${house.origin}/containers`)
  await rowOf('hello').locator('.badge', { hasText: 'Running' }).waitFor()
})

test('its log is read as it comes', async () => {
  await page.goto(`${house.origin}/containers`)
  await page.getByRole('link', { name: 'hello', exact: true }).click()
  await header().locator('[data-key="logs"], .tabs__tab[href$="/logs"]').first().click()
  const lines = page.locator('log-view .log__line')
  await lines.first().waitFor()
  const seen = await lines.count()
  await page.waitForFunction((n) => document.querySelectorAll('log-view .log__line').length > n, seen)
})

test('its load is seen', async () => {
  await header().locator('.tabs__tab[href$="/stats"]').click()
  await page.locator('stats-view canvas').first().waitFor()
  await page.locator('stats-view').getByText(/\d (KiB|MiB)/).first().waitFor()
  await page.getByText('As table').click()
  await page.locator('stats-view table:not(.u-legend) td').first().waitFor()
})

test('it has no shell and the page says so', async () => {
  await header().locator('.tabs__tab[href$="/terminal"]').click()
  await page.getByText('This image has no shell').first().waitFor()
})

test('a command is typed in a terminal and its answer read', async () => {
  await house.loadBusybox()
  await create({ image: 'busybox', name: 'box', command: 'sleep 1000' })
  await state('Running')
  await header().locator('.tabs__tab[href$="/terminal"]').click()
  const screen = page.locator('terminal-view .xterm-rows')
  await screen.getByText('#').first().waitFor()
  await page.locator('terminal-view .xterm').click()
  await page.keyboard.type('echo $((6 * 7)) $(hostname)\n')
  await screen.getByText(/^42 /).first().waitFor()

  // A reload finds the same shell with what was on its screen.
  await page.keyboard.type('answer=kept\n')
  await page.reload()
  await screen.getByText(/^42 /).first().waitFor()
  await page.locator('terminal-view .xterm').click()
  await page.keyboard.type('echo still $answer\n')
  await screen.getByText('still kept', { exact: false }).last().waitFor()
})

test('a restarted server keeps the session', async () => {
  await house.kill(house.server)
  await house.startServer()
  await page.goto(`${house.origin}/containers`)
  await rowOf('hello').waitFor()
})

test('it is stopped and removed, and the list follows by itself', async () => {
  const other = await tab(chrome)
  await logIn(other, house, 'olga')
  await other.goto(`${house.origin}/containers`)
  await other.getByRole('link', { name: 'hello', exact: true }).waitFor()

  await page.getByRole('link', { name: 'hello', exact: true }).click()
  await press('stop')
  await state('Stopped')
  await other.locator('tr .badge', { hasText: 'Stopped' }).waitFor()
  await header().locator('[href$="/remove"]').click()
  const dialog = page.locator('dialog[open]')
  await dialog.getByText('hello').first().waitFor()
  await accessible(page, 'the question before a removal')
  await dialog.locator('button.button--danger-fill').click()
  await page.waitForURL(/\/containers($|\?)/)

  await rowOf('hello').waitFor({ state: 'detached' })
  await other.getByRole('link', { name: 'hello', exact: true }).waitFor({ state: 'detached' })
  assert.deepEqual(other.complaints, [])
  await other.context().close()
})

test('the audit shows each step with the actor', async () => {
  await page.goto(`${house.origin}/audit`)
  const rows = page.locator('#audit-rows tr')
  await rows.first().waitFor()
  const text = await rows.allInnerTexts()
  for (const action of ['container.create', 'container.start', 'container.stop', 'container.remove', 'container.exec']) {
    const row = text.find((line) => line.includes(action))
    assert.ok(row, `${action} is missing in ${text.join('\n')}`)
    assert.match(row, /olga/)
  }
})

test('nothing on the way was complained about', () => {
  // A socket that the restarted server cut is the only noise there may be.
  const others = page.complaints.filter((text) => !/WebSocket|ERR_CONNECTION/.test(text))
  assert.deepEqual(others, [])
})
