import assert from "node:assert/strict";
import { test } from "node:test";
import { topics } from "../js/lib/topics.js";

test("the rows of now take the place of the rows of the first drawing", () => {
  assert.deepEqual(topics("jobs containers row:a row:b", ["row-b", "row-c"]), ["jobs", "containers", "row:b", "row:c"]);
  assert.deepEqual(topics("jobs containers row:a", []), ["jobs", "containers"]);
  assert.deepEqual(topics("", []), []);
});

test("the order of rows means nothing, and none is told twice", () => {
  assert.deepEqual(topics("jobs", ["row-b", "row-a", "row-b"]), topics("jobs", ["row-a", "row-b"]));
});

test("a message has room for all of them", () => {
  const rows = Array.from({ length: 5_000 }, (_, n) => `row-${String(n).padStart(64, "0")}`);
  assert.ok(JSON.stringify({ type: "watch", topics: topics("jobs containers", rows) }).length < 16 * 1024);
});
