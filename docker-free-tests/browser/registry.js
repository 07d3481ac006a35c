// A real registry on a loopback port: Debian's docker-registry, with a name and a password.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { until } from './house.js'

/** The name and the password that it knows. */
export const NAME = 'ann'
export const PASSWORD = 'loopback-only'
const PASSWORD_FILE = 'ann:$2y$05$svM0SteJLEDet1JM6ghUw.YiqB47hsR6DXIolds2OIEhLyJyJ1jcC\n'

export class Registry {
  static async start() {
    const registry = new Registry()
    registry.dir = mkdtempSync(path.join(tmpdir(), 'gantry-registry-'))
    const file = (name) => path.join(registry.dir, name)
    writeFileSync(file('passwords'), PASSWORD_FILE)
    const port = await new Promise((resolve, reject) => {
      const server = net.createServer()
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => {
        const { port: free } = server.address()
        server.close(() => resolve(free))
      })
    })
    registry.address = `127.0.0.1:${port}`
    writeFileSync(file('config.yml'), [
      'version: 0.1', 'log: { level: error }', `storage: { filesystem: { rootdirectory: ${file('store')} } }`,
      `http: { addr: "${registry.address}" }`, `auth: { htpasswd: { realm: loopback, path: ${file('passwords')} } }`, '',
    ].join('\n'))
    registry.process = spawn('docker-registry', ['serve', file('config.yml')], { stdio: 'ignore' })
    const failed = new Promise((resolve, reject) => { registry.process.once('error', reject) })
    await Promise.race([failed, until('the registry answers', () => registry.answers())])
    return registry
  }

  answers() {
    return fetch(`http://${this.address}/v2/`).then((answer) => answer.status === 401, () => false)
  }

  /** Has an engine push a name of this registry, past the server; returns the lines of its progress. */
  async pushFrom(house, name) {
    const auth = Buffer.from(JSON.stringify({ username: NAME, password: PASSWORD, serveraddress: this.address }))
    const [repository, tag] = [name.slice(0, name.lastIndexOf(':')), name.slice(name.lastIndexOf(':') + 1)]
    const headers = { 'x-registry-auth': auth.toString('base64url') }
    const pushed = await house.api('POST', `/images/${repository}/push?tag=${tag}`, undefined, undefined, headers)
    return pushed.text
  }

  async kill() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const ended = new Promise((resolve) => { this.process.once('exit', resolve) })
    this.process.kill('SIGKILL')
    await ended
  }

  async stop() {
    await this.kill()
    rmSync(this.dir, { recursive: true, force: true })
  }
}
