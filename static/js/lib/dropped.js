// @ts-check
// Files and folders that a person dropped or chose, each with its path in what they dropped.

/** @typedef {import("./tar.js").Member} Member */

/** Too many files; a person means something else then. */
export class TooMany extends Error {}

/**
 * @param {DataTransfer} transfer read before the event ends, as browsers want it
 * @param {number} most @param {(count: number) => void} tell
 * @returns {Promise<Member[]>}
 */
export function dropped(transfer, most, tell) {
  /** @type {FileSystemEntry[]} */
  const entries = [];
  /** What is no part of a file system: it comes from a program. @type {Member[]} */
  const loose = [];
  for (const item of transfer.items) {
    const [entry, file] = [item.webkitGetAsEntry(), item.getAsFile()];
    if (entry) entries.push(entry);
    else if (file) loose.push({ path: file.name, file });
  }
  return walk(entries, loose, most, tell);
}

/** @param {FileSystemEntry[]} entries @param {Member[]} members @param {number} most @param {(count: number) => void} tell */
async function walk(entries, members, most, tell) {
  const waiting = [...entries];
  for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
    if (entry.isDirectory) {
      waiting.push(...(await children(/** @type {FileSystemDirectoryEntry} */ (entry))));
      continue;
    }
    const file = await opened(/** @type {FileSystemFileEntry} */ (entry));
    members.push({ path: entry.fullPath.replace(/^\/+/, ""), file });
    if (members.length > most) throw new TooMany();
    if (members.length % 100 === 0) tell(members.length);
  }
  return within(members);
}

/** @param {FileList} files @returns {Member[]} */
export function chosen(files) {
  return within([...files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
}

/** One folder that was dropped is the context itself. @param {Member[]} members */
function within(members) {
  const folder = members[0]?.path.split("/")[0];
  const isOne = folder !== undefined && members.every(({ path }) => path.startsWith(`${folder}/`));
  const cut = isOne ? folder.length + 1 : 0;
  const all = members.map(({ path, file }) => ({ path: path.slice(cut), file }));
  return all.sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** A browser hands out a folder in pieces. @param {FileSystemDirectoryEntry} folder @returns {Promise<FileSystemEntry[]>} */
async function children(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, () => reject(new Error(folder.fullPath))));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
function opened(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, () => reject(new Error(entry.fullPath))));
}
