// Pages that stay true while nobody reloads them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { House, arrives, becomeOwner, becomes, browser, logIn, openKnown, tab, until } from '../house.js'

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
const rowOf = (name) => page.locator('tr', { has: page.getByRole('link', { name, exact: true }) })
const badge = (name, word) => rowOf(name).locator('.badge', { hasText: word })
const kill = (name) => house.api('POST', `/containers/${name}/kill`)
const newRows = () => page.locator('.new-rows button')
/** A row that is new is offered; a list that had to be fetched anew on the way has it already. */
const isKnown = async (name) => (await newRows().count()) + (await rowOf(name).count()) > 0
const offered = (name) => until(`${name} is offered`, () => isKnown(name))
const letIn = (name) => until(`${name} is let in`, async () => {
  if (await rowOf(name).count()) return true
  await newRows().click({ timeout: 1_000 }).catch(() => {})
  return false
})

/** Makes a tab believe that it is hidden, or looked at again; it is told behind our back, as it may go elsewhere. */
const hide = (which, hidden) => until('it believes that', () => which.evaluate((is) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => is })
  setTimeout(() => document.dispatchEvent(new Event('visibilitychange')))
  return true
}, hidden).catch(() => false))

async function logOutElsewhere() {
  const other = await page.context().newPage()
  await other.goto(`${house.origin}/account`)
  await other.locator('.bar__end details.menu summary').last().click()
  await other.locator('[formaction$="/logout"]').click()
  await arrives(other, /\/login/)
  await other.close()
}

test('a row that was found by filtering is live', async () => {
  await house.run('first', SLEEP)
  await house.run('second', SLEEP)
  await page.goto(`${house.origin}/containers?filter=first`)
  await rowOf('first').waitFor()
  // The list is fetched once, by the filter: what comes after that comes by the socket.
  let fetched = 0
  const list = '**/containers?filter=second'
  await page.route(list, (route) => (fetched++ === 0 ? route.continue() : route.fulfill({ status: 204 })))
  await page.locator('#filter').fill('second')
  await badge('second', 'Running').waitFor()

  await kill('second')
  await badge('second', 'Stopped').waitFor()
  await page.unroute(list)
})

test('a row that was let in is live, and was while it waited', async () => {
  await page.goto(`${house.origin}/containers`)
  await rowOf('first').waitFor()
  // The tab has to listen before there is something new to it.
  await rowOf('first').locator('.load__number', { hasText: /\d/ }).first().waitFor()
  await house.run('third', SLEEP)
  await letIn('third')
  await badge('third', 'Running').waitFor()
  await kill('third')
  await badge('third', 'Stopped').waitFor()

  const watched = page.waitForEvent('console', (message) => message.text() === 'heard')
  await page.evaluate(() => {
    const { parse } = JSON
    JSON.parse = (text) => {
      const message = parse(text)
      if (message.type === 'replace' && message.html.includes('>fourth<') && message.html.includes('Stopped')) console.log('heard')
      return message
    }
  })
  await house.run('fourth', SLEEP)
  await offered('fourth')
  await kill('fourth')
  await watched
  await letIn('fourth')
  await badge('fourth', 'Stopped').waitFor()
})

test('a row that the filter leaves out is not offered', async () => {
  await page.goto(`${house.origin}/containers?filter=first`)
  await rowOf('first').locator('.load__number', { hasText: /\d/ }).first().waitFor()
  await house.run('elsewhere', SLEEP)
  await house.run('first-too', SLEEP)
  await letIn('first-too')
  assert.equal(await rowOf('elsewhere').count(), 0)
})

test('a row that comes while a filter is on its way is offered', async () => {
  await page.goto(`${house.origin}/containers`)
  await rowOf('first').locator('.load__number', { hasText: /\d/ }).first().waitFor()
  await page.route('**/containers?filter=late', async (route) => {
    const before = await route.fetch()
    await house.run('late', SLEEP)
    await offered('late')
    await route.fulfill({ response: before })
  }, { times: 1 })
  await page.locator('#filter').fill('late')
  await rowOf('first').waitFor({ state: 'detached' })
  await letIn('late')
  await badge('late', 'Running').waitFor()
})

test('rows are not let in twice', async () => {
  await page.goto(`${house.origin}/containers`)
  await rowOf('first').locator('.load__number', { hasText: /\d/ }).first().waitFor()
  await house.run('fifth', SLEEP)
  await offered('fifth')
  await page.locator('#filter').fill('f')
  await rowOf('fifth').waitFor()
  await house.run('half', SLEEP)
  await letIn('half')
  await becomes(() => rowOf('fifth').count(), 1)
})

test('a hidden tab whose session ended shows the door when it is looked at', async () => {
  await page.goto(`${house.origin}/containers?filter=first`)
  await rowOf('first').waitFor()
  await hide(page, true)
  await logOutElsewhere()
  await hide(page, false)
  await page.waitForURL(/\/login\?next=%2Fcontainers%3Ffilter%3Dfirst/)
})

test('a hidden terminal whose session ended stops asking', async () => {
  await logIn(page, house, 'olga')
  const id = JSON.parse((await house.api('GET', '/containers/first/json')).text).Id
  await openKnown(page, `${house.origin}/containers/${id}/terminal`)
  await page.locator('terminal-view .xterm-rows').getByText('#').first().waitFor()
  await hide(page, true)
  await logOutElsewhere()
  await page.waitForURL(/\/login\?next=/)
})

test('nothing on the way was complained about', async () => {
  const others = page.complaints.filter((text) => !/WebSocket|401/.test(text))
  assert.deepEqual(others, [])
})
