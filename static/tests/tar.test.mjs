import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { chosen } from "../js/lib/dropped.js";
import { archive } from "../js/lib/tar.js";

/** A file as a browser has it. */
const file = (content, path = "") => Object.assign(new Blob([content]), { lastModified: 1_000_000_000_000, webkitRelativePath: path, name: path });

/** What another program finds in an archive: its names, or what one of its files holds. */
async function found(members, ...words) {
  const input = Buffer.from(await archive(members).arrayBuffer());
  const read = spawnSync("tar", [...words], { input, env: { ...process.env, LC_ALL: "C.UTF-8" } });
  assert.equal(read.status, 0, read.stderr.toString());
  return read.stdout.toString();
}

test("another program reads every name and every byte", async () => {
  const long = `${"deep/".repeat(40)}${"n".repeat(120)}.txt`;
  const members = [
    { path: "Dockerfile", file: file("FROM scratch\n") },
    { path: "a/b/empty", file: file("") },
    { path: long, file: file("x".repeat(512)) },
    { path: "이름 with spaces.txt", file: file("y".repeat(513)) },
  ];
  const names = (await found(members, "-t", "--quoting-style=literal")).trim().split("\n");
  for (const { path } of members) assert.ok(names.includes(path), path);
  assert.ok(names.includes("a/b/"), "folders have members of their own");
  assert.equal(new Set(names).size, names.length);
  for (const { path, file } of members) assert.equal(await found(members, "-xO", path), await file.text());
});

test("one folder that is chosen is the context itself, several things stay beside each other", () => {
  const paths = (files) => chosen(files).map(({ path }) => path);
  assert.deepEqual(paths([file("", "shop/src/b"), file("", "shop/a")]), ["a", "src/b"]);
  assert.deepEqual(paths([file("", "one/a"), file("", "two/a")]), ["one/a", "two/a"]);
  assert.deepEqual(paths([file("", "a")]), ["a"]);
});
