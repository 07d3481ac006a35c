// A server and an engine of a test's own, from the built binaries, and a browser to look at them.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, rmdirSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'

import { chromium } from 'playwright-core'

const here = path.dirname(fileURLToPath(import.meta.url))
const root = path.dirname(path.dirname(here))
const binaries = process.env.GANTRY_BIN_DIR ??
  path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, 'target'), 'debug')

export const OUT = path.join(root, 'docker-free-tests', 'out')
export const PASSWORD = 'correct horse battery staple'
const PATIENCE_MS = 30_000

/** Looks again and again until `fact` gives something. */
export async function until(what, fact) {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const value = await fact()
    if (value) return value
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** What `read` gives becomes `wanted`: a page follows what happened, it is not there at once. */
export async function becomes(read, wanted) {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const value = await read()
    if (isDeepStrictEqual(value, wanted)) return
    if (Date.now() > deadline) assert.deepEqual(value, wanted)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function program(name) {
  const file = path.join(binaries, name)
  if (!existsSync(file)) throw new Error(`${file} is missing: cargo build --workspace --bins`)
  return file
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** An engine with a server before it. Everything is below one temporary directory. */
export class House {
  static async start() {
    const house = new House()
    house.dir = mkdtempSync(path.join(tmpdir(), 'gantry-browser-'))
    // The server gives up root before it opens its data.
    chmodSync(house.dir, 0o755)
    house.socket = path.join(house.dir, 'engine.sock')
    house.parent = `gantry-browser-${process.pid}`
    house.network = ['--bridge', `gb${process.pid}`, '--default-address-pool', `base=10.${process.pid % 256}.0.0/16,size=20`]
    house.startEngine()
    await until('the engine answers', () => house.engineAnswers())
    house.port = await freePort()
    house.origin = `http://127.0.0.1:${house.port}`
    await house.startServer()
    return house
  }

  startEngine() {
    const log = openSync(path.join(this.dir, 'engine.log'), 'a')
    this.engine = spawn(program('gantry-engine'), [
      'serve', '--socket', this.socket, '--data', path.join(this.dir, 'engine'),
      '--run', path.join(this.dir, 'run'), '--cgroup-parent', this.parent,
      ...this.network,
    ], { stdio: ['ignore', log, log] })
  }

  async startServer() {
    const log = openSync(path.join(this.dir, 'server.log'), 'a')
    this.server = spawn(program('gantry'), [
      'serve', '--no-engine', '--listen', `127.0.0.1:${this.port}`, '--data', path.join(this.dir, 'server'),
      '--engine-socket', this.socket,
    ], { stdio: ['ignore', log, log] })
    await until('the server answers', () => fetch(`${this.origin}/login`).then(() => true, () => false))
  }

  /** Kills a process of ours as a crash would, and waits for its end. */
  async kill(child) {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
  }

  log(name) {
    return readFileSync(path.join(this.dir, name), 'utf8')
  }

  setUpLink() {
    return until('the set-up link is printed', () => this.log('server.log').match(/http\S+\/setup\/\S+/)?.[0])
  }

  engineAnswers() {
    return this.api('GET', '/_ping').then((answer) => answer.status === 200, () => false)
  }

  /** Asks the engine, past the server. */
  api(method, url, body, type = 'application/json', more = {}) {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': type, ...more }
      const request = http.request({ socketPath: this.socket, method, path: url, headers })
      request.once('error', reject)
      request.once('response', (response) => {
        const chunks = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.once('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }))
      })
      request.end(Buffer.isBuffer(body) || body === undefined ? body : JSON.stringify(body))
    })
  }

  /** The busybox image, as an archive. */
  static busybox() {
    const made = spawnSync(program('busybox-image'), { maxBuffer: 64 * 1024 * 1024 })
    if (made.status !== 0) throw new Error(made.stderr.toString())
    return made.stdout
  }

  async loadBusybox() {
    const answer = await this.api('POST', '/images/load', House.busybox(), 'application/x-tar')
    if (answer.status !== 200 || answer.text.includes('errorDetail')) throw new Error(answer.text)
  }

  async run(name, script, more = {}) {
    const created = await this.api('POST', `/containers/create?name=${name}`, {
      Image: 'busybox', Cmd: ['sh', '-c', script], ...more,
    })
    if (created.status !== 201) throw new Error(created.text)
    const started = await this.api('POST', `/containers/${name}/start`)
    if (started.status !== 204) throw new Error(started.text)
    return JSON.parse(created.text).Id
  }

  async stop() {
    if (!(await this.engineAnswers())) {
      await this.kill(this.engine)
      this.startEngine()
      await until('the engine answers', () => this.engineAnswers())
    }
    const all = JSON.parse((await this.api('GET', '/containers/json?all=1')).text)
    for (const container of all) await this.api('DELETE', `/containers/${container.Id}?force=1`)
    await this.kill(this.server)
    await this.kill(this.engine)
    for (const name of readdirSync('/sys/fs/cgroup')) {
      const group = path.join('/sys/fs/cgroup', name, this.parent)
      if (existsSync(group)) rmdirSync(group)
    }
    spawnSync(program('gantry-engine'), [
      'leave-network', '--socket', this.socket, '--data', path.join(this.dir, 'engine'),
      '--run', path.join(this.dir, 'run'), ...this.network,
    ])
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** A fresh browser profile. */
export function browser() {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
  if (!executablePath) throw new Error('chromium is not installed; docker-free-tests/run installs it')
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
    ],
  })
}

/** A tab that fails its test when a script throws or the page breaks its own content policy. */
export async function tab(chrome, options = {}) {
  const context = await chrome.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options })
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  page.complaints = []
  page.on('pageerror', (error) => page.complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') page.complaints.push(`${message.text()} ${message.location().url}`)
  })
  if (options.javaScriptEnabled === false) {
    const go = page.goto.bind(page)
    page.goto = (...args) => goes(() => go(...args))
    return page
  }
  for (const way of ['goto', 'reload']) {
    const go = page[way].bind(page)
    page[way] = async (...args) => {
      const answer = await goes(() => go(...args))
      await page.waitForFunction(everyElementLives)
      return answer
    }
  }
  page.waitForURL = async (address) => {
    await arrives(page, address)
    await page.waitForFunction(everyElementLives)
  }
  return page
}

/** Goes somewhere, though the page may be on its way somewhere else by itself. */
async function goes(go) {
  for (let n = 0; n < 3; n += 1) {
    try {
      return await go()
    } catch (error) {
      if (!/ERR_ABORTED|interrupted by another navigation/.test(error.message)) throw error
    }
  }
  return go()
}

/** The page comes to be at an address, however many ways led there: two at once end each other. */
export async function arrives(page, address) {
  const fits = (url) => (address instanceof RegExp ? address.test(url) : url === address)
  await until(`${page.url()} becomes ${address}`, () => fits(page.url()))
  await page.waitForLoadState()
}

/** Nothing of the page lies beside the window, as soon as everything has its place. */
export function fits(page, what) {
  return until(`${what} is no wider than the window`, () =>
    page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth))
}

/** The elements' files come behind the page's load; a person is never as quick as a test. */
function everyElementLives() {
  return [...document.querySelectorAll(':not(:defined)')].every((element) => element.localName === 'live-part')
}

/** Presses two keys that lead somewhere when they come soon after each other: a loaded machine may be late. */
export async function pressTo(page, [first, second], address) {
  await until(`${first} ${second} leads to ${address}`, async () => {
    await page.keyboard.press(first)
    await page.keyboard.press(second)
    const soon = Date.now() + 3_000
    while (page.url() !== address && Date.now() < soon) await new Promise((resolve) => setTimeout(resolve, 20))
    return page.url() === address
  })
  await page.waitForURL(address)
}

export async function logIn(page, house, name, password = PASSWORD) {
  await page.goto(`${house.origin}/login`)
  await page.locator('#name').fill(name)
  await page.locator('#password').fill(password)
  await page.locator('main form button.button--primary').click()
  await page.waitForURL(`${house.origin}/`)
}

/** Makes the first person of a house its owner, by the printed link. */
export async function becomeOwner(page, house, name = 'olga') {
  await page.goto(await house.setUpLink())
  await page.locator('#name').fill(name)
  for (const field of await page.locator('input[type=password]').all()) await field.fill(PASSWORD)
  await page.locator('main form button.button--primary').click()
  await page.waitForURL(`${house.origin}/`)
}

/** Opens a page about something that was made past the server, as soon as the server has heard of it. */
export async function openKnown(page, address, text = '') {
  await until(`${address} says ${text}`, async () => {
    const answer = await page.request.get(address)
    return answer.ok() && (await answer.text()).includes(text)
  })
  await page.goto(address)
}
