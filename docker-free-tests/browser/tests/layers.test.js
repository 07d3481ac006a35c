// An image looked through: what its layers did, its files after each, a file read and taken away.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, becomeOwner, becomes, browser, openKnown, tab } from '../house.js'

const FIRST = 'mkdir /d; cd /d; echo first > f; dd if=/dev/zero of=big bs=1024 count=3000 2>/dev/null; '
  + "echo x > '<b>odd'; ln -s f soft; echo gone > old"
const SECOND = 'cd /d; echo later > f; echo 1 > big; rm old; echo new > new'

let house
let chrome
let page
let address

/** Makes an image of what a script does in a container of another. */
async function layer(image, name, script) {
  const body = { Image: image, Cmd: ['sh', '-c', script] }
  const made = await house.api('POST', `/containers/create?name=make-${name}`, body)
  assert.equal(made.status, 201, made.text)
  await house.api('POST', `/containers/make-${name}/start`)
  const ended = await house.api('POST', `/containers/make-${name}/wait`)
  assert.equal(JSON.parse(ended.text).StatusCode, 0)
  const image_ = await house.api('POST', `/commit?container=make-${name}&repo=${name}`)
  assert.equal(image_.status, 201, image_.text)
  await house.api('DELETE', `/containers/make-${name}`)
}

before(async () => {
  house = await House.start()
  await house.loadBusybox()
  await layer('busybox', 'first', FIRST)
  await layer('first', 'second', SECOND)
  const { Id: id } = JSON.parse((await house.api('GET', '/images/second/json')).text)
  address = `${house.origin}/images/${encodeURIComponent(id)}`
  chrome = await browser()
  page = await tab(chrome)
  await becomeOwner(page, house)
})

after(async () => {
  await chrome?.close()
  await house?.stop()
})

test('layers tell what they did, and lead to it', async () => {
  await openKnown(page, address, 'second')
  await page.getByRole('navigation', { name: 'second' }).getByRole('link', { name: 'Layers' }).click()
  const rows = page.getByRole('region', { name: 'Layers' }).locator('tbody tr')
  await becomes(() => rows.count(), 3)
  await rows.nth(2).getByText('~2', { exact: true }).waitFor()
  await rows.nth(2).getByText('−1', { exact: true }).waitFor()
  await rows.nth(1).getByText('2.9 MiB').first().waitFor()
  const wasted = page.getByRole('region', { name: 'Most wasted files' }).locator('tbody tr')
  await wasted.first().getByText('/d/big').waitFor()
  await accessible(page, 'the layers of an image')

  await rows.nth(2).getByRole('link').click()
  await page.getByText('of 3').waitFor()
  await page.getByRole('link', { name: 'd', exact: true }).click()
  const files = page.getByRole('region', { name: 'Files' }).locator('tbody tr')
  await files.filter({ hasText: 'old' }).getByText('Deleted').waitFor()
  await files.filter({ hasText: 'new' }).getByText('Added').waitFor()
  await files.filter({ hasText: 'big' }).getByText('was 2.9 MiB').waitFor()
  await becomes(() => files.filter({ hasText: 'soft' }).count(), 0)
  await page.getByRole('link', { name: 'All', exact: true }).click()
  await files.filter({ hasText: 'soft' }).waitFor()
  await files.filter({ hasText: '<b>odd' }).waitFor()
  await accessible(page, 'a folder of an image')
})

test('a file is read as it was and as it is, and is taken away', async () => {
  await page.goto(`${address}/files?path=%2Fd%2Fsoft&layer=3`)
  // The link led to the file.
  await page.waitForURL(/path=%2Fd%2Ff&layer=3/)
  await page.getByRole('region', { name: 'Text of the file' }).getByText('later').waitFor()
  await page.getByRole('link', { name: 'The layer below' }).click()
  await page.getByRole('region', { name: 'Text of the file' }).getByText('first').waitFor()
  await accessible(page, 'a file of an image')
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Download', exact: true }).click(),
  ])
  assert.equal(file.suggestedFilename(), 'f')
  assert.equal(await readFile(await file.path(), 'utf8'), 'first\n')
  await page.goto(`${address}/files?path=%2Fd%2Ff&layer=1`)
  await page.getByText('There is nothing at /d/f').waitFor()
  await page.goto(`${house.origin}/audit`)
  await becomes(() => page.locator('tbody tr', { hasText: 'image.files.download' }).count(), 1)
})

test('it works without script, by keyboard and on a phone', async () => {
  const plain = await tab(chrome, { javaScriptEnabled: false, storageState: await page.context().storageState() })
  await plain.goto(`${address}/files?path=%2Fd`)
  await plain.getByLabel('Layer', { exact: true }).selectOption('2')
  await plain.getByRole('button', { name: 'Show', exact: true }).click()
  await plain.getByRole('region', { name: 'Files' }).getByRole('link', { name: 'old', exact: true }).waitFor()
  assert.match(plain.url(), /path=%2Fd&layer=2/)
  await plain.context().close()

  await page.goto(`${address}/files?path=%2Fd&layer=3`)
  await page.getByRole('region', { name: 'Files' }).getByRole('link', { name: 'new', exact: true }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('region', { name: 'Text of the file' }).getByText('new').waitFor()

  await page.setViewportSize({ width: 390, height: 844 })
  for (const part of ['layers', 'files?path=%2Fd&layer=3', 'files?path=%2Fd%2Ff']) {
    await page.goto(`${address}/${part}`)
    await page.getByRole('heading', { level: 1 }).waitFor()
    const width = () => page.evaluate(() => document.documentElement.scrollWidth)
    await becomes(width, 390)
  }
})
