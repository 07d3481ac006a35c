// @ts-check
import { swapped } from "../lib/live.js";
import { page } from "../lib/page.js";

/** Filters the list while one types: fetches the same page and swaps its list. */
class FilterField extends HTMLElement {
  #timer = 0;
  /** @type {AbortController | null} */
  #asked = null;

  connectedCallback() {
    if (this.querySelector("[name=filter]")) this.addEventListener("input", this.#typed);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.removeEventListener("input", this.#typed);
  }

  #typed = () => {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#ask(), 200);
  };

  async #ask() {
    const form = this.closest("form");
    if (!form) return;
    this.#asked?.abort();
    this.#asked = new AbortController();
    const fields = [...new FormData(form)].filter(([, value]) => value !== "");
    const query = new URLSearchParams(/** @type {any} */ (fields)).toString();
    const url = new URL(form.action);
    url.search = query;
    const found = await page(url, { signal: this.#asked.signal });
    const fresh = found?.getElementById("list");
    if (!fresh) return;
    document.getElementById("list")?.replaceWith(fresh);
    history.replaceState(null, "", url);
    swapped();
  }
}

customElements.define("filter-field", FilterField);
