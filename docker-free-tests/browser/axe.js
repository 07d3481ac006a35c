// axe-core on the page as it stands: no violation of WCAG 2.2 AA.
import assert from 'node:assert/strict'

import AxeBuilder from '@axe-core/playwright'

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

export async function accessible(page, what) {
  // The time of a log line is a target inside its line, as high as the line (WCAG 2.5.8, inline).
  const builder = new AxeBuilder({ page }).withTags(RULES).exclude('.log__time')
  const { violations } = await builder.analyze()
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.html).join('\n  ')}`)
  assert.deepEqual(found, [], `${what}: ${found.join('\n')}`)
}
