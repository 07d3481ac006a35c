// Images: one is taken away as an archive and brought back, and what nothing needs goes.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, becomeOwner, becomes, browser, openKnown, tab } from '../house.js'

let house
let chrome
let page

before(async () => {
  house = await House.start()
  await house.loadBusybox()
  chrome = await browser()
  page = await tab(chrome)
  await becomeOwner(page, house)
})

after(async () => {
  await chrome?.close()
  await house?.stop()
})

const image = async (name) => {
  const answer = await house.api('GET', `/images/${name}/json`)
  return answer.status === 200 ? JSON.parse(answer.text) : null
}

test('an image is taken away as an archive that names it, and comes back from it', async () => {
  await house.api('POST', '/images/busybox/tag?repo=team/app&tag=2')
  const { Id: id } = await image('team/app:2')
  await openKnown(page, `${house.origin}/images/${encodeURIComponent(id)}`, 'team/app:2')
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Save as archive' }).click(),
  ])
  assert.match(file.suggestedFilename(), /\.tar$/)
  const archive = await file.path()
  const gone = await house.api('DELETE', '/images/team/app:2?force=1')
  assert.equal(gone.status, 200)
  assert.equal(await image('team/app:2'), null)

  await page.goto(`${house.origin}/images`)
  await page.locator('summary', { hasText: 'Load from a file' }).click()
  await page.locator('input[type=file]').setInputFiles(archive)
  await page.getByRole('button', { name: 'Load', exact: true }).click()
  await page.locator('main .badge', { hasText: 'Done' }).waitFor()
  assert.equal((await image('team/app:2')).Id, id)

  await page.goto(`${house.origin}/audit`)
  await page.locator('tbody tr', { hasText: 'image.save' }).first().waitFor()
})

test('what nothing needs is shown with what it frees, and goes', async () => {
  await house.run('up', 'dd if=/dev/zero of=/root/big bs=1M count=3 2>/dev/null; touch /root/whole; while :; do sleep 1; done')
  await becomes(async () => (await house.api('HEAD', '/containers/up/archive?path=/root/whole')).status, 200)
  await house.api('POST', '/commit?container=up&repo=left&tag=over')
  await house.api('POST', '/commit?container=up')
  await house.api('DELETE', '/images/gantry/hello')

  await page.goto(`${house.origin}/images`)
  await page.getByRole('link', { name: 'Remove unused' }).click()
  await page.getByText('This frees 3').waitFor()
  await page.locator('tbody tr', { hasText: 'left:over' }).waitFor()
  // A container is made of it.
  assert.equal(await page.locator('tbody tr', { hasText: 'busybox' }).count(), 0)
  await accessible(page, 'the images that nothing needs')

  await page.getByRole('link', { name: 'Without a name' }).click()
  await page.getByRole('button', { name: 'Remove 1 image', exact: true }).click()
  await page.getByText('this freed 0 B').waitFor()
  assert.notEqual(await image('left:over'), null)

  await page.getByRole('link', { name: 'Remove unused' }).click()
  await page.getByRole('button', { name: /^Remove \d+ image/ }).click()
  await page.getByText(/this freed 3/).waitFor()
  assert.equal(await image('left:over'), null)
  assert.notEqual(await image('busybox'), null)

  await page.goto(`${house.origin}/images/prune`)
  await page.getByText('Nothing to remove').waitFor()
  await page.goto(`${house.origin}/audit`)
  await becomes(() => page.locator('tbody tr', { hasText: 'which=unused' }).count(), 1)
})
