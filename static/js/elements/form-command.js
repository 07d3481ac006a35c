// @ts-check
/** Keeps the equivalent `docker run` line in step with a form: `<form-command form action>`. */
class FormCommand extends HTMLElement {
  #timer = 0;
  /** @type {HTMLFormElement | null} */
  #form = null;

  connectedCallback() {
    this.#form = document.querySelector(`form#${this.getAttribute("form")}`);
    this.#form?.addEventListener("input", this.#typed);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#form?.removeEventListener("input", this.#typed);
  }

  #typed = () => {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#ask(), 150);
  };

  async #ask() {
    if (!this.#form) return;
    const body = new URLSearchParams(/** @type {any} */ (new FormData(this.#form)));
    const answer = await fetch(this.getAttribute("action") ?? "", { method: "POST", body }).catch(() => null);
    const code = this.querySelector("code");
    if (answer?.ok && code) code.textContent = await answer.text();
  }
}

customElements.define("form-command", FormCommand);
