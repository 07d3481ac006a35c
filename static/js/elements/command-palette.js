// @ts-check
import { page } from "../lib/page.js";

/**
 * The search of the bar as a palette: Ctrl-K or a click, type, arrows, Enter. Shows what the search page
 * shows. Focus alone never opens it: whoever tabs through the bar goes on, or types and presses Enter.
 */
class CommandPalette extends HTMLElement {
  /** @type {HTMLDialogElement | null} */
  #dialog = null;
  #timer = 0;

  connectedCallback() {
    this.addEventListener("palette-open", this.#open);
    this.addEventListener("click", this.#open);
  }

  disconnectedCallback() {
    this.removeEventListener("palette-open", this.#open);
    this.removeEventListener("click", this.#open);
    this.#dialog?.remove();
  }

  #open = () => {
    if (this.#dialog?.open) return;
    this.#dialog ??= this.#build();
    this.#dialog.showModal();
    this.#dialog.querySelector("input")?.select();
    this.#ask();
  };

  #build() {
    const dialog = document.createElement("dialog");
    const field = document.createElement("label");
    const input = document.createElement("input");
    const results = document.createElement("div");
    const form = this.querySelector("form");
    dialog.className = "palette";
    field.className = "palette__field";
    input.type = "search";
    input.placeholder = input.ariaLabel = form?.querySelector("input")?.placeholder ?? "";
    dialog.ariaLabel = input.ariaLabel;
    input.role = "combobox";
    input.ariaExpanded = "true";
    input.ariaAutoComplete = "list";
    input.setAttribute("aria-controls", "palette-results");
    const icon = form?.querySelector("svg")?.cloneNode(true);
    field.append(...(icon ? [icon] : []), input);
    results.className = "palette__results";
    dialog.append(field, results);
    input.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#ask(), 80);
    });
    dialog.addEventListener("keydown", (event) => this.#key(event));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    document.body.append(dialog);
    return dialog;
  }

  async #ask() {
    const query = this.#dialog?.querySelector("input")?.value ?? "";
    const path = this.querySelector("form")?.getAttribute("action");
    const found = await page(`${path}?q=${encodeURIComponent(query)}`);
    const list = found?.getElementById("results");
    if (!list || query !== this.#dialog?.querySelector("input")?.value) return;
    list.id = "palette-results";
    list.className = "results";
    list.role = "listbox";
    list.ariaLabel = this.#dialog?.ariaLabel ?? null;
    for (const item of list.querySelectorAll("li")) item.role = item.querySelector("a") ? "none" : "option";
    for (const [at, link] of list.querySelectorAll("a").entries()) {
      link.id = `palette-${at}`;
      link.role = "option";
      link.tabIndex = -1;
    }
    this.#dialog?.querySelector(".palette__results")?.replaceChildren(list);
    this.#mark(0);
  }

  get #links() {
    return [...(this.#dialog?.querySelectorAll("a.results__item") ?? [])];
  }

  /** @param {number} index */
  #mark(index) {
    for (const [at, link] of this.#links.entries()) link.ariaSelected = String(at === index);
    this.#dialog?.querySelector("input")?.setAttribute("aria-activedescendant", this.#links[index]?.id ?? "");
    this.#links[index]?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const links = this.#links;
    const at = links.findIndex((link) => link.ariaSelected === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      this.#mark((at + step + links.length) % Math.max(1, links.length));
    } else if (event.key === "Enter" && links[at] instanceof HTMLAnchorElement) {
      event.preventDefault();
      location.assign(links[at].href);
    }
  }
}

customElements.define("command-palette", CommandPalette);
