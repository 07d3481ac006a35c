import assert from "node:assert/strict";
import { test } from "node:test";
import { LogLines } from "../js/lib/log-lines.js";

function filled(count) {
  const lines = new LogLines();
  for (let n = 0; n < count; n += 1) lines.add({ stream: (n % 2) + 1, ns: String(n), raw: `line ${n}` });
  return lines;
}

test("a filter shows what matches, or hides it", () => {
  const lines = filled(20);
  lines.pattern = /line 1/i;
  lines.only = true;
  lines.refilter();
  assert.equal(lines.shown.length, 11);
  lines.invert = true;
  lines.refilter();
  assert.equal(lines.shown.length, 9);
});

test("one stream can be shown alone", () => {
  const lines = filled(10);
  lines.stream = "err";
  lines.refilter();
  assert.ok(lines.shown.length === 5 && lines.shown.every((line) => line.stream === 2));
});

test("wrapped lines take the rows they need, wide letters two columns", () => {
  const lines = new LogLines();
  lines.columns = 4;
  for (const raw of ["abcd", "abcde", "한국어", ""]) lines.add({ raw });
  assert.deepEqual([0, 1, 2, 3, 4].map((index) => lines.top(index)), [0, 1, 3, 5, 6]);
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((row) => lines.at(row)), [0, 1, 1, 2, 2, 3]);
});

test("the oldest are forgotten, in one go, above a hundred thousand", () => {
  const lines = filled(100_001);
  assert.equal(lines.trim(), true);
  assert.equal(lines.all.length, 90_001);
  assert.equal(lines.shown[0].raw, "line 10000");
});
