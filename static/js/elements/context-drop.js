// @ts-check
import { part, words } from "../lib/dom.js";
import { TooMany, chosen, dropped } from "../lib/dropped.js";
import { MOST_BYTES, archive } from "../lib/tar.js";
import { bytes } from "../lib/text.js";

/** More files are packed faster by other programs. */
const MOST_FILES = 20_000;
/** The longest Dockerfile that goes into the editor. */
const MOST_TEXT = 1 << 20;

/**
 * The files of a build: what is dropped on the page or chosen here becomes the archive of the form's own
 * field: `<context-drop data-words><input type=file name=context>`. The form then goes as without a script.
 */
class ContextDrop extends HTMLElement {
  connectedCallback() {
    this.say = words(this);
    this.ending = new AbortController();
    const on = { signal: this.ending.signal };
    this.input = /** @type {HTMLInputElement} */ (this.querySelector("input[name=context]"));
    for (const kind of ["folder", "files"]) {
      const input = /** @type {HTMLInputElement} */ (part(this, kind));
      part(this, `choose-${kind}`).addEventListener("click", () => input.click(), on);
      input.addEventListener("change", () => input.files?.length && this.#take(chosen(input.files)), on);
    }
    part(this, "clear").addEventListener("click", () => this.#clear(), on);
    this.input.addEventListener("change", () => this.#tell(""), on);
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
      document.addEventListener(kind, (event) => this.#dragged(/** @type {DragEvent} */ (event)), on);
    }
    this.#mark();
  }

  disconnectedCallback() {
    this.ending?.abort();
  }

  /** @param {DragEvent} event */
  async #dragged(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.toggleAttribute("data-dropping", event.type === "dragenter" || event.type === "dragover");
    if (event.type !== "drop") return;
    try {
      const tell = (/** @type {number} */ count) => this.#tell(this.say?.("context-reading", { count }) ?? "");
      this.#take(await dropped(event.dataTransfer, MOST_FILES, tell));
    } catch (error) {
      const key = error instanceof TooMany ? "context-too-many" : "context-broken";
      const name = error instanceof Error ? error.message : "";
      this.#clear();
      this.#tell(this.say?.(key, { count: MOST_FILES, name }) ?? "");
    }
  }

  /** @param {import("../lib/tar.js").Member[]} members */
  async #take(members) {
    if (members.length === 0) return;
    this.#clear();
    const large = members.find(({ file }) => file.size > MOST_BYTES);
    if (members.length > MOST_FILES) return this.#tell(this.say?.("context-too-many", { count: MOST_FILES }) ?? "");
    if (large) return this.#tell(this.say?.("context-too-large", { name: large.path }) ?? "");
    const transfer = new DataTransfer();
    transfer.items.add(new File([archive(members)], "context.tar", { type: "application/x-tar" }));
    if (this.input) this.input.files = transfer.files;
    const size = bytes(members.reduce((sum, { file }) => sum + file.size, 0));
    this.#tell(this.say?.("context-files", { count: members.length, size }) ?? "");
    const dockerfile = members.find(({ path }) => path === "Dockerfile");
    if (dockerfile && dockerfile.file.size <= MOST_TEXT) this.#show(await dockerfile.file.text().catch(() => ""));
  }

  /** An empty editor shows the Dockerfile of what was chosen. @param {string} text */
  #show(text) {
    const editor = document.getElementById("dockerfile");
    if (!(editor instanceof HTMLTextAreaElement) || editor.value.trim() !== "") return;
    editor.value = text;
    editor.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #clear() {
    if (this.input) this.input.value = "";
    for (const kind of ["folder", "files"]) part(this, kind).value = "";
    this.#tell("");
  }

  /** @param {string} text */
  #tell(text) {
    part(this, "chosen").textContent = text;
    this.#mark();
  }

  /** Whether there are files, for the command beside the form. */
  #mark() {
    const has = Boolean(this.input?.files?.length);
    const mark = this.querySelector("input[name=files]");
    part(this, "clear").hidden = !has;
    if (!(mark instanceof HTMLInputElement) || mark.value === (has ? "on" : "")) return;
    mark.value = has ? "on" : "";
    mark.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

customElements.define("context-drop", ContextDrop);
