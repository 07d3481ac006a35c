// A day's work on many containers: columns, selection, what became of each, several logs as one, the
// same from a shell, and the keyboard alone.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, PASSWORD, becomes, browser, logIn, pressTo, tab, until } from '../house.js'

const SHOP = "while true; do echo 'INFO served'; printf 'ERROR upstream timed out\\n  at handler\\n' >&2; sleep 0.2; done"

let house
let chrome
let page

before(async () => {
  house = await House.start()
  chrome = await browser()
  page = await tab(chrome)
  await page.goto(await house.setUpLink())
  await page.locator('#name').fill('olga')
  for (const field of await page.locator('input[type=password]').all()) await field.fill(PASSWORD)
  await page.locator('main form button.button--primary').click()
  await page.waitForURL(`${house.origin}/`)
  await house.loadBusybox()
  await house.run('aa-shop', SHOP)
  await house.run('bb-mail', "trap 'exit 0' TERM; while true; do echo 'level=warn queue is long'; sleep 0.2; done")
  await house.api('POST', '/containers/create?name=cc-spare', { Image: 'busybox' })
  await house.run('dd-idle', "trap 'exit 0' TERM; while true; do sleep 0.1; done")
})

after(async () => {
  await chrome?.close()
  await house?.stop()
})

const list = () => page.goto(`${house.origin}/containers`)
const rowOf = (name) => page.locator('tr', { has: page.getByRole('link', { name, exact: true }) })
const bar = () => page.locator('form.bulk-bar')
const running = async (name) => JSON.parse((await house.api('GET', `/containers/${name}/json`)).text).State.Running

test('the columns and the density that were chosen are there again', async () => {
  await list()
  await page.locator('list-look summary').click()
  await page.locator('list-look input[value=image]').uncheck()
  const kept = page.waitForResponse((answer) => answer.url().endsWith('/account/lists'))
  await page.locator('list-look input[value=compact]').check()
  await kept
  await becomes(() => rowOf('aa-shop').locator('[data-column=image]').isVisible(), false)
  await page.reload()
  await becomes(() => rowOf('aa-shop').locator('[data-column=image]').isVisible(), false)
  await becomes(() => rowOf('aa-shop').locator('[data-column=created]').isVisible(), true)
  await becomes(() => page.locator('#list .table').getAttribute('data-density'), 'compact')
})

test('they can be chosen without scripts', async () => {
  const plain = await tab(chrome, { javaScriptEnabled: false })
  await logIn(plain, house, 'olga')
  await plain.goto(`${house.origin}/containers?sort=-name`)
  await plain.locator('list-look summary').click()
  await plain.locator('list-look input[value=ports]').uncheck()
  await plain.locator('list-look button').click()
  await becomes(() => plain.locator('#list .table').getAttribute('data-hide'), 'ports')
  assert.match(plain.url(), /\/containers\?sort=-name$/)
  await plain.context().close()
})

test('shift selects a range and the bar says what an action would do', async () => {
  await list()
  await rowOf('aa-shop').locator('.check').click()
  await rowOf('cc-spare').locator('.check').click({ modifiers: ['Shift'] })
  await becomes(() => bar().locator('output').innerText(), '3 selected')
  await becomes(() => bar().locator('[data-slot=consequence]').innerText(), '2 running, 1 not running')
  await bar().locator('button[value=stop]').hover()
  await bar().locator('[data-slot=consequence]', { hasText: /^Stops 2\./ }).waitFor()
  await accessible(page, 'the bar of a selection')
})

test('several logs are read as one, in the order of time', async () => {
  await bar().getByRole('button', { name: 'Logs' }).click()
  await page.waitForURL(/\/logs\?c=\w{12}&c=\w{12}&c=\w{12}$/)
  await page.locator('.log__source', { hasText: 'aa-shop' }).first().waitFor()
  await page.locator('.log__source', { hasText: 'bb-mail' }).first().waitFor()
  // In one go: a line that leaves the window between being found and being looked at stands nowhere.
  const times = await page.evaluate(() => [...document.querySelectorAll('.log__line')]
    .sort((a, b) => a.offsetTop - b.offsetTop).map((line) => line.querySelector('.log__time').getAttribute('href')))
  assert.deepEqual(times, [...times].sort())
  await accessible(page, 'several logs')
})

test('a level that lines say shows them alone, a link shows the same, a stack stays with its error', async () => {
  await page.locator('[data-level=error]').click()
  await page.locator('.log__line', { hasText: 'served' }).first().waitFor({ state: 'detached' })
  await page.locator('.log__line', { hasText: 'ERROR' }).first().waitFor()
  const texts = await page.locator('.log__line .log__text').allInnerTexts()
  assert.ok(texts.every((text) => /ERROR|at handler/.test(text)), texts.join('\n'))
  await page.waitForURL(/levels=error/)
  await page.reload()
  await page.locator('.log__line', { hasText: 'ERROR' }).first().waitFor()
  await becomes(() => page.locator('[data-level=error]').getAttribute('aria-pressed'), 'true')
  assert.equal(await page.locator('.log__line', { hasText: 'served' }).count(), 0)
})

test('a link to a line leads to it', async () => {
  await page.locator('[data-level=error]').click()
  // The address that is shared says which lines are shown.
  await becomes(() => new URL(page.url()).searchParams.get('levels'), null)
  const link = await page.locator('.log__time').first().getAttribute('href')
  const other = await tab(chrome)
  await logIn(other, house, 'olga')
  await other.goto(page.url().replace(/#.*/, '') + link)
  await other.locator('.log__line--found').first().waitFor()
  await other.context().close()
})

test('what the filter leaves can be taken away', async () => {
  const id = JSON.parse((await house.api('GET', '/containers/aa-shop/json')).text).Id
  await page.goto(`${house.origin}/containers/${id}/logs?levels=info`)
  await page.locator('.log__line', { hasText: 'served' }).first().waitFor()
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator('a[download]').click()])
  assert.equal(file.suggestedFilename(), 'aa-shop.log')
  const chunks = []
  for await (const chunk of await file.createReadStream()) chunks.push(chunk)
  const lines = Buffer.concat(chunks).toString().trim().split('\n')
  assert.ok(lines.length > 0 && lines.every((line) => line.endsWith('INFO served')), lines.join('\n'))
})

test('what became of each is told after an action on many', async () => {
  await list()
  await rowOf('bb-mail').locator('.check').click()
  await rowOf('dd-idle').locator('.check').click({ modifiers: ['Shift'] })
  await bar().locator('button[value=stop]').click()
  const told = page.locator('#notices #outcome')
  for (const name of ['bb-mail', 'cc-spare', 'dd-idle']) await told.locator('li', { hasText: name }).getByText('Done').waitFor()
  await until('they have stopped', async () => !(await running('bb-mail')) && !(await running('dd-idle')))
  await rowOf('bb-mail').locator('.badge', { hasText: 'Stopped' }).waitFor()
  assert.equal(new URL(page.url()).pathname, '/containers')
  await accessible(page, 'what became of each')
})

test('the lines that a page shows do in a shell what its buttons do', async () => {
  await list()
  await page.getByRole('link', { name: 'dd-idle', exact: true }).click()
  await page.locator('.recipes > summary').click()
  const start = page.locator('.recipe', { hasText: 'docker start' })
  assert.equal(await start.locator('.code-block code').first().innerText(), 'docker start dd-idle')
  await accessible(page, 'the same by command')
  const call = await start.locator('.code-block code').last().innerText()
  const done = spawnSync('sh', ['-c', call], { encoding: 'utf8' })
  assert.equal(done.status, 0, `${call}: ${done.stderr}`)
  await until('it runs', () => running('dd-idle'))
})

test('the create form shows the call that creates the same', async () => {
  await page.goto(`${house.origin}/containers/new?image=busybox`)
  await page.locator('#command').fill("sh -c 'exit 7'")
  await page.locator('#name').fill('by-call')
  await page.locator('.fold summary').click()
  const code = page.locator('.fold code')
  await code.getByText('by-call').first().waitFor()
  await until('the call follows the form', async () => (await code.innerText()).includes('exit 7'))
  const done = spawnSync('sh', ['-c', await code.innerText()], { encoding: 'utf8' })
  assert.equal(done.status, 0, done.stderr)
  await until('it has run', async () =>
    JSON.parse((await house.api('GET', '/containers/by-call/json')).text).State?.ExitCode === 7)
})

test('the keyboard alone suffices', async () => {
  await page.goto(house.origin)
  await pressTo(page, 'gc', `${house.origin}/containers`)
  await page.keyboard.press('?')
  await page.locator('#shortcuts[open]').waitFor()
  await accessible(page, 'the shortcuts')
  await page.keyboard.press('Escape')
  await page.keyboard.press('j')
  await page.keyboard.press('x')
  await becomes(() => bar().locator('output').innerText(), '1 selected')
  await page.keyboard.press('x')
  await page.keyboard.press('l')
  await page.waitForURL(/\/containers\/\w+\/logs$/)
  await page.keyboard.press('t')
  await page.waitForURL(/\/terminal$/)
})

test('the palette finds a container', async () => {
  await list()
  await page.keyboard.press('Control+k')
  await page.locator('dialog.palette[open]').waitFor()
  await page.keyboard.type('bb-m')
  await page.locator('.palette [aria-selected=true]', { hasText: 'bb-mail' }).waitFor()
  await accessible(page, 'the palette')
  await page.keyboard.press('Enter')
  await page.locator('#container-header h1', { hasText: 'bb-mail' }).waitFor()
})

test('nothing on the way was complained about', () => {
  assert.deepEqual(page.complaints, [])
})
