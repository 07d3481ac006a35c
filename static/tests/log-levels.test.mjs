import assert from "node:assert/strict";
import { test } from "node:test";
import { continues, level } from "../js/lib/log-levels.js";

test("a level is found however a program says it", () => {
  for (const [line, expected] of [
    ["2026-11-21T08:29:04Z ERROR upstream timed out", "error"],
    ['{"level":"debug","msg":"an error? no"}', "debug"],
    ['{"level":30,"msg":"listening"}', "info"],
    ["time=12:00 level=warn msg=\"slow query\"", "warn"],
    ["ts=1 lvl=eror err=\"no route\"", "error"],
    ["2026/11/21 08:29:04 [error] 31#31: *1 connect() failed", "error"],
    ["[Note] <Warning> aborted connection", "warn"],
    ["E1121 08:29:04.123456 1 main.go:42] failed", "error"],
    ["2026-11-21 08:29:04,123 - app.db - INFO - connected", "info"],
    ["FATAL:  password authentication failed", "error"],
    ["warning: deprecated option", "warn"],
    ["12:00:01 trace: entering", "trace"],
    ["[VERBOSE] more", "trace"],
    ["severity: critical", "error"],
  ]) {
    assert.equal(level(line), expected, line);
  }
});

test("what says no level has none", () => {
  for (const line of [
    "GET /errors/info.html 200",
    "the information desk is open",
    "no errors found",
    "INFORMATION_SCHEMA.tables",
    "--debug=false",
    "path=/var/log/ERROR.log",
    "level=yes",
    "",
  ]) {
    assert.equal(level(line), "", line);
  }
});

test("a stack goes on with the line before it", () => {
  assert.ok(continues("    at handler (server.js:10)"));
  assert.ok(continues("Caused by: java.io.IOException"));
  assert.ok(!continues("next request"));
  assert.ok(!continues(""));
});
