// A container's definition by the form: every option when it is made, one more like it, and changes
// in place or by making it anew, with the way back.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { accessible } from '../axe.js'
import { House, becomeOwner, becomes, browser, openKnown, tab, until } from '../house.js'

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

const FOREVER = "sh -c 'trap \"exit 0\" TERM; while :; do sleep 1 & wait $!; done'"

async function inspect(name) {
  const answer = await house.api('GET', `/containers/${name}/json`)
  return answer.status === 200 ? JSON.parse(answer.text) : null
}

const running = async (name) => (await inspect(name))?.State.Running === true

const names = async () => JSON.parse((await house.api('GET', '/containers/json?all=1')).text)
  .map((container) => container.Names[0].slice(1)).sort()

/** Fills fields by their names, and opens the sections that they are in. */
async function fill(target, fields) {
  await target.locator('#create').evaluate((form) => {
    for (const section of form.querySelectorAll('details')) section.open = true
  })
  for (const [name, value] of Object.entries(fields)) {
    const field = target.locator(`#${name}`)
    if (value === true) await field.check()
    else if (await field.evaluate((element) => element.localName === 'select')) await field.selectOption(value)
    else await field.fill(value)
  }
}

/** Makes an empty file in a container. */
async function touch(name, path) {
  const made = await house.api('POST', `/containers/${name}/exec`, { Cmd: ['touch', path] })
  assert.equal(made.status, 201, made.text)
  const started = await house.api('POST', `/exec/${JSON.parse(made.text).Id}/start`, { Detach: true })
  assert.equal(started.status, 200, started.text)
}

const submit = (target) => target.locator('.create__aside button.button--primary').click()

/** The definition, without what every container has of its own. */
function definition({ Config, HostConfig }, id) {
  const config = { ...Config }
  if (id.startsWith(config.Hostname)) delete config.Hostname
  return { config, host: HostConfig }
}

test('every option that the form has is what the engine shows', async () => {
  await page.goto(`${house.origin}/containers/new?image=busybox`)
  await fill(page, {
    name: 'every', command: FOREVER, environment: 'A=1\nB=two words', working_dir: '/tmp', user: '0:0', groups: '44',
    stop_signal: 'SIGINT', stop_timeout: '3', init: true, memory: '64m', cpus: '0.5', pids: '50', oom_score_adj: '500',
    cpu_shares: '512', ulimits: 'nofile=100:200', restart: 'on-failure:3', health_cmd: 'test -d /', health_interval: '1m30s',
    health_retries: '4', read_only: true, no_new_privileges: true, cap_drop: 'ALL', cap_add: 'net_raw', seccomp: 'unconfined',
    devices: '/dev/null:/dev/nothing:rw', device_rules: 'c 10:229 r', tmpfs: '/run:size=1m', shm_size: '16m',
    mount_requests: 'type=tmpfs,target=/fast,tmpfs-size=1m', extra_hosts: 'db:10.0.0.2', hostname: 'box', domainname: 'example.com',
    dns: '1.1.1.1', dns_search: 'example.com', expose: '80 53/udp', log_driver: 'local', log_max_size: '1m', labels: 'app=shop',
    annotations: 'note=mine', masked_paths: '/proc/uptime\n/proc/keys', readonly_paths: 'none', ipc_mode: 'none', cgroupns_mode: 'host', sysctls: 'net.ipv4.ip_unprivileged_port_start=80',
  })
  await page.locator('form-command code').first().getByText('--sysctl').waitFor()
  await submit(page)
  await page.locator('#container-header h1', { hasText: 'every' }).waitFor()
  await until('it runs', () => running('every'))
  const { Config: config, HostConfig: host } = await inspect('every')
  for (const [member, wanted] of Object.entries({
    WorkingDir: '/tmp', User: '0:0', StopSignal: 'SIGINT', StopTimeout: 3, Hostname: 'box', Domainname: 'example.com',
    Healthcheck: { Test: ['CMD-SHELL', 'test -d /'], Interval: 90e9, Retries: 4 }, ExposedPorts: { '53/udp': {}, '80/tcp': {} },
  })) assert.deepEqual(config[member], wanted, member)
  assert.ok(config.Env.includes('B=two words') && config.Labels.app === 'shop')
  for (const [member, wanted] of Object.entries({
    GroupAdd: ['44'], Init: true, Memory: 64 << 20, NanoCpus: 5e8, PidsLimit: 50, OomScoreAdj: 500, CpuShares: 512,
    Ulimits: [{ Name: 'nofile', Hard: 200, Soft: 100 }], RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 },
    ReadonlyRootfs: true, SecurityOpt: ['no-new-privileges=true', 'seccomp=unconfined'], CapDrop: ['ALL'], CapAdd: ['NET_RAW'],
    Devices: [{ PathOnHost: '/dev/null', PathInContainer: '/dev/nothing', CgroupPermissions: 'rw' }],
    DeviceCgroupRules: ['c 10:229 r'], Tmpfs: { '/run': 'size=1m' }, ExtraHosts: ['db:10.0.0.2'], Dns: ['1.1.1.1'],
    DnsSearch: ['example.com'], LogConfig: { Type: 'local', Config: { 'max-size': '1m' } }, Annotations: { note: 'mine' },
    MaskedPaths: ['/proc/uptime', '/proc/keys'], ReadonlyPaths: [], IpcMode: 'none', CgroupnsMode: 'host', Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '80' },
  })) assert.deepEqual(host[member], wanted, member)
  assert.equal(host.Mounts[0].Target, '/fast')
})

test('an error names the field and its rule, keeps what was typed, and opens the section', async () => {
  await page.goto(`${house.origin}/containers/new?image=busybox`)
  await fill(page, { name: 'wrong', labels: 'app=shop', health_interval: 'soon', devices: '/dev/no-such-device' })
  await submit(page)
  await page.locator('#health_interval-error', { hasText: 'Look every: must be a time such as 30s' }).waitFor()
  await becomes(() => page.locator('#labels').inputValue(), 'app=shop')
  await fill(page, { health_interval: '' })
  // What only the engine can know stands beside the field too.
  await submit(page)
  await page.locator('#devices-error', { hasText: 'no-such-device' }).waitFor()
  await page.locator('details[open] #devices').waitFor()
  await accessible(page, 'the form with an error')
})

test('what the engine warns of is shown', async () => {
  await page.goto(`${house.origin}/containers/new?image=busybox`)
  await fill(page, { name: 'warned', command: 'true', oom_kill_disable: true })
  await submit(page)
  // A kernel that has no such switch refuses it by name, beside its field.
  const answer = page.locator('#notices .notice--warn, #oom_kill_disable-error')
  await answer.first().waitFor()
  assert.match(await answer.first().innerText(), /OOM|OomKillDisable/)
})

test('a pasted line fills every section, and what it cannot say is named', async () => {
  await page.goto(`${house.origin}/containers/new`)
  await page.locator('#line').fill(
    'docker run -d --restart always --health-cmd "test -f /ok" --device /dev/fuse --pid host -p 80:80 --network bridge busybox top')
  await page.locator('button', { hasText: 'Fill the form' }).click()
  await page.locator('.notice--warn', { hasText: '--publish 80:80' }).waitFor()
  for (const [field, value] of Object.entries({
    image: 'busybox', command: 'top', restart: 'always', health_cmd: 'test -f /ok', devices: '/dev/fuse', pid_mode: 'host',
  })) await becomes(() => page.locator(`#${field}`).inputValue(), value)
})

test('a duplicate loses nothing, not even what the form cannot say', async () => {
  const made = await house.api('POST', '/containers/create?name=rich', {
    Image: 'busybox', Cmd: ['sh', '-c', 'while :; do sleep 1; done'], Env: ['KEY=s3cret', 'TEXT=a\nb'], StdinOnce: true,
    Labels: { note: 'a\nb' }, Healthcheck: { Test: ['CMD', 'true'], Interval: 5e9 },
    HostConfig: { MaskedPaths: ['/proc/keys'], ReadonlyPaths: [], SecurityOpt: ['label=disable'], Memory: 64 << 20, CapDrop: ['NET_RAW'] },
  })
  assert.equal(made.status, 201, made.text)
  const rich = await inspect('rich')
  await openKnown(page, `${house.origin}/containers/${rich.Id}`)
  await page.locator('.page__actions a', { hasText: 'Duplicate' }).click()
  await becomes(() => page.locator('#name').inputValue(), 'rich-copy')
  await page.locator('#kept dt', { hasText: 'HostConfig.SecurityOpt' }).waitFor()
  await becomes(() => page.locator('#environment').inputValue(), 'KEY=••••••\nTEXT=••••••')
  await becomes(() => page.locator('#masked_paths').inputValue(), '/proc/keys')
  await becomes(() => page.locator('#readonly_paths').inputValue(), 'none')
  assert.ok(!(await page.content()).includes('s3cret'))
  await accessible(page, 'duplicate')
  await submit(page)
  await page.locator('#container-header h1', { hasText: 'rich-copy' }).waitFor()
  await until('it runs', () => running('rich-copy'))
  const copy = await inspect('rich-copy')
  assert.deepEqual(definition(copy, copy.Id), definition(rich, rich.Id))
})

async function edit(id, fields) {
  await openKnown(page, `${house.origin}/containers/${id}`)
  await page.locator('.page__actions a', { hasText: 'Edit' }).click()
  await page.waitForURL(`${house.origin}/containers/${id}/edit`)
  await fill(page, fields)
  await submit(page)
  await page.locator('.plan').waitFor()
}

const apply = () => page.locator('.plan button', { hasText: 'Apply' }).click()

/** Waits on the job's page until it has come to that, without asking for the page again. */
const ended = async (word) => {
  await page.waitForURL(/\/jobs\//)
  await page.locator('main .job .badge', { hasText: word }).waitFor()
}

test('limits, the restart policy and the name are changed while it runs', async () => {
  const id = await house.run('steady', 'while :; do sleep 1; done', { HostConfig: { Memory: 64 << 20 } })
  const before = await inspect('steady')
  await edit(id, { memory: '32m', restart: 'unless-stopped', name: 'steadier' })
  await page.locator('.plan h2', { hasText: 'changed in place' }).waitFor()
  await becomes(() => page.locator('.plan__table tbody tr').count(), 3)
  await accessible(page, 'a plan in place')
  await apply()
  await page.locator('.notice--done', { hasText: 'steadier is changed' }).waitFor()
  const now = await inspect('steadier')
  assert.deepEqual([now.Id, now.State.Pid], [id, before.State.Pid])
  assert.deepEqual([now.HostConfig.Memory, now.HostConfig.MemorySwap], [32 << 20, 64 << 20])
  assert.equal(now.HostConfig.RestartPolicy.Name, 'unless-stopped')
})

test('another command takes a new container, which keeps all the rest', async () => {
  const id = await house.run('shop', 'while :; do sleep 1; done', { Env: ['KEY=s3cret'], StopTimeout: 1, Labels: { app: 'shop' } })
  const old = await inspect('shop')
  await edit(id, { command: FOREVER })
  await page.locator('.plan h2', { hasText: 'made anew' }).waitFor()
  await accessible(page, 'a plan to make it anew')
  // The form comes back as it was typed.
  await page.locator('.plan button', { hasText: 'Back to the form' }).click()
  await becomes(() => page.locator('#command').inputValue(), FOREVER)
  await submit(page)
  await apply()
  await ended('Done')
  await page.locator('main a', { hasText: 'Open the container' }).click()
  await page.locator('#container-header h1', { hasText: 'shop' }).waitFor()
  const now = await inspect('shop')
  assert.notEqual(now.Id, id)
  assert.ok(now.State.Running)
  const wanted = definition(old, id)
  wanted.config.Cmd = now.Config.Cmd
  assert.deepEqual(definition(now, now.Id), wanted)
  assert.ok(now.Config.Cmd.join(' ').includes('trap'))
  assert.equal(await inspect(id), null)
  assert.deepEqual((await names()).filter((name) => name.startsWith('shop')), ['shop'])
})

test('when the new one does not start the old one runs again', async () => {
  const id = await house.run('vital', 'while :; do sleep 1; done', { StopTimeout: 1 })
  await edit(id, { command: '/no/such/program' })
  await apply()
  await ended('Failed')
  await page.locator('main .job__note', { hasText: 'The old container is back and runs again' }).waitFor()
  await page.locator('main .job__note', { hasText: '/no/such/program' }).waitFor()
  await until('it runs', () => running('vital'))
  assert.equal((await inspect('vital')).Id, id)
  assert.deepEqual((await names()).filter((name) => name.startsWith('vital')), ['vital'])
})

test('when the new one ends at once the old one runs again', async () => {
  const id = await house.run('brave', 'while :; do sleep 1; done', { StopTimeout: 1 })
  await edit(id, { command: "sh -c 'echo no more tea; exit 7'" })
  await apply()
  await ended('Failed')
  await page.locator('main .job__note', { hasText: 'exit code 7' }).waitFor()
  await page.locator('main pre', { hasText: 'no more tea' }).waitFor()
  await accessible(page, 'a job that went back')
  await until('it runs', () => running('brave'))
  assert.equal((await inspect('brave')).Id, id)
  assert.deepEqual((await names()).filter((name) => name.startsWith('brave')), ['brave'])
})

test('one that has a health check takes the place when it is healthy, and goes when it is not', async () => {
  const id = await house.run('doctor', 'while :; do sleep 1; done', { StopTimeout: 1 })
  await edit(id, { command: FOREVER, health_cmd: 'test -e /well', health_interval: '1s', health_retries: '600' })
  await apply()
  await page.locator('.step', { hasText: 'Wait until it is healthy' }).locator('.badge', { hasText: 'Running' }).waitFor()
  // The job goes on while somebody looks elsewhere.
  const job = page.url()
  await page.goto(`${house.origin}/images`)
  await openKnown(page, `${house.origin}/containers/${(await inspect('doctor')).Id}`)
  await page.goto(job)
  await touch('doctor', '/well')
  await ended('Done')
  const now = await inspect('doctor')
  assert.equal(now.State.Health.Status, 'healthy')
  assert.equal(await inspect(id), null)

  await edit(now.Id, { health_cmd: "echo it is dark here; test -e /light", health_interval: '1s', health_retries: '2' })
  await apply()
  await ended('Failed')
  await page.locator('main .job__note', { hasText: 'Its health check says that it is not well' }).waitFor()
  await page.locator('main pre', { hasText: 'it is dark here' }).waitFor()
  await until('it runs', () => running('doctor'))
  assert.equal((await inspect('doctor')).Id, now.Id)
  assert.deepEqual((await names()).filter((name) => name.startsWith('doctor')), ['doctor'])
})

test('a change that is cancelled leaves the old container', async () => {
  const id = await house.run('patient', 'while :; do sleep 1; done', { StopTimeout: 1 })
  await edit(id, { command: FOREVER, health_cmd: 'test -e /never', health_interval: '1s', health_retries: '600' })
  await apply()
  await page.locator('.step', { hasText: 'Wait until it is healthy' }).locator('.badge', { hasText: 'Running' }).waitFor()
  await page.locator('main .job').getByRole('button', { name: 'Cancel' }).click()
  await ended('Cancelled')
  await page.locator('main .job__note', { hasText: 'The old container is back and runs again' }).waitFor()
  await until('it runs', () => running('patient'))
  assert.equal((await inspect('patient')).Id, id)
  assert.deepEqual((await names()).filter((name) => name.startsWith('patient')), ['patient'])
})

test('what the engine refuses touches nothing', async () => {
  const id = await house.run('calm', 'while :; do sleep 1; done')
  const pid = (await inspect('calm')).State.Pid
  await edit(id, { devices: '/dev/no-such-device' })
  await apply()
  await page.locator('#devices-error', { hasText: 'no-such-device' }).waitFor()
  assert.equal((await inspect('calm')).State.Pid, pid)
})

test('a server that is killed in the middle leads back at its next start', async () => {
  const id = await house.run('lasting', 'trap "" TERM; while :; do sleep 1; done', { StopTimeout: 5 })
  await edit(id, { command: FOREVER })
  const pressed = apply().catch(() => {})
  await until('the new one is there', async () => (await names()).some((name) => name.startsWith('lasting-edit-')))
  await house.kill(house.server)
  await pressed
  await house.startServer()
  await until('only the old one is there', async () => (await names()).filter((name) => name.startsWith('lasting')).length === 1)
  await until('it runs', () => running('lasting'))
  assert.equal((await inspect('lasting')).Id, id)
  page.complaints.length = 0
})

test('the form, the plan and the change need no script', async () => {
  const plain = await tab(chrome, { javaScriptEnabled: false })
  await plain.goto(`${house.origin}/login`)
  await plain.locator('#name').fill('olga')
  await plain.locator('#password').fill('correct horse battery staple')
  await plain.locator('main form button.button--primary').click()
  await plain.waitForURL(`${house.origin}/`)
  const id = await house.run('quiet', 'while :; do sleep 1; done', { HostConfig: { Memory: 64 << 20 } })
  await openKnown(plain, `${house.origin}/containers/${id}/edit`)
  await plain.locator('summary', { hasText: 'Limits' }).click()
  await plain.locator('#memory').fill('48m')
  await submit(plain)
  await plain.locator('.plan button', { hasText: 'Apply' }).click()
  await plain.locator('.notice--done', { hasText: 'quiet is changed' }).waitFor()
  assert.equal((await inspect('quiet')).HostConfig.Memory, 48 << 20)
  await plain.context().close()
})

test('nothing on the way was complained about', () => {
  // A container that was replaced, or a job of a server that was killed, may be asked for once more.
  const expected = /422|409|404 .*\/(containers\/[0-9a-f]{64}|jobs\/)/
  assert.deepEqual(page.complaints.filter((text) => !expected.test(text)), [])
})
