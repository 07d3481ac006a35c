// @ts-check
import { words } from "../lib/dom.js";
import { refresh } from "../lib/live.js";
import { fill } from "../lib/text.js";
import { Uploads } from "../lib/uploads.js";

/**
 * Uploads into the directory that the page shows: `<file-drop data-put data-words>`. What its form
 * names, and what is dropped anywhere on the page, goes file by file, with progress and a way to stop.
 */
class FileDrop extends HTMLElement {
  /** The line of each file. @type {Map<File, HTMLElement>} */
  #lines = new Map();
  /** @type {Uploads | null} */
  #uploads = null;

  connectedCallback() {
    this.say = words(this);
    this.ending = new AbortController();
    const on = { signal: this.ending.signal };
    this.#uploads = new Uploads(this.dataset.put ?? "", (...told) => this.#told(...told), () => refresh());
    this.querySelector("[data-part=form]")?.addEventListener("submit", (event) => this.#sent(event), on);
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
      document.addEventListener(kind, (event) => this.#dragged(/** @type {DragEvent} */ (event)), on);
    }
    window.addEventListener("beforeunload", (event) => this.#uploads?.isBusy && event.preventDefault(), on);
  }

  disconnectedCallback() {
    this.ending?.abort();
    this.#uploads?.end();
  }

  /** @param {Event} event */
  #sent(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const input = form.querySelector("input[type=file]");
    if (!(input instanceof HTMLInputElement) || !input.files?.length) return;
    event.preventDefault();
    const replace = form.querySelector("[name=replace]");
    const files = [...input.files];
    input.value = "";
    for (const file of files) this.#add(file, replace instanceof HTMLInputElement && replace.checked);
  }

  /** @param {DragEvent} event */
  #dragged(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.body.toggleAttribute("data-dropping", event.type === "dragenter" || event.type === "dragover");
    if (event.type !== "drop") return;
    for (const item of event.dataTransfer.items) {
      const file = item.getAsFile();
      if (!file) continue;
      if (item.webkitGetAsEntry()?.isDirectory) this.#told(file, "failed", { text: this.say?.("upload-folder") });
      else this.#add(file, false);
    }
  }

  /** @param {File} file @param {boolean} replace */
  #add(file, replace) {
    this.#uploads?.add(file, replace);
  }

  /** @param {File} file @param {import("../lib/uploads.js").State} state @param {{ part?: number, text?: string }} detail */
  #told(file, state, { part = 0, text }) {
    const line = this.#lines.get(file) ?? this.#line(file);
    line.dataset.state = state;
    const progress = line.querySelector("progress");
    if (progress) progress.value = state === "done" ? 1 : part;
    const note = line.querySelector("output");
    if (note) note.textContent = this.#note(state, part, text);
    const [again, stop] = line.querySelectorAll("button");
    if (again) again.hidden = state !== "taken";
    if (stop) stop.hidden = state !== "waits" && state !== "goes";
    this.#count();
  }

  /** @param {string} state @param {number} part @param {string | undefined} text */
  #note(state, part, text) {
    const say = this.say ?? String;
    if (state === "goes") return `${Math.floor(part * 100)} %`;
    if (state === "done") return say("upload-done");
    if (state === "waits" || state === "cancelled") return say(`upload-${state}`);
    return text || say("upload-failed");
  }

  /** The line of a file that is new here. @param {File} file */
  #line(file) {
    const line = document.createElement("li");
    line.className = "upload";
    const name = document.createElement("span");
    name.className = "upload__name";
    name.textContent = file.name;
    const progress = document.createElement("progress");
    progress.max = 1;
    progress.setAttribute("aria-label", file.name);
    const again = this.#button("upload-replace", file.name, () => this.#add(file, true));
    const stop = this.#button("cancel", file.name, () => this.#uploads?.cancel(file));
    line.append(name, progress, document.createElement("output"), again, stop);
    this.#lines.set(file, line);
    const list = this.querySelector("[data-part=uploads]");
    list?.removeAttribute("hidden");
    list?.append(line);
    return line;
  }

  /** @param {string} key @param {string} name @param {() => void} act */
  #button(key, name, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button--small";
    button.textContent = this.say?.(key) ?? key;
    button.setAttribute("aria-label", `${button.textContent}: ${name}`);
    button.addEventListener("click", act);
    return button;
  }

  /** How many of them have come, in the list's name. */
  #count() {
    const states = [...this.#lines.values()].map((line) => line.dataset.state);
    const done = states.filter((state) => state === "done").length;
    const list = this.querySelector("[data-part=uploads]");
    list?.setAttribute("aria-label", fill(this.say?.("upload-all"), { done, count: states.length }));
  }
}

customElements.define("file-drop", FileDrop);
