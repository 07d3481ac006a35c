// @ts-check
import { part, words } from "../lib/dom.js";

/** The JSON inside it as a tree that folds, and a search over keys and values. */
class JsonView extends HTMLElement {
  connectedCallback() {
    if (this.querySelector(".tree")) return;
    const source = part(this, "source")?.textContent ?? "null";
    const tree = document.createElement("div");
    tree.className = "tree";
    tree.append(this.#node("", JSON.parse(source), 0));
    part(this, "source").before(tree);
    part(this, "source").hidden = true;
    this.querySelector("[role=toolbar]")?.removeAttribute("hidden");
    part(this, "search").addEventListener("input", () => this.#search(part(this, "search").value));
    part(this, "unfold").addEventListener("click", () => this.#fold(true));
    part(this, "fold").addEventListener("click", () => this.#fold(false));
  }

  /** @param {string} key @param {any} value @param {number} depth @returns {HTMLElement} */
  #node(key, value, depth) {
    const name = document.createElement("span");
    name.className = "tree__key";
    name.textContent = key && `${key}: `;
    const isNest = value !== null && typeof value === "object" && Object.keys(value).length > 0;
    if (!isNest) {
      const leaf = document.createElement("div");
      leaf.className = "tree__leaf";
      leaf.append(name, this.#leaf(value));
      return leaf;
    }
    const nest = document.createElement("details");
    nest.open = depth < 2;
    const head = document.createElement("summary");
    const count = document.createElement("span");
    count.className = "tree__count";
    const n = Object.keys(value).length;
    count.textContent = words(this)("tree-entries", { count: n });
    head.append(name, count);
    nest.append(head);
    for (const [child, inner] of Object.entries(value)) nest.append(this.#node(child, inner, depth + 1));
    return nest;
  }

  /** @param {any} value */
  #leaf(value) {
    const leaf = document.createElement("span");
    leaf.textContent = JSON.stringify(value);
    const kind = { string: "string", number: "number" }[typeof value] ?? "word";
    leaf.className = String(value).includes("••••") ? "tree__masked" : `tree__${kind}`;
    return leaf;
  }

  /** @param {boolean} open */
  #fold(open) {
    for (const nest of this.querySelectorAll(".tree details")) nest.toggleAttribute("open", open);
    this.querySelector(".tree > details")?.setAttribute("open", "");
  }

  /** @param {string} text */
  #search(text) {
    const wanted = text.toLowerCase();
    let count = 0;
    for (const line of this.querySelectorAll(".tree__leaf, .tree summary")) {
      const hit = wanted !== "" && (line.textContent ?? "").toLowerCase().includes(wanted);
      line.classList.toggle("log__line--found", hit);
      if (!hit) continue;
      count += 1;
      if (count === 1) line.scrollIntoView({ block: "center" });
      for (let up = line.closest("details"); up; up = up.parentElement?.closest("details") ?? null) up.open = true;
    }
    part(this, "found").textContent = wanted && words(this)("tree-found", { count });
  }
}

customElements.define("json-view", JsonView);
