// @ts-check
import { plain } from "./ansi.js";
import { LEVELS, continues, level } from "./log-levels.js";

/**
 * The lines of one or several logs in the order of their time, those of them that are shown, and
 * where each stands.
 *
 * @typedef {{ key: number, source: number, stream: number, ns: string, raw: string, text: string,
 *   level: string, skipped?: boolean }} Line
 * @typedef {{ source?: number, stream?: number, ns?: string, raw: string, skipped?: boolean }} Fresh
 */

const MOST_LINES = 100_000;
const FORGET = 10_000;

export class LogLines {
  /** @type {Line[]} */
  all = [];
  /** @type {Line[]} */
  shown = [];
  /** Rows of the screen before each shown line; used only when lines wrap. @type {number[]} */
  #rows = [];
  /** @type {RegExp | null} */
  pattern = null;
  only = false;
  invert = false;
  stream = "";
  /** The levels that are shown; none for all. @type {Set<string>} */
  levels = new Set();
  /** How many lines say each level. @type {Record<string, number>} */
  counts = none();
  /** Characters a row, 0 when lines do not wrap. */
  columns = 0;
  #next = 0;
  /** The level of the last line of each source's streams, for lines that go on with it. @type {string[]} */
  #before = [];

  /** Takes in one line. @param {Fresh} line @returns {boolean} whether it is shown */
  add(line) {
    return this.merge([line]) > 0;
  }

  /**
   * Takes in lines of one source, each at its place in time. They come as they were written, which is
   * not always the order of time: a line that never ended is told last, and a clock may be set back.
   * @param {Fresh[]} fresh @returns {number} how many of them are shown
   */
  merge(fresh) {
    const lines = fresh.map((line) => this.#make(line));
    lines.sort((one, other) => (isBefore(one.ns, other.ns) ? -1 : Number(isBefore(other.ns, one.ns))));
    const first = lines[0]?.ns;
    if (first === undefined) return 0;
    const tail = this.#cut(first);
    let n = 0;
    let at = 0;
    for (const line of lines) {
      for (; at < tail.length && !isBefore(line.ns, tail[at].ns); at += 1) this.#push(tail[at]);
      if (this.#push(line)) n += 1;
    }
    for (; at < tail.length; at += 1) this.#push(tail[at]);
    return n;
  }

  /** Takes the lines after a moment off the end. @param {string} ns @returns {Line[]} */
  #cut(ns) {
    const last = this.all.at(-1);
    if (!last || !isBefore(ns, last.ns)) return [];
    const { shown } = this;
    shown.length = this.#rows.length = after(shown, ns);
    if (this.columns === 0) this.#rows.length = 0;
    return this.all.splice(after(this.all, ns));
  }

  /** @param {Fresh} fresh @returns {Line} */
  #make({ source = 0, stream = 0, ns = "", raw, skipped }) {
    const text = plain(raw);
    const pipe = source * 3 + stream;
    const own = skipped ? "" : level(text) || (continues(text) ? (this.#before[pipe] ?? "") : "");
    this.#before[pipe] = own;
    if (own) this.counts[own] += 1;
    return { key: this.#next++, source, stream, ns: ns || (this.all.at(-1)?.ns ?? ""), raw, text, level: own, skipped };
  }

  /** @param {Line} line @returns {boolean} whether it is shown */
  #push(line) {
    this.all.push(line);
    if (!this.isShown(line)) return false;
    this.#show(line);
    return true;
  }

  /** Forgets the oldest when there are too many. @returns {boolean} whether lines went */
  trim() {
    if (this.all.length <= MOST_LINES) return false;
    for (const line of this.all.splice(0, FORGET)) if (line.level) this.counts[line.level] -= 1;
    this.refilter();
    return true;
  }

  clear() {
    this.all = [];
    this.counts = none();
    this.#before = [];
    this.refilter();
  }

  refilter() {
    this.shown = [];
    this.#rows = [];
    for (const line of this.all) if (this.isShown(line)) this.#show(line);
  }

  /** Rows before the shown line of this index. @param {number} index */
  top(index) {
    if (this.columns === 0) return index;
    if (index < this.#rows.length) return this.#rows[index];
    const last = this.#rows.length - 1;
    return last < 0 ? 0 : this.#rows[last] + this.rows(this.shown[last]);
  }

  /** Rows that a line takes. @param {Line} line */
  rows(line) {
    return this.columns === 0 ? 1 : Math.max(1, Math.ceil(width(line.text) / this.columns));
  }

  /** The shown line at a row. @param {number} row */
  at(row) {
    if (this.columns === 0) return Math.floor(row);
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#rows[middle] <= row) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** Where a line stands among those shown; -1 when it does not. @param {Line} line */
  indexOf(line) {
    for (let index = after(this.shown, line.ns) - 1; this.shown[index]?.ns === line.ns; index -= 1) {
      if (this.shown[index] === line) return index;
    }
    return -1;
  }

  /** @param {Line} line */
  matches(line) {
    return this.pattern !== null && !line.skipped && this.pattern.test(line.text);
  }

  /** Whether a filter takes anything away. */
  get isFiltered() {
    return this.levels.size > 0 || this.stream !== "" || (this.pattern !== null && (this.only || this.invert));
  }

  /** @param {Line} line */
  isShown(line) {
    if (line.skipped) return true;
    if (this.stream && line.stream !== (this.stream === "err" ? 2 : 1)) return false;
    if (this.levels.size > 0 && !this.levels.has(line.level)) return false;
    if (!this.pattern || !(this.only || this.invert)) return true;
    return this.matches(line) !== this.invert;
  }

  /** @param {Line} line */
  #show(line) {
    if (this.columns > 0) this.#rows.push(this.top(this.#rows.length));
    this.shown.push(line);
  }
}

/** @returns {Record<string, number>} */
function none() {
  return Object.fromEntries(LEVELS.map((name) => [name, 0]));
}

/** Nanoseconds as text: longer is later, else as the digits say. @param {string} one @param {string} other */
function isBefore(one, other) {
  return one.length === other.length ? one < other : one.length < other.length;
}

/** The index of the first line later than a moment. @param {Line[]} lines @param {string} ns */
function after(lines, ns) {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(ns, lines[middle].ns)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Columns of a text: East Asian wide characters take two. @param {string} text */
function width(text) {
  const wide = text.match(/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/g);
  return text.length + (wide?.length ?? 0);
}
