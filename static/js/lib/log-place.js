// @ts-check
/**
 * Where the window of a log stands. The line that somebody looks at stays where it is, whatever comes
 * before it: the lines of several logs come in turns, and old ones are forgotten.
 *
 * @typedef {import("./log-lines.js").Line} Line
 * @typedef {{ scrollTop: number, clientHeight: number, scrollHeight: number }} Box
 */
export class LogPlace {
  #box;
  #lines;
  /** The line that stays, and its distance from the upper edge. @type {{ line: Line, below: number } | null} */
  #kept = null;
  /** Where this script has scrolled to: elsewhere, a person has. */
  #own = 0;
  rowHeight = 20;

  /** @param {Box} box @param {import("./log-lines.js").LogLines} lines */
  constructor(box, lines) {
    this.#box = box;
    this.#lines = lines;
  }

  /** Nothing is looked at any more. */
  forget() {
    this.#kept = null;
  }

  /** Goes to the end, whatever comes. */
  follow() {
    this.#kept = null;
    this.#scroll(this.#box.scrollHeight);
  }

  /** Brings a shown line into the middle. @param {number} index */
  center(index) {
    this.#kept = { line: this.#lines.shown[index], below: this.#box.clientHeight / 2 };
    this.stay();
  }

  /** Brings the line that is looked at back to its place. */
  stay() {
    const index = this.#kept ? this.#lines.indexOf(this.#kept.line) : -1;
    if (!this.#kept || index < 0) return this.#keep();
    const top = this.#lines.top(index) * this.rowHeight - this.#kept.below;
    if (Math.abs(this.#box.scrollTop - top) >= 1) this.#scroll(top);
  }

  /** Hears that the window was scrolled. @returns {boolean} whether by a person */
  scrolled() {
    if (Math.abs(this.#box.scrollTop - this.#own) < 1) return false;
    this.#own = this.#box.scrollTop;
    this.#keep();
    return true;
  }

  get isAtEnd() {
    const { scrollTop, clientHeight, scrollHeight } = this.#box;
    return scrollTop + clientHeight >= scrollHeight - this.rowHeight * 2;
  }

  /** From now on the first line in sight is looked at. */
  #keep() {
    const first = this.#lines.at(this.#box.scrollTop / this.rowHeight);
    const line = this.#lines.shown[first];
    this.#kept = line ? { line, below: this.#lines.top(first) * this.rowHeight - this.#box.scrollTop } : null;
  }

  /** @param {number} top */
  #scroll(top) {
    this.#box.scrollTop = top;
    // What the window made of it.
    this.#own = this.#box.scrollTop;
  }
}
