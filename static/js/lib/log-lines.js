// @ts-check
import { plain } from "./ansi.js";

/**
 * The lines of a log, those of them that are shown, and where each stands.
 *
 * @typedef {{ key: number, stream: number, ns: string, raw: string, text: string, skipped?: boolean }} Line
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
  /** Characters a row, 0 when lines do not wrap. */
  columns = 0;
  #next = 0;

  /** @param {{ stream?: number, ns?: string, raw: string, skipped?: boolean }} line @returns {boolean} shown */
  add({ stream = 0, ns = "", raw, skipped }) {
    const line = { key: this.#next++, stream, ns, raw, text: plain(raw), skipped };
    this.all.push(line);
    if (!this.#isShown(line)) return false;
    this.#show(line);
    return true;
  }

  /** Forgets the oldest when there are too many. @returns {boolean} whether lines went */
  trim() {
    if (this.all.length <= MOST_LINES) return false;
    this.all.splice(0, FORGET);
    this.refilter();
    return true;
  }

  clear() {
    this.all = [];
    this.refilter();
  }

  refilter() {
    this.shown = [];
    this.#rows = [];
    for (const line of this.all) if (this.#isShown(line)) this.#show(line);
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

  /** @param {Line} line */
  matches(line) {
    return this.pattern !== null && !line.skipped && this.pattern.test(line.text);
  }

  /** @param {Line} line */
  #isShown(line) {
    if (line.skipped) return true;
    if (this.stream && line.stream !== (this.stream === "err" ? 2 : 1)) return false;
    if (!this.pattern || !(this.only || this.invert)) return true;
    return this.matches(line) !== this.invert;
  }

  /** @param {Line} line */
  #show(line) {
    if (this.columns > 0) this.#rows.push(this.top(this.#rows.length));
    this.shown.push(line);
  }
}

/** Columns of a text: East Asian wide characters take two. @param {string} text */
function width(text) {
  const wide = text.match(/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/g);
  return text.length + (wide?.length ?? 0);
}
