// A reporter of `node --test`: the file of each test that failed, as a path from here, one a line.
import path from 'node:path'

export default async function* failed(events) {
  for await (const { type, data } of events) {
    // What breaks off before its first test has its file for a name.
    if (type === 'test:fail') yield `${path.relative(import.meta.dirname ?? '.', path.resolve(data.file ?? data.name))}\n`
  }
}
