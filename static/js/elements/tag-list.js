// @ts-check
/**
 * Completes an image's name by the tags that its registry lists, when it is asked to:
 * `<tag-list action>` with a button, an `output` and a `datalist`, in the form of the name.
 */
class TagList extends HTMLElement {
  /** @type {AbortController | null} */
  #asked = null;

  connectedCallback() {
    this.querySelector("button")?.addEventListener("click", this.#ask);
  }

  disconnectedCallback() {
    this.#asked?.abort();
    this.querySelector("button")?.removeEventListener("click", this.#ask);
  }

  #ask = async () => {
    const form = this.closest("form");
    const [button, output, list] = [this.querySelector("button"), this.querySelector("output"), this.querySelector("datalist")];
    if (!form || !button || !output || !list) return;
    const typed = (/** @type {string} */ name) => /** @type {any} */ (form.elements.namedItem(name))?.value ?? "";
    const query = new URLSearchParams({ registry: typed("registry"), reference: typed("reference") });
    this.#asked?.abort();
    const asked = (this.#asked = new AbortController());
    button.setAttribute("aria-busy", "true");
    const options = { headers: { accept: "application/json" }, signal: asked.signal };
    const answer = await fetch(`${this.getAttribute("action")}?${query}`, options).catch(() => null);
    /** @type {{ names?: string[], text?: string } | null} */
    const told = await answer?.json().catch(() => null);
    // An answer to what was asked before must not come over a newer one.
    if (asked.signal.aborted) return;
    button.removeAttribute("aria-busy");
    list.replaceChildren(...(told?.names ?? []).map((name) => new Option(name, name)));
    output.textContent = told?.text ?? this.dataset.lost ?? "";
  };
}

customElements.define("tag-list", TagList);
