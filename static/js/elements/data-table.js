// @ts-check
/** Selection of rows: all of the page, a range by shift-click, and the bar that counts them. */
class DataTable extends HTMLElement {
  /** @type {HTMLInputElement | null} */
  #last = null;

  connectedCallback() {
    this.addEventListener("click", this.#clicked);
    this.addEventListener("change", this.#count);
    this.#count();
  }

  disconnectedCallback() {
    this.removeEventListener("click", this.#clicked);
    this.removeEventListener("change", this.#count);
  }

  /** @returns {HTMLInputElement[]} */
  get #boxes() {
    return [...this.querySelectorAll("tbody .check")].filter((box) => box instanceof HTMLInputElement);
  }

  #clicked = (/** @type {MouseEvent} */ event) => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || !box.classList.contains("check")) return;
    const boxes = this.#boxes;
    if (box.dataset.all !== undefined) {
      for (const each of boxes) each.checked = box.checked;
    } else {
      const [from, to] = [boxes.indexOf(this.#last ?? box), boxes.indexOf(box)];
      if (event.shiftKey && from >= 0) {
        for (const each of boxes.slice(Math.min(from, to), Math.max(from, to))) each.checked = box.checked;
      }
      this.#last = box;
    }
    this.#count();
  };

  #count = () => {
    const bar = this.querySelector("form.bulk-bar");
    const output = bar?.querySelector("output");
    if (!(bar instanceof HTMLElement) || !output) return;
    const count = this.#boxes.filter((box) => box.checked).length;
    const text = count === 1 ? bar.dataset.one : bar.dataset.many;
    output.textContent = (text ?? "").replace("{count}", String(count));
    const all = this.querySelector("[data-all]");
    if (all instanceof HTMLInputElement) {
      all.checked = count > 0 && count === this.#boxes.length;
      all.indeterminate = count > 0 && count < this.#boxes.length;
    }
  };
}

customElements.define("data-table", DataTable);
