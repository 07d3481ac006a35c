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

test("the lines of several logs stand in the order of their time", () => {
  const lines = new LogLines();
  const of = (source, ...times) => times.map((ns) => ({ source, ns: String(ns), raw: `${source}:${ns}` }));
  lines.merge(of(0, 100, 300, 500));
  lines.merge(of(1, 200, 300, 400, 600));
  lines.merge(of(2, 50));
  assert.deepEqual(
    lines.shown.map((line) => line.raw),
    ["2:50", "0:100", "1:200", "0:300", "1:300", "1:400", "0:500", "1:600"],
  );
  assert.deepEqual(lines.all, lines.shown);
});

test("merged lines that wrap keep their places", () => {
  const lines = new LogLines();
  lines.columns = 2;
  lines.merge([{ ns: "1", raw: "a" }, { ns: "3", raw: "abc" }, { ns: "5", raw: "a" }]);
  lines.merge([{ source: 1, ns: "2", raw: "abcd" }]);
  assert.deepEqual([0, 1, 2, 3, 4].map((index) => lines.top(index)), [0, 1, 3, 5, 6]);
});

test("levels are counted, filtered, and go on with a stack", () => {
  const lines = new LogLines();
  for (const raw of ["ERROR boom", "  at a.js:1", "INFO fine", "plain"]) lines.add({ raw });
  lines.merge([{ source: 1, raw: "  of another log" }]);
  lines.merge([{ stream: 2, raw: "  of the other stream" }]);
  assert.deepEqual([lines.counts.error, lines.counts.info, lines.counts.warn], [2, 1, 0]);
  lines.levels.add("error");
  lines.refilter();
  assert.deepEqual(lines.shown.map((line) => line.raw), ["ERROR boom", "  at a.js:1"]);
});

test("a hundred thousand lines from two logs are merged within a blink", () => {
  const lines = new LogLines();
  const batch = (source, from) =>
    Array.from({ length: 1000 }, (_, n) => ({ source, stream: 1, ns: String(10 ** 18 + (from + n) * 2 + source), raw: `INFO line ${n}` }));
  for (let from = 0; from < 50_000; from += 1000) {
    lines.merge(batch(0, from));
    lines.merge(batch(1, from));
  }
  assert.equal(lines.shown.length, 100_000);
  assert.ok(lines.shown.every((line, at) => at === 0 || lines.shown[at - 1].ns <= line.ns));
});

test("lines that come out of the order of time stand in it", () => {
  const lines = new LogLines();
  const of = (...times) => times.map((ns) => ({ ns: String(ns), raw: String(ns) }));
  lines.merge(of(100, 300, 200));
  lines.merge(of(250, 150, 400));
  assert.deepEqual(
    lines.shown.map((line) => line.raw),
    ["100", "150", "200", "250", "300", "400"],
  );
});

test("a line is found where others have come before it", () => {
  const lines = new LogLines();
  lines.merge([{ ns: "5", raw: "a" }, { ns: "5", raw: "b" }, { ns: "5", raw: "c" }]);
  const line = lines.shown[1];
  assert.equal(lines.indexOf(line), 1);
  lines.merge([{ ns: "3", raw: "x" }, { ns: "4", raw: "y" }]);
  assert.equal(lines.indexOf(line), 3);
  lines.pattern = /x/;
  lines.only = true;
  lines.refilter();
  assert.equal(lines.indexOf(line), -1);
});
