// @ts-check
/** Keeps what is typed from being lost, and saves by Ctrl-S: `<file-editor><form><textarea>`. */
class FileEditor extends HTMLElement {
  /** Whether there is something that nobody has saved. */
  #isChanged = false;

  connectedCallback() {
    this.ending = new AbortController();
    const on = { signal: this.ending.signal };
    const form = this.querySelector("form");
    form?.addEventListener("input", () => (this.#isChanged = true), on);
    form?.addEventListener("submit", () => (this.#isChanged = false), on);
    form?.addEventListener("keydown", (event) => this.#pressed(event, form), on);
    window.addEventListener("beforeunload", (event) => this.#isChanged && event.preventDefault(), on);
  }

  disconnectedCallback() {
    this.ending?.abort();
  }

  /** @param {KeyboardEvent} event @param {HTMLFormElement} form */
  #pressed(event, form) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    form.requestSubmit(form.querySelector(".button--primary"));
  }
}

customElements.define("file-editor", FileEditor);
