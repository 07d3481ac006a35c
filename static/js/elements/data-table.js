// @ts-check
import { fill } from "../lib/text.js";

/**
 * Selection of rows: all of the page, a range by shift-click or `x`, and the bar that counts them and
 * says what each of its actions would do to them.
 */
class DataTable extends HTMLElement {
  /** The box that was last changed, by its value: rows are swapped while one selects. */
  #last = "";

  connectedCallback() {
    this.ending = new AbortController();
    const on = { signal: this.ending.signal };
    this.addEventListener("click", (event) => this.#clicked(event), on);
    this.addEventListener("change", () => this.#count(), on);
    for (const kind of ["pointerover", "pointerout", "focusin", "focusout"]) {
      this.addEventListener(kind, (event) => this.#hint(event), on);
    }
    this.rows = new MutationObserver(() => this.#count());
    const body = this.querySelector("tbody");
    if (body) this.rows.observe(body, { childList: true });
    this.#count();
  }

  disconnectedCallback() {
    this.ending?.abort();
    this.rows?.disconnect();
  }

  /** @returns {HTMLInputElement[]} */
  get #boxes() {
    return [...this.querySelectorAll("tbody .check")].filter((box) => box instanceof HTMLInputElement);
  }

  get #bar() {
    return /** @type {HTMLElement | null} */ (this.querySelector("form.bulk-bar"));
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.classList.contains("check")) return;
    const boxes = this.#boxes;
    if (box.dataset.all !== undefined) {
      for (const each of boxes) each.checked = box.checked;
    } else {
      const [from, to] = [boxes.findIndex((each) => each.value === this.#last), boxes.indexOf(box)];
      if (event.shiftKey && from >= 0) {
        for (const each of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) each.checked = box.checked;
      }
      this.#last = box.value;
    }
    this.#count();
  }

  /** How many are selected, how many of them run, how many do not. */
  get #tally() {
    const picked = this.#boxes.filter((box) => box.checked);
    const alive = picked.filter((box) => box.closest("tr")?.dataset.alive !== undefined).length;
    return { count: picked.length, alive, asleep: picked.length - alive };
  }

  #count() {
    const all = this.querySelector("[data-all]");
    const tally = this.#tally;
    if (all instanceof HTMLInputElement) {
      all.checked = tally.count > 0 && tally.count === this.#boxes.length;
      all.indeterminate = tally.count > 0 && !all.checked;
    }
    const bar = this.#bar;
    const output = bar?.querySelector("output");
    if (!bar || !output || tally.count === 0) return;
    output.textContent = fill(tally.count === 1 ? bar.dataset.one : bar.dataset.many, tally);
    for (const button of bar.querySelectorAll("button[data-applies]")) {
      const n = tally[/** @type {"alive"} */ (button.getAttribute("data-applies"))];
      const number = button.querySelector(".bulk-bar__n");
      if (number) number.textContent = String(n);
      if (n === 0) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
    this.#say("");
  }

  /** What the action under the pointer or the focus would do. @param {Event} event */
  #hint(event) {
    const button = /** @type {Element} */ (event.target).closest("form.bulk-bar button");
    if (!button) return;
    const isOver = event.type === "pointerover" || event.type === "focusin";
    this.#say(isOver ? (button.getAttribute("data-consequence") ?? "") : "");
  }

  /** @param {string} words of an action; what is selected when there are none */
  #say(words) {
    const line = this.#bar?.querySelector("[data-slot=consequence]");
    if (line) line.textContent = fill(words || this.#bar?.dataset.mix, this.#tally);
  }
}

customElements.define("data-table", DataTable);
