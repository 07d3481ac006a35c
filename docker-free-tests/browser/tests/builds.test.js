// Builds: a Dockerfile is typed, its typo marked and mended, built with a folder that is dropped, watched.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, OUT, PASSWORD, arrives, becomeOwner, becomes, browser, fits, logIn, openKnown, tab } from '../house.js'

let house
let chrome
let page
let folder

before(async () => {
  house = await House.start()
  await house.loadBusybox()
  folder = mkdtempSync(path.join(tmpdir(), 'gantry-context-'))
  mkdirSync(path.join(folder, 'site', 'deep'), { recursive: true })
  writeFileSync(path.join(folder, 'site', 'deep', 'page.txt'), 'the page itself')
  writeFileSync(path.join(folder, 'site', `${'long-'.repeat(25)}이름.txt`), 'a long name')
  chrome = await browser()
  page = await tab(chrome)
  await becomeOwner(page, house)
})

after(async () => {
  await chrome?.close()
  await house?.stop()
  if (folder) rmSync(folder, { recursive: true, force: true })
})

/** Drops a path of this machine on the page, as a hand does. */
async function drop(on, file) {
  const session = await on.context().newCDPSession(on)
  const data = { items: [], files: [file], dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data })
  await session.detach()
}

const badges = (on) => on.locator('.build-step__head .badge').allInnerTexts()

/** What a container of an image says. */
async function said(image) {
  const made = await house.api('POST', '/containers/create', { Image: image })
  const { Id: id } = JSON.parse(made.text)
  await house.api('POST', `/containers/${id}/start`)
  await house.api('POST', `/containers/${id}/wait`)
  const { text } = await house.api('GET', `/containers/${id}/logs?stdout=1`)
  await house.api('DELETE', `/containers/${id}?force=1`)
  return text
}

test('a typo is marked at its line with what was meant, and goes when it is mended', async () => {
  await page.goto(`${house.origin}/images`)
  await page.getByRole('link', { name: 'Build', exact: true }).click()
  await page.waitForURL(`${house.origin}/images/builds/new`)
  const editor = page.getByLabel('Dockerfile', { exact: true })
  await editor.fill('FROM busybox AS base\nRUNN true\nCOPY --chwon=1 a /b\n')

  await becomes(() => page.locator('.faults__place').allInnerTexts(), ['Line 2, column 1', 'Line 3, column 6'])
  await becomes(() => page.locator('.dockerfile__numbers [data-wrong]').allInnerTexts(), ['2', '3'])
  await becomes(() => page.locator('.faults__meant').allInnerTexts(), ['Did you mean RUN?', 'Did you mean --chown?'])
  await accessible(page, 'the build form with faults')
  await page.screenshot({ path: path.join(OUT, 'build-faults.png') })
  await page.locator('.faults__place').first().click()
  await becomes(() => editor.evaluate((text) => text.value.slice(text.selectionStart, text.selectionEnd)), 'RUNN true')

  // A Tab indents; after Escape it leaves.
  await editor.press('End')
  await editor.press('Tab')
  await becomes(async () => (await editor.inputValue()).includes('RUNN true    \n'), true)
  await editor.press('Escape')
  await editor.press('Tab')
  await becomes(() => editor.evaluate((text) => document.activeElement === text), false)

  await editor.fill('FROM busybox AS base\nRUN true\n')
  await page.getByText('It reads well: one stage.').waitFor()
  await becomes(() => page.locator('.dockerfile__numbers [data-wrong]').count(), 0)
  await becomes(() => page.locator('#build-stages option').evaluateAll((all) => all.map((one) => one.value)), ['base'])
})

test('what could not be checked is said, and nothing of an older answer stays', async () => {
  const cut = await tab(chrome, { storageState: await page.context().storageState() })
  await cut.goto(`${house.origin}/images/builds/new`)
  await cut.locator('#dockerfile').fill('FROM busybox\nRUNN true\n')
  await becomes(() => cut.locator('.dockerfile__numbers [data-wrong]').allInnerTexts(), ['2'])
  await cut.route('**/images/builds/new/check', (route) => route.abort())
  await cut.locator('#dockerfile').fill('FROM busybox\nRUNN true\n\n')
  await cut.getByText('What is typed could not be checked.').waitFor()
  assert.equal(await cut.locator('.dockerfile__numbers [data-wrong]').count(), 0)
  assert.equal(await cut.locator('.faults__one').count(), 0)
  await cut.unroute('**/images/builds/new/check')
  await cut.locator('#dockerfile').fill('FROM busybox\nRUNN true\n')
  await becomes(() => cut.locator('.faults__meant').allInnerTexts(), ['Did you mean RUN?'])
  await cut.context().close()
})

const DOCKERFILE = `FROM busybox

COPY . /site
RUN printf '\\033[31mred <b>\\033[0m\\n'; ls /site/deep
CMD cat /site/deep/page.txt /site/long-*이름.txt
`

/** Builds what is dropped, under a name. */
async function build(name, dockerfile) {
  await page.goto(`${house.origin}/images/builds/new`)
  await page.locator('#reference').fill(name)
  await page.locator('#dockerfile').fill(dockerfile)
  await drop(page, path.join(folder, 'site'))
  await page.locator('[data-part=chosen]', { hasText: '2 files' }).waitFor()
  await page.locator('form-command code', { hasText: `docker build --tag ${name}` }).first().waitFor()
  await page.getByRole('button', { name: 'Build', exact: true }).click()
  await page.waitForURL(/\/jobs\//)
}

test('a dropped folder is built step by step, and the second time from the cache', async () => {
  await build('site:1', DOCKERFILE)
  await becomes(() => badges(page), ['Done', 'Done', 'Done', 'Done'])
  await page.locator('main .job .badge', { hasText: 'Done' }).waitFor()
  const third = page.locator('.build-step').nth(2)
  if (!(await third.evaluate((step) => step.open))) await third.locator('summary').click()
  await becomes(() => third.locator('pre').innerText(), 'red <b>\npage.txt\n')
  await accessible(page, 'a build')
  await page.screenshot({ path: path.join(OUT, 'build-done.png') })
  assert.match(await said('site:1'), /the page itselfa long name$/)

  await build('site:2', DOCKERFILE)
  await becomes(() => badges(page), ['Done', 'From the cache', 'From the cache', 'From the cache'])
  await page.locator('main .job__note', { hasText: 'in 4 steps, 3 from the cache' }).waitFor()
  const open = await page.getByRole('link', { name: 'Open the image' }).getAttribute('href')
  const run = page.getByRole('link', { name: 'Run', exact: true })
  assert.equal(await run.getAttribute('href'), '/containers/new?image=site:2')
  await run.click()
  await page.waitForURL(`${house.origin}/containers/new?image=site:2`)
  await becomes(() => page.locator('#image').inputValue(), 'site:2')
  await openKnown(page, `${house.origin}${open}`, 'site:2')
  await page.getByRole('heading', { name: /site:[12]/ }).waitFor()
  await page.goto(`${house.origin}/audit`)
  await page.locator('tbody tr', { hasText: 'image.build' }).first().waitFor()
})

test('steps are seen while they go on, and one that fails says which line', async () => {
  await page.goto(`${house.origin}/images/builds/new`)
  await page.locator('#reference').fill('never')
  const waits = 'RUN --mount=type=cache,target=/c,id=gate echo waiting; while [ ! -e /c/open ]; do sleep 0.05; done'
  await page.locator('#dockerfile').fill(`FROM busybox\n${waits}\n\nRUN echo before; exit 7\nRUN echo never\n`)
  await page.getByRole('button', { name: 'Build', exact: true }).click()
  await page.waitForURL(/\/jobs\//)
  await becomes(() => badges(page), ['Done', 'Running', 'To come', 'To come'])
  await page.locator('.build-step__output', { hasText: 'waiting' }).waitFor()
  await page.screenshot({ path: path.join(OUT, 'build-going.png') })

  // Another build opens the gate.
  const opens = 'FROM busybox\nRUN --mount=type=cache,target=/c,id=gate touch /c/open\n'
  const opened = await house.api('POST', '/build', Buffer.from(opens), 'application/x-tar')
  assert.match(opened.text, /Successfully built/)
  await becomes(() => badges(page), ['Done', 'Done', 'Failed', 'Not reached'])
  await page.locator('main .job__note', { hasText: 'Step 3, line 4 of the Dockerfile, ended with exit code 7.' }).waitFor()
  await page.locator('.build-step[data-state=failed] .build-step__output', { hasText: 'before' }).waitFor()
  await accessible(page, 'a build that failed')
  await page.screenshot({ path: path.join(OUT, 'build-failed.png') })
})

test('a build is cancelled from its page', async () => {
  await page.goto(`${house.origin}/images/builds/new`)
  await page.locator('#dockerfile').fill('FROM busybox\nRUN echo begun; while :; do sleep 1; done\n')
  await page.getByRole('button', { name: 'Build', exact: true }).click()
  await page.waitForURL(/\/jobs\//)
  await page.locator('.build-step__output', { hasText: 'begun' }).waitFor()
  await page.locator('main').getByRole('button', { name: 'Cancel' }).click()
  await page.locator('main .job .badge', { hasText: 'Cancelled' }).waitFor()
  await becomes(() => badges(page), ['Done', 'Broken off'])
  await becomes(async () => JSON.parse((await house.api('GET', '/containers/json?all=1')).text).length, 0)
})

test('without scripts faults come after the form is sent, and an archive is built', async () => {
  const plain = await tab(chrome, { javaScriptEnabled: false })
  await logIn(plain, house, 'olga', PASSWORD)
  await plain.goto(`${house.origin}/images/builds/new`)
  await plain.locator('#reference').fill('plain:1')
  await plain.locator('#dockerfile').fill('FROM busybox\nCPOY . /\n')
  await plain.getByRole('button', { name: 'Build', exact: true }).click()
  await becomes(() => plain.locator('.faults__place').allInnerTexts(), ['Line 2, column 1'])
  await becomes(() => plain.locator('.faults__meant').allInnerTexts(), ['Did you mean COPY?'])
  await becomes(() => plain.locator('#reference').inputValue(), 'plain:1')
  await becomes(() => plain.locator('#dockerfile').inputValue(), 'FROM busybox\nCPOY . /\n')

  const archive = path.join(folder, 'context.tar.gz')
  assert.equal(spawnSync('tar', ['-czf', archive, '-C', path.join(folder, 'site'), '.']).status, 0)
  await plain.locator('#dockerfile').fill('FROM busybox\nCOPY deep/page.txt /\nCMD cat /page.txt\n')
  await plain.locator('#context').setInputFiles(archive)
  await plain.getByRole('button', { name: 'Build', exact: true }).click()
  await arrives(plain, /\/jobs\//)
  const job = plain.url()
  await becomes(async () => {
    await plain.goto(job)
    return plain.locator('main .job .badge').first().innerText()
  }, 'Done')
  assert.equal((await said('plain:1')).includes('the page itself'), true)
  await plain.context().close()
})

test('on a phone nothing is cut off, in the dark and in Korean', async () => {
  for (const [name, more] of [['phone', {}], ['phone-dark', { colorScheme: 'dark' }], ['phone-korean', { locale: 'ko-KR' }]]) {
    const phone = await tab(chrome, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, ...more })
    await logIn(phone, house, 'olga', PASSWORD)
    await phone.goto(`${house.origin}/images/builds/new`)
    await phone.locator('#dockerfile').fill(`FROM busybox\nRUNN ${'a-long-line '.repeat(20)}\n`)
    await phone.locator('.faults__place').first().waitFor()
    await accessible(phone, `the build form, ${name}`)
    await fits(phone, 'the build form')
    await phone.screenshot({ path: path.join(OUT, `build-${name}.png`), fullPage: true })
    await phone.locator('#dockerfile').fill(`FROM busybox\nRUN echo ${'a-long-word'.repeat(20)}\n`)
    await phone.locator('form[action="/images/builds"]').evaluate((form) => form.requestSubmit())
    await phone.waitForURL(/\/jobs\//)
    await becomes(() => phone.locator('.build-step:is([data-state=done], [data-state=cached])').count(), 2)
    await fits(phone, 'a build')
    await accessible(phone, `a build, ${name}`)
    await phone.screenshot({ path: path.join(OUT, `build-job-${name}.png`), fullPage: true })
    assert.deepEqual(phone.complaints, [])
    await phone.context().close()
  }
  assert.deepEqual(page.complaints, [])
})
