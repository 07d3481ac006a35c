// @ts-check
import { pieces } from "./ansi.js";

/** One line of a log as an element. @typedef {import("./log-lines.js").Line} Line */

/** @param {Line} line @param {{ pattern: RegExp | null, times: string, found: boolean, names: string[] }} look */
export function row(line, { pattern, times, found, names }) {
  const element = document.createElement("div");
  element.className = "log__line";
  if (line.stream === 2) element.classList.add("log__line--err");
  if (line.level) element.classList.add(`log__line--${line.level}`);
  if (found) element.classList.add("log__line--found");
  if (names.length > 1) element.append(gutter(line.source, names[line.source]));
  if (line.skipped) {
    element.classList.add("log__line--skipped");
    element.append(line.raw);
    return element;
  }
  if (times !== "none") {
    const time = document.createElement("a");
    time.className = "log__time";
    time.href = `#at-${line.ns}`;
    time.textContent = clock(line.ns, times);
    element.append(time);
  }
  const text = document.createElement("span");
  text.className = "log__text";
  for (const piece of pieces(line.raw)) {
    const span = document.createElement("span");
    span.className = piece.classes.join(" ");
    if (piece.color) span.style.color = piece.color;
    if (piece.background) span.style.background = piece.background;
    mark(span, piece.text, pattern);
    text.append(span);
  }
  element.append(text);
  return element;
}

/** Whose line it is, where several logs are one. @param {number} source @param {string} name */
function gutter(source, name) {
  const cell = document.createElement("span");
  cell.className = `log__source gutter--${(source % 8) + 1}`;
  cell.textContent = cell.title = name;
  return cell;
}

/** Nanoseconds since 1970 as a time of day, local or UTC. @param {string} ns @param {string} times */
export function clock(ns, times) {
  const date = new Date(Number(BigInt(ns) / 1_000_000n));
  if (times === "utc") return date.toISOString().slice(0, 23).replace("T", " ");
  const pad = (/** @type {number} */ n, width = 2) => String(n).padStart(width, "0");
  return (
    `${pad(date.getMonth() + 1)}-${pad(date.getDate())} ` +
    `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`
  );
}

/** @param {HTMLElement} into @param {string} text @param {RegExp | null} pattern */
function mark(into, text, pattern) {
  if (!pattern) {
    into.textContent = text;
    return;
  }
  let from = 0;
  for (const match of text.matchAll(new RegExp(pattern.source, `${pattern.flags}g`))) {
    if (match[0] === "") continue;
    into.append(text.slice(from, match.index));
    const found = document.createElement("mark");
    found.textContent = match[0];
    into.append(found);
    from = match.index + match[0].length;
  }
  into.append(text.slice(from));
}
