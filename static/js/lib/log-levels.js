// @ts-check
/**
 * How serious a line says it is. Programs say it in many ways: `level=warn`, `"level":"error"`,
 * `[error]`, `INFO `, `E0102 15:04:05`; what says nothing has no level.
 */

/** From the gravest. */
export const LEVELS = ["error", "warn", "info", "debug", "trace"];

/** @type {Record<string, string>} */
const NAMES = {
  emerg: "error", emergency: "error", alert: "error", fatal: "error", panic: "error", crit: "error",
  critical: "error", severe: "error", error: "error", err: "error", eror: "error",
  warn: "warn", warning: "warn",
  notice: "info", info: "info", information: "info", informational: "info", log: "info",
  debug: "debug", dbug: "debug", dbg: "debug", fine: "debug",
  trace: "trace", verbose: "trace", finest: "trace",
  E: "error", F: "error", W: "warn", I: "info", D: "debug",
};

/** Numbers of the pino and bunyan loggers. @type {Record<string, string>} */
const NUMBERS = { 60: "error", 50: "error", 40: "warn", 30: "info", 20: "debug", 10: "trace" };

/** Nothing says its level later than this. */
const HEAD = 400;

const KEYED = /(?:^|[\s{,"'(])(?:level|lvl|loglevel|severity|log\.level)["']?\s*[:=]\s*["']?([a-z]+|\d+)/i;
const BRACKETED = /[[(<|]\s*(emerg|alert|fatal|panic|crit|critical|severe|error|err|warn|warning|notice|info|debug|trace|verbose)\s*[\])>|]/i;
const SHOUTED = /(?:^|[^\w.=/-])(EMERG|ALERT|FATAL|PANIC|CRIT|CRITICAL|SEVERE|ERROR|ERR|EROR|WARN|WARNING|NOTICE|INFO|DEBUG|DBUG|DBG|TRACE|VERBOSE)(?=$|[^\w./-])/;
const LEADING = /^(?:[\d:.,TZ+/ -]*\s)?(emerg|fatal|panic|critical|error|err|warn|warning|notice|info|debug|trace)\s*:/i;
const GLOG = /^([EFWID])\d{4} \d\d:\d\d:/;

/** @param {string} line without escapes @returns {string} one of the levels, or nothing */
export function level(line) {
  const head = line.length > HEAD ? line.slice(0, HEAD) : line;
  const word = (KEYED.exec(head) ?? GLOG.exec(head) ?? BRACKETED.exec(head) ?? SHOUTED.exec(head) ?? LEADING.exec(head))?.[1];
  if (word === undefined) return "";
  return NAMES[word] ?? NAMES[word.toLowerCase()] ?? NUMBERS[word] ?? "";
}

/** A line that goes on with the one before: a stack, a wrapped message. @param {string} line */
export function continues(line) {
  return /^(?:\s+\S|Caused by:|Traceback )/.test(line);
}
