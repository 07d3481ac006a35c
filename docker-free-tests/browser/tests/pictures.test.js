// Every page, wide and on a phone, light and dark, in English and Korean: checked by axe, and kept
// as pictures that a person opens before calling anything done.
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, OUT, PASSWORD, browser, fits, logIn, openKnown, tab, until } from '../house.js'

const FOLDER = path.join(OUT, 'pictures')
const COMMITTED = path.join(path.dirname(OUT), 'pictures', 'containers.png')
const WIDE = { viewport: { width: 1440, height: 900 } }
const MIDDLE = { viewport: { width: 1024, height: 768 } }
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
const LOOKS = [
  { name: 'wide-light', colorScheme: 'light', ...WIDE },
  { name: 'wide-dark', colorScheme: 'dark', ...WIDE },
  { name: 'middle-light', colorScheme: 'light', ...MIDDLE },
  { name: 'phone-light', colorScheme: 'light', ...PHONE },
  { name: 'phone-dark', colorScheme: 'dark', ...PHONE },
  { name: 'wide-korean', colorScheme: 'light', locale: 'ko-KR', ...WIDE },
]

let house
let chrome
let pages

/** An edit that goes back; returns the page of its job. */
async function editThatGoesBack(owner) {
  const id = await house.run('shop-cache', 'while :; do sleep 1; done', { StopTimeout: 1 })
  await openKnown(owner, `${house.origin}/containers/${id}/edit`)
  await owner.locator('#command').fill("sh -c 'echo reading the settings; echo no database at db:5432 >&2; exit 3'")
  await owner.locator('.create__aside button.button--primary').click()
  await owner.locator('.plan button', { hasText: 'Apply' }).click()
  await owner.waitForURL(/\/jobs\//)
  await owner.locator('main .job .badge', { hasText: 'Failed' }).waitFor()
  await house.api('DELETE', `/containers/${id}?force=1`)
  return new URL(owner.url()).pathname
}

/** Keeps a registry that nobody answers for; returns the path of its page. */
async function keepRegistry(owner) {
  await owner.goto(`${house.origin}/registries`)
  await owner.locator('main form [name=name]').fill('Team')
  await owner.locator('main form [name=address]').fill('127.0.0.1:1')
  await owner.locator('main form [name=user]').fill('ci-robot')
  await owner.locator('main form [name=secret]').fill('nobody will ever ask')
  await owner.locator('main form button.button--primary').click()
  return new URL(await owner.getByRole('link', { name: 'Team', exact: true }).getAttribute('href'), house.origin).pathname
}

/** Somebody who guesses until nobody listens any more. */
async function guess() {
  const stranger = await tab(chrome, LOOKS[0])
  for (let n = 0; n < 6; n += 1) {
    await stranger.goto(`${house.origin}/login`)
    await stranger.locator('#name').fill('mallory')
    await stranger.locator('#password').fill('a guess')
    await stranger.locator('main form button.button--primary').click()
    await stranger.locator(n < 5 ? 'text=is wrong' : 'text=Too many').first().waitFor()
  }
  await stranger.context().close()
}

before(async () => {
  mkdirSync(FOLDER, { recursive: true })
  house = await House.start()
  chrome = await browser()
  const owner = await tab(chrome, LOOKS[0])
  await owner.goto(await house.setUpLink())
  await owner.screenshot({ path: path.join(FOLDER, 'setup.wide-light.png') })
  await owner.locator('#name').fill('olga')
  for (const field of await owner.locator('input[type=password]').all()) await field.fill(PASSWORD)
  await owner.locator('main form button.button--primary').click()
  await owner.waitForURL(`${house.origin}/`)
  await owner.goto(`${house.origin}/containers`)
  await accessible(owner, 'the empty list')
  await owner.screenshot({ path: path.join(FOLDER, 'containers-empty.wide-light.png') })

  await house.loadBusybox()
  const job = await editThatGoesBack(owner)
  const registry = await keepRegistry(owner)
  await owner.context().close()
  await guess()
  const colours = "printf '\\033[32mINFO\\033[0m request served in 3 ms\\n\\033[31mERROR\\033[0m upstream timed out\\n'"
  const files = "mkdir -p /srv/app/public; cd /srv/app; echo 'listen 80' > app.conf; ln -s app.conf current; rm /bin/wget; " +
    'mkdir "a name that somebody has thought of without ever looking at it on a phone"; ' +
    'echo > a_name_without_a_place_to_break_that_goes_on_for_longer_than_any_phone_is_wide.tar.gz; '
  const shop = await house.run('shop-web', `${files} while true; do ${colours}; sleep 0.2; done`, {
    Labels: { app: 'shop', tier: 'front' }, Env: ['DATABASE_URL=postgres://shop:secret@db/shop', 'LEVEL=info'],
    HostConfig: { Memory: 256 << 20, NanoCpus: 500_000_000, PidsLimit: 64 },
  })
  await house.run('shop-worker', 'while true; do :; done', { HostConfig: { NanoCpus: 200_000_000 } })
  await house.run('migrate', 'echo migrating; exit 0')
  await house.run('importer', 'echo reading input; echo out of range >&2; exit 3')
  await house.api('POST', '/containers/create?name=hello', { Image: 'gantry/hello', HostConfig: { NetworkMode: 'none' } })
  await house.api('POST', '/containers/hello/start')
  await house.api('POST', '/containers/create?name=spare', { Image: 'busybox' })
  const failed = await until('the importer has ended', async () => {
    const found = JSON.parse((await house.api('GET', '/containers/importer/json')).text)
    return found.State.Status === 'exited' && found.Id
  })
  const image = JSON.parse((await house.api('GET', '/images/busybox/json')).text).Id
  pages = {
    overview: '/', containers: '/containers', 'containers-filtered': '/containers?q=shop', 'container-new': '/containers/new',
    'container-edit': `/containers/${shop}/edit`, 'container-duplicate': `/containers/${shop}/duplicate`,
    container: `/containers/${shop}`, 'container-failed': `/containers/${failed}`, logs: `/containers/${shop}/logs`,
    stats: `/containers/${shop}/stats`, terminal: `/containers/${shop}/terminal`, processes: `/containers/${shop}/processes`,
    files: `/containers/${shop}/files?path=/srv/app`, file: `/containers/${shop}/files?path=/srv/app/app.conf`,
    'file-edit': `/containers/${shop}/files?path=/srv/app/app.conf&edit=on`, changes: `/containers/${shop}/changes`,
    inspect: `/containers/${shop}/inspect`, remove: `/containers/${shop}/remove`, images: '/images', 'images-prune': '/images/prune?which=unused', 'image-build': '/images/builds/new',
    image: `/images/${encodeURIComponent(image)}`, registries: '/registries', registry, 'registry-edit': `${registry}/edit`,
    'registry-remove': `${registry}/remove`, jobs: '/jobs', job, events: '/events', audit: '/audit', people: '/people',
    account: '/account', search: '/search?q=shop', missing: '/containers/0000000000', 'several-logs': `/logs?c=${shop}&c=${failed}`,
  }
})

after(async () => {
  await chrome?.close()
  await house?.stop()
})

/** What must be there before the picture is worth taking. */
const READY = {
  logs: 'log-view .log__line',
  'several-logs': 'log-view .log__line',
  stats: 'stats-view canvas',
  terminal: 'terminal-view .xterm-rows',
  files: '.table--files tbody tr:nth-child(6)',
  file: '.code-block--file pre',
  'file-edit': '.editor__text',
  changes: '.table--files tbody tr',
}

for (const look of LOOKS) {
  test(`every page is fit to be seen: ${look.name}`, async (t) => {
    const page = await tab(chrome, look)
    await page.goto(`${house.origin}/login`)
    await accessible(page, `log-in, ${look.name}`)
    await page.screenshot({ path: path.join(FOLDER, `login.${look.name}.png`) })
    await logIn(page, house, 'olga')
    for (const [name, url] of Object.entries(pages)) {
      await t.test(name, async () => {
        page.complaints.length = 0
        await page.goto(house.origin + url)
        if (READY[name]) await page.locator(READY[name]).first().waitFor()
        if (name === 'containers' && look.viewport === WIDE.viewport) {
          await page.locator('#container-rows tr', { hasText: 'shop-worker' }).getByText(/\d %/).waitFor()
        }
        await page.screenshot({ path: path.join(FOLDER, `${name}.${look.name}.png`) })
        await fits(page, name)
        if (name === 'container-edit') {
          await page.locator('main details').evaluateAll((all) => all.forEach((one) => { one.open = true }))
          await page.screenshot({ path: path.join(FOLDER, `${name}-open.${look.name}.png`), fullPage: true })
        }
        await accessible(page, `${name}, ${look.name}`)
        const missing = name === 'missing' ? /404/ : /^$/
        assert.deepEqual(page.complaints.filter((text) => !missing.test(text)), [])
      })
    }
    await page.context().close()
  })
}

test('the picture of the README is kept', () => {
  const picture = path.join(FOLDER, 'containers.wide-light.png')
  copyFileSync(picture, path.join(OUT, 'containers.png'))
  // What is committed is the same page; `GANTRY_GOLDEN=write` takes the new one.
  if (process.env.GANTRY_GOLDEN === 'write') copyFileSync(picture, COMMITTED)
  assert.ok(statSync(COMMITTED).size <= 300 * 1024)
})
