// The files of a container: looked through, read, edited, put in and taken away; and what it changed.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, PASSWORD, becomeOwner, becomes, browser, logIn, openKnown, tab, until } from '../house.js'

const MAKE = [
  'mkdir -p /app/sub /app/many; cd /app',
  "printf 'listen 80\\n' > app.conf; chmod 640 app.conf; chown 1000:33 app.conf",
  "printf '<script>alert(1)</script><b>bold</b>\\n' > page.html",
  "printf 'a\\0b' > data.bin; mkfifo pipe; ln -s app.conf current; ln -s nowhere broken",
  "touch \"$(printf '<img src=x onerror=alert(1)>\\nsecond line')\" \"$(printf 'caf\\351')\"",
  "cd many; seq -w 1 150 | sed s/^/f/ | xargs touch; rm /bin/wget; touch /ready; sleep 1000",
].join('; ')

let house
let chrome
let page
let id
let folder

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'gantry-files-'))
  house = await House.start()
  chrome = await browser()
  page = await tab(chrome)
  await becomeOwner(page, house)
  await house.loadBusybox()
  id = await house.run('box', MAKE)
  const ready = () => house.api('HEAD', `/containers/box/archive?path=/ready`).then((answer) => answer.status === 200)
  await until('the files are there', ready)
  await openKnown(page, `${house.origin}/containers/${id}`)
})

after(async () => {
  await chrome?.close()
  await house?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const files = (where) => `${house.origin}/containers/${id}/files?path=${encodeURIComponent(where)}`
const row = (name, on = page) => on.locator('.table--files tbody tr', { has: on.getByRole('link', { name, exact: true }) })

/** What a command inside the container says. */
async function inside(script) {
  const body = { AttachStdout: true, AttachStderr: true, Tty: true, Cmd: ['sh', '-c', script] }
  const exec = JSON.parse((await house.api('POST', '/containers/box/exec', body)).text).Id
  const started = await house.api('POST', `/exec/${exec}/start`, { Detach: false, Tty: true })
  return started.text.replaceAll('\r\n', '\n')
}

/** A file of this machine, to be uploaded. */
function local(name, content) {
  const file = path.join(folder, name)
  writeFileSync(file, content)
  return file
}

test('one walks from the tab to a folder and back', async () => {
  await page.getByRole('navigation', { name: 'box' }).getByRole('link', { name: 'Files' }).click()
  await page.waitForURL(/\/files$/)
  await row('app').getByRole('link', { name: 'app', exact: true }).click()
  await row('sub').getByRole('link', { name: 'sub', exact: true }).click()
  await page.getByText('This folder is empty').waitFor()
  await page.getByRole('navigation', { name: 'Path' }).getByRole('link', { name: 'app' }).click()
  await becomes(() => row('app.conf').locator('td').nth(3).innerText(), '-rw-r-----')
  await becomes(() => row('app.conf').locator('td').nth(2).innerText(), '10 B')
  await becomes(() => row('pipe').locator('td').nth(1).innerText(), 'pipe')
  await becomes(() => row('current').locator('.file__link').innerText(), '→ app.conf')
  await accessible(page, 'a folder')
  assert.deepEqual(page.complaints, [])
})

test('a folder is sorted, filtered and turned page by page', async () => {
  await page.goto(files('/app/many'))
  const first = () => page.locator('.table--files tbody tr').nth(1).locator('.file__name').innerText()
  await becomes(first, 'f001')
  await page.getByRole('link', { name: 'Next page' }).click()
  await becomes(first, 'f101')
  await page.goto(files('/app/many'))
  await page.getByRole('columnheader', { name: 'Name' }).getByRole('link').click()
  await becomes(first, 'f150')
  await page.locator('#filter').fill('F07')
  await becomes(() => page.locator('.table--files tbody .file__name').count(), 11)
  await page.waitForURL(/path=%2Fapp%2Fmany/)
  await page.locator('#filter').fill('no such name')
  await page.getByText('No name fits this filter').waitFor()
})

test('the keyboard alone opens a file', async () => {
  await page.goto(files('/app'))
  await page.keyboard.press('j')
  await becomes(() => page.evaluate(() => document.activeElement.textContent), '..')
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.waitForURL(/path=%2Fapp%2Fmany$/)
})

test('names and texts of the container are shown and never run', async () => {
  await page.goto(files('/app'))
  await page.getByRole('link', { name: '<img src=x onerror=alert(1)>␊second line', exact: true }).click()
  await page.locator('.list-head').getByRole('link', { name: 'Edit' }).waitFor()
  await page.goto(files('/app'))
  const odd = page.locator('.table--files tbody tr', { hasText: 'No path leads to this name' })
  await becomes(() => odd.locator('.file__name').innerText(), 'caf\ufffd')
  assert.equal(await odd.getByRole('link').count(), 0)
  await row('page.html').getByRole('link', { name: 'page.html', exact: true }).click()
  await page.locator('pre', { hasText: '<script>alert(1)</script><b>bold</b>' }).waitFor()
  await accessible(page, 'a file')
  assert.deepEqual(page.complaints, [])
})

test('what is no text is said, and a link leads on', async () => {
  await page.goto(files('/app/data.bin'))
  await page.getByText('This file is not text').waitFor()
  await page.goto(files('/app/pipe'))
  await page.getByText('it is a pipe').waitFor()
  await page.goto(files('/app/broken'))
  await page.getByText('where nothing is').waitFor()
  await page.goto(files('/proc/1'))
  await page.getByText('belongs to the kernel').waitFor()
  await page.goto(files('/app/current'))
  await page.waitForURL(/path=%2Fapp%2Fapp\.conf$/)
  await page.locator('pre', { hasText: 'listen 80' }).waitFor()
})

test('an edited text is saved, with the owner and the bits it had', async () => {
  await page.goto(files('/app/app.conf'))
  await page.locator('.list-head').getByRole('link', { name: 'Edit' }).click()
  await page.getByLabel('Text of the file').fill('\nlisten 81\nname 한국어 <b>\n')
  await accessible(page, 'the editor')
  await page.keyboard.press('Control+s')
  await page.getByText('/app/app.conf saved.').waitFor()
  assert.equal(await inside("cat /app/app.conf; stat -c '%a %u %g' /app/app.conf"), '\nlisten 81\nname 한국어 <b>\n640 1000 33\n')
  // The line that begins the text is one, not none and not two.
  await page.locator('.list-head').getByRole('link', { name: 'Edit' }).click()
  await becomes(() => page.getByLabel('Text of the file').inputValue(), '\nlisten 81\nname 한국어 <b>\n')
})

test('what somebody else wrote meanwhile is not lost, nor is what was typed', async () => {
  await page.goto(`${files('/app/app.conf')}&edit=on`)
  await page.getByLabel('Text of the file').fill('mine\n')
  await inside("echo theirs > /app/app.conf")
  page.complaints.length = 0
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Somebody else has changed this file').waitFor()
  await becomes(() => page.getByLabel('Text of the file').inputValue(), 'mine\n')
  assert.equal(await inside('cat /app/app.conf'), 'theirs\n')
  await accessible(page, 'a conflict')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Somebody else has changed this file').waitFor()
  await page.getByRole('button', { name: 'Overwrite' }).click()
  await page.getByText('/app/app.conf saved.').waitFor()
  assert.equal(await inside('cat /app/app.conf'), 'mine\n')
  assert.ok(page.complaints.every((text) => /409/.test(text)), page.complaints.join('\n'))
})

test('files are uploaded, and replace others only when that is meant', async () => {
  await page.goto(files('/app/sub'))
  await page.locator('.section summary', { hasText: 'Upload files' }).click()
  await page.locator('#files').setInputFiles([local('one.txt', 'first'), local('two & 둘.bin', Buffer.alloc(3 << 20, 7))])
  await page.getByRole('button', { name: 'Upload', exact: true }).click()
  await becomes(() => page.locator('.upload[data-state=done]').count(), 2)
  await row('one.txt').waitFor()
  assert.equal(await inside("cat '/app/sub/one.txt'; stat -c ' %s %a' '/app/sub/two & 둘.bin'"), 'first 3145728 644\n')
  await accessible(page, 'uploads')

  page.complaints.length = 0
  await page.locator('#files').setInputFiles(local('one.txt', 'second'))
  await page.getByRole('button', { name: 'Upload', exact: true }).click()
  const again = page.getByRole('button', { name: 'Replace: one.txt' })
  await again.waitFor()
  assert.equal(await inside('cat /app/sub/one.txt'), 'first')
  await again.click()
  await becomes(() => page.locator('.upload[data-state=done]').count(), 3)
  assert.equal(await inside('cat /app/sub/one.txt'), 'second')
  assert.ok(page.complaints.every((text) => /409/.test(text)), page.complaints.join('\n'))
})

test('a file that is dropped on the list is uploaded', async () => {
  await page.goto(files('/app/sub'))
  const dropped = await page.evaluateHandle(() => {
    const transfer = new DataTransfer()
    transfer.items.add(new File(['dropped'], 'dropped.txt'))
    return transfer
  })
  await page.locator('main').dispatchEvent('drop', { dataTransfer: dropped })
  await row('dropped.txt').waitFor()
  assert.equal(await inside('cat /app/sub/dropped.txt'), 'dropped')
})

test('an upload that is cancelled leaves nothing half', async () => {
  await page.goto(files('/app/sub'))
  // It stands still on its way, as on a slow line.
  await page.route('**/files/put?*', (route) => (route.request().url().includes('check=') ? route.continue() : undefined))
  await page.locator('.section summary', { hasText: 'Upload files' }).click()
  await page.locator('#files').setInputFiles(local('slow.txt', 'slow'))
  await page.getByRole('button', { name: 'Upload', exact: true }).click()
  await page.getByRole('button', { name: 'Cancel: slow.txt' }).click()
  await becomes(() => page.locator('.upload[data-state=cancelled]').count(), 1)
  await page.unroute('**/files/put?*')
  assert.equal(await inside('ls -A /app/sub | grep -c slow'), '0\n')
})

test('a folder is made, and a name that is taken is refused beside its field', async () => {
  await page.goto(files('/app'))
  await page.locator('.section summary', { hasText: 'New folder' }).click()
  await page.locator('#name').fill('fresh')
  await page.getByRole('button', { name: 'Make folder' }).click()
  await page.getByText('Folder fresh made.').waitFor()
  await row('fresh').waitFor()
  page.complaints.length = 0
  await page.locator('.section summary', { hasText: 'New folder' }).click()
  await page.locator('#name').fill('fresh')
  await page.getByRole('button', { name: 'Make folder' }).click()
  await page.locator('#name-error', { hasText: 'has this name already' }).waitFor()
  await becomes(() => page.locator('#name').inputValue(), 'fresh')
  assert.ok(page.complaints.every((text) => /422/.test(text)), page.complaints.join('\n'))
})

test('a file is taken away as itself and never shown, a folder as an archive', async () => {
  await page.goto(files('/app'))
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    row('page.html').getByRole('link', { name: 'Download: page.html' }).click(),
  ])
  assert.equal(file.suggestedFilename(), 'page.html')
  const answer = await page.request.get(`${house.origin}/containers/${id}/files/download?path=/app/page.html`)
  assert.equal(await answer.text(), '<script>alert(1)</script><b>bold</b>\n')
  const headers = answer.headers()
  assert.equal(headers['content-type'], 'application/octet-stream')
  assert.equal(headers['x-content-type-options'], 'nosniff')
  assert.match(headers['content-disposition'], /^attachment; filename="page\.html"/)
  assert.match(headers['content-security-policy'], /sandbox/)
  const archive = await page.request.get(`${house.origin}/containers/${id}/files/download?path=/app/many`)
  assert.match(archive.headers()['content-disposition'], /filename="many\.tar"/)
  assert.match((await archive.body()).toString('latin1'), /many\/f001/)
  await page.goto(`${house.origin}/audit`)
  await page.locator('tr', { hasText: 'container.files.download' }).filter({ hasText: '/app/many' }).first().waitFor()
})

test('it all works without scripts', async () => {
  const plain = await tab(chrome, { javaScriptEnabled: false })
  await logIn(plain, house, 'olga')
  await plain.goto(files('/app'))
  await row('app.conf', plain).getByRole('link', { name: 'app.conf', exact: true }).click()
  await plain.locator('.list-head').getByRole('link', { name: 'Edit' }).click()
  await plain.getByLabel('Text of the file').fill('plain\n')
  await plain.getByRole('button', { name: 'Save' }).click()
  await plain.getByText('/app/app.conf saved.').waitFor()
  assert.equal(await inside('cat /app/app.conf'), 'plain\n')
  await plain.goto(files('/app/sub'))
  await plain.locator('.section summary', { hasText: 'Upload files' }).click()
  await plain.locator('#files').setInputFiles([local('form-1.txt', '1'), local('form-2.txt', '2')])
  await plain.getByRole('button', { name: 'Upload', exact: true }).click()
  await plain.getByText('Uploaded: form-1.txt, form-2.txt.').waitFor()
  assert.equal(await inside('cat /app/sub/form-1.txt /app/sub/form-2.txt'), '12')
  await plain.locator('.section summary', { hasText: 'Upload files' }).click()
  await plain.locator('#files').setInputFiles(local('form-1.txt', 'other'))
  await plain.getByRole('button', { name: 'Upload', exact: true }).click()
  await plain.locator('#files-error', { hasText: 'has this name already' }).waitFor()
  await plain.context().close()
})

test('what the container changed is listed and leads to its files', async () => {
  await page.goto(`${house.origin}/containers/${id}/changes`)
  const change = (text) => page.locator('tbody tr', { hasText: text })
  await change('/bin/wget').getByText('Deleted').waitFor()
  await change('/app/app.conf').getByText('Added').waitFor()
  await accessible(page, 'the changes')
  await page.locator('#filter').fill('kind:deleted')
  await becomes(() => page.locator('tbody tr').count(), 1)
  await page.locator('#filter').fill('app.conf')
  await becomes(() => page.locator('tbody tr').count(), 1)
  await change('app.conf').getByRole('link', { name: 'app.conf' }).click()
  await page.locator('pre', { hasText: 'plain' }).waitFor()
})

test('whoever may only look sees no file', async () => {
  await page.goto(`${house.origin}/people`)
  await page.locator('main #name').fill('vera')
  for (const field of await page.locator('main input[type=password]').all()) await field.fill(PASSWORD)
  await page.locator('main #role').selectOption('viewer')
  await page.locator('main form button.button--primary').click()
  await page.getByRole('cell', { name: 'vera' }).waitFor()
  const viewer = await tab(chrome)
  await logIn(viewer, house, 'vera')
  for (const part of ['files?path=/app/app.conf', 'files/download?path=/app/app.conf', 'changes']) {
    assert.equal((await viewer.request.get(`${house.origin}/containers/${id}/${part}`)).status(), 403, part)
  }
  await viewer.context().close()
})

test('the files of one that does not run are there, and of a read-only root nothing is offered', async () => {
  await house.api('POST', '/containers/box/kill')
  await until('the page knows that it ended', async () => {
    await page.goto(files('/app'))
    return page.getByText('These are the files that its next start will find').count()
  })
  await row('app.conf').waitFor()
  const locked = await house.run('locked', 'sleep 1000', { HostConfig: { ReadonlyRootfs: true } })
  await openKnown(page, `${house.origin}/containers/${locked}/files?path=/etc`)
  await page.getByText('Nothing can be written here').waitFor()
  assert.equal(await page.locator('file-drop').count(), 0)
})
