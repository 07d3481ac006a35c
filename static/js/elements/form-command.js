// @ts-check
/** Keeps the equivalent `docker run` line in step with a form: `<form-command form action>`; without `action` it stays. */
class FormCommand extends HTMLElement {
  #timer = 0;
  /** @type {AbortController | null} */
  #asked = null;
  /** @type {HTMLFormElement | null} */
  #form = null;

  connectedCallback() {
    this.#form = document.querySelector(`form#${this.getAttribute("form")}`);
    this.#form?.addEventListener("input", this.#typed);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#asked?.abort();
    this.#form?.removeEventListener("input", this.#typed);
  }

  #typed = () => {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#ask(), 150);
  };

  async #ask() {
    const action = this.getAttribute("action");
    if (!this.#form || action === null) return;
    const body = new URLSearchParams(/** @type {any} */ (new FormData(this.#form)));
    // An answer to what was typed before must not come over a newer one.
    this.#asked?.abort();
    this.#asked = new AbortController();
    const options = { method: "POST", body, signal: this.#asked.signal };
    const answer = await fetch(action, options).catch(() => null);
    const line = answer?.ok ? await answer.text().catch(() => null) : null;
    const code = this.querySelector("code");
    if (line !== null && code) code.textContent = line;
  }
}

customElements.define("form-command", FormCommand);
