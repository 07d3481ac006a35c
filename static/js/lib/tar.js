// @ts-check
// Archives of files that a person chose: blobs of headers with the files between them. Nothing is read
// here; a browser reads the files when the blob is sent.

/** A file and its path in the archive. @typedef {{ path: string, file: File }} Member */

const BLOCK = 512;
/** The greatest size that a plain header can say. */
export const MOST_BYTES = 8 ** 11 - 1;

/** @param {Member[]} members @returns {Blob} */
export function archive(members) {
  /** @type {BlobPart[]} */
  const parts = [];
  /** @type {Set<string>} */
  const folders = new Set();
  for (const { path, file } of members) {
    const names = path.split("/");
    for (let depth = 1; depth < names.length; depth += 1) {
      const folder = `${names.slice(0, depth).join("/")}/`;
      if (!folders.has(folder)) parts.push(...entry(folder, 0, 0, "5"));
      folders.add(folder);
    }
    parts.push(...entry(path, file.size, file.lastModified / 1000, "0"), file, padding(file.size));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return new Blob(parts, { type: "application/x-tar" });
}

/** What stands before a member: its header and, for a name that does not fit in it, one for the name. @param {string} path @param {number} size @param {number} time @param {string} kind */
function entry(path, size, time, kind) {
  const name = new TextEncoder().encode(path);
  const isPlain = name.length <= 100 && name.length === path.length;
  if (isPlain) return [header(name, size, time, kind)];
  const record = pax("path", path);
  const short = new TextEncoder().encode("long-name");
  return [header(short, record.length, time, "x"), record, padding(record.length), header(short, size, time, kind)];
}

/** `LENGTH key=value\n`, where the length counts its own digits. @param {string} key @param {string} value */
function pax(key, value) {
  const rest = new TextEncoder().encode(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  const record = new Uint8Array(length);
  record.set(new TextEncoder().encode(String(length)));
  record.set(rest, length - rest.length);
  return record;
}

/** @param {Uint8Array} name @param {number} size @param {number} time @param {string} kind */
function header(name, size, time, kind) {
  const block = new Uint8Array(BLOCK);
  const put = (/** @type {number} */ at, /** @type {string} */ text) => block.set(new TextEncoder().encode(text), at);
  const octal = (/** @type {number} */ number, /** @type {number} */ digits) => Math.max(0, Math.floor(number)).toString(8).padStart(digits, "0");
  block.set(name);
  put(100, "0000755\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${octal(size, 11)}\0`);
  put(136, `${octal(time, 11)}\0`);
  put(148, "        ");
  put(156, kind);
  put(257, "ustar\x0000");
  const sum = block.reduce((sum, byte) => sum + byte, 0);
  put(148, `${octal(sum, 6)}\0 `);
  return block;
}

/** @param {number} size */
function padding(size) {
  return new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);
}
