// @ts-check
/** Columns and density of a list: what is ticked shows at once, and is kept for the next time. */
class ListLook extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", this.#changed);
    this.querySelector("button[data-save]")?.setAttribute("hidden", "");
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.#changed);
  }

  #changed = () => {
    const form = this.querySelector("form");
    if (!form) return;
    const chosen = new FormData(form);
    const shown = chosen.getAll("column");
    const boxes = [...form.querySelectorAll("input[name=column]")].map((box) => box.getAttribute("value") ?? "");
    for (const table of document.querySelectorAll("#list .table")) {
      table.setAttribute("data-hide", boxes.filter((name) => !shown.includes(name)).join(" "));
      table.setAttribute("data-density", String(chosen.get("density")));
    }
    const body = new URLSearchParams(/** @type {any} */ (chosen));
    fetch(form.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
  };
}

customElements.define("list-look", ListLook);
