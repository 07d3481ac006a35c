// @ts-check
import { fragment, part, swap } from "../lib/dom.js";

/** Nothing is asked while somebody types. */
const PAUSE_MS = 300;
const LEAST_ROWS = 14;

/**
 * A field with numbered lines, whose faults are marked at their line while it is typed:
 * `<dockerfile-editor action unchecked><textarea>…<div id=dockerfile-faults>`. Nobody is asked without
 * `action`; `unchecked` is said when nobody answers.
 */
class DockerfileEditor extends HTMLElement {
  #timer = 0;
  /** @type {AbortController | null} */
  #asked = null;
  /** Whether the next Tab leaves the field. */
  #leaves = false;

  connectedCallback() {
    this.ending = new AbortController();
    const on = { signal: this.ending.signal };
    this.text = /** @type {HTMLTextAreaElement} */ (this.querySelector("textarea"));
    this.text.addEventListener("input", () => this.#typed(), on);
    this.text.addEventListener("keydown", (event) => this.#pressed(event), on);
    this.text.addEventListener("blur", () => (this.#leaves = false), on);
    this.addEventListener("click", (event) => this.#clicked(event), on);
    // What decides whether the Dockerfile makes sense stands beside it.
    for (const name of ["target", "platform", "args"]) {
      this.text.form?.querySelector(`[name=${name}]`)?.addEventListener("input", () => this.#typed(), on);
    }
    this.#number();
    if (this.text.value.trim() !== "") this.#ask();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    this.ending?.abort();
  }

  #typed() {
    this.#number();
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#ask(), PAUSE_MS);
  }

  async #ask() {
    const form = this.text?.form;
    const action = this.getAttribute("action");
    if (!form || action === null) return;
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
    // An answer to what was typed before must not come over a newer one.
    this.#asked?.abort();
    const { signal } = (this.#asked = new AbortController());
    const answer = await fetch(action, { method: "POST", body, signal }).catch(() => null);
    const html = answer?.ok ? await answer.text().catch(() => null) : null;
    const old = this.#faults();
    if (signal.aborted || !old || !this.isConnected) return;
    swap(old, (html === null ? null : fragment(html)) ?? this.#unchecked());
    this.#number();
    this.#offer();
    if (this.#lines().size > 0) this.text?.setAttribute("aria-invalid", "true");
    else this.text?.removeAttribute("aria-invalid");
  }

  #faults() {
    return this.querySelector("#dockerfile-faults");
  }

  /** In the place of faults: what was found before is not about what is typed now. */
  #unchecked() {
    const said = document.createElement("p");
    said.className = "faults__count";
    said.textContent = this.getAttribute("unchecked");
    const faults = document.createElement("div");
    faults.className = "faults";
    faults.id = "dockerfile-faults";
    faults.append(said);
    return faults;
  }

  #lines() {
    return new Set(this.#faults()?.getAttribute("data-lines")?.split(" ").filter(Boolean));
  }

  /** A number for each line, a mark for each that is wrong, and room for all. */
  #number() {
    if (!this.text) return;
    const count = this.text.value.split("\n").length;
    this.text.rows = Math.max(LEAST_ROWS, count + 1);
    const wrong = this.#lines();
    const numbers = Array.from({ length: count }, (_, at) => {
      const number = document.createElement("span");
      number.textContent = String(at + 1);
      if (wrong.has(String(at + 1))) number.dataset.wrong = "";
      return number;
    });
    part(this, "numbers").replaceChildren(...numbers);
  }

  /** The stages, where one of them is chosen. */
  #offer() {
    const names = this.#faults()?.getAttribute("data-stages")?.split("\n").filter(Boolean) ?? [];
    if (names.length === 0) return;
    const options = names.map((name) => {
      const option = document.createElement("option");
      option.value = name;
      return option;
    });
    document.getElementById("build-stages")?.replaceChildren(...options);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const leaves = this.#leaves;
    this.#leaves = event.key === "Escape";
    if (event.key !== "Tab" || leaves || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.text?.setRangeText("    ", this.text.selectionStart, this.text.selectionEnd, "end");
    this.text?.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** @param {Event} event */
  #clicked(event) {
    const link = /** @type {Element} */ (event.target).closest("a[data-line]");
    if (!(link instanceof HTMLElement) || !this.text) return;
    event.preventDefault();
    const lines = this.text.value.split("\n");
    const line = Math.min(Number(link.dataset.line), lines.length) - 1;
    const start = lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0);
    this.text.focus();
    this.text.setSelectionRange(start, start + (lines[line]?.length ?? 0));
  }
}

customElements.define("dockerfile-editor", DockerfileEditor);
