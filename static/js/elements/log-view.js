// @ts-check
import { containerRun } from "../lib/live.js";
import { download } from "../lib/log-download.js";
import { LEVELS } from "../lib/log-levels.js";
import { LogLines } from "../lib/log-lines.js";
import { LogPlace } from "../lib/log-place.js";
import { row } from "../lib/log-row.js";
import { LogSource } from "../lib/log-source.js";
import { fill } from "../lib/text.js";

/** Rows drawn above and below what is in sight. */
const MARGIN = 20;
/** What of the bar stands in the URL, so that a link shows the same. */
const KEPT = ["search", "regex", "only", "invert", "stream", "since"];

/**
 * `<log-view>`: a window on the logs of one or several containers, each an element with `data-log`.
 * Only the lines in sight are in the document; following lets go when one scrolls up.
 */
class LogView extends HTMLElement {
  #lines = new LogLines();
  /** @type {Map<number, HTMLElement>} */
  #drawn = new Map();
  /** @type {LogSource[]} */
  #sources = [];
  #open = 0;
  #frame = 0;
  #new = 0;
  #found = -1;
  #hit = -1;
  /** The time of the line that the address leads to, until it was shown. */
  #wanted = "";

  connectedCallback() {
    this.bar = /** @type {HTMLFormElement} */ (this.querySelector(".log__bar"));
    this.window = /** @type {HTMLElement} */ (this.querySelector(".log__lines"));
    this.more = /** @type {HTMLElement} */ (this.querySelector(".log__more"));
    this.note = /** @type {HTMLOutputElement} */ (this.querySelector("[data-slot=note]"));
    this.names = [...this.querySelectorAll("[data-log]")].map((element) => element.getAttribute("data-name") ?? "");
    this.canvas = document.createElement("div");
    this.canvas.className = "log__canvas";
    this.window.replaceChildren(this.canvas);
    this.place = new LogPlace(this.window, this.#lines);
    this.place.rowHeight = parseFloat(getComputedStyle(this.window).lineHeight) || 20;
    this.begin = new AbortController();
    const on = { signal: this.begin.signal };
    this.window.addEventListener("scroll", () => this.#scrolled(), { passive: true, ...on });
    this.bar.addEventListener("submit", (event) => this.#submitted(event), on);
    this.bar.addEventListener("input", (event) => this.#changed(event), on);
    this.addEventListener("click", (event) => this.#clicked(event), on);
    document.addEventListener("container-run", () => this.#wake(), on);
    window.addEventListener("hashchange", () => this.#redraw(), on);
    this.resize = new ResizeObserver(() => this.#measure());
    this.resize.observe(this.window);
    this.#recall();
    this.#settings();
    this.#connect();
  }

  disconnectedCallback() {
    this.begin?.abort();
    this.resize?.disconnect();
    this.#sources.forEach((source) => source.close());
    cancelAnimationFrame(this.#frame);
  }

  /** A control of the bar. @param {string} name */
  #control(name) {
    return /** @type {HTMLInputElement | null} */ (this.bar?.elements.namedItem(name));
  }

  /** The value of a control of the bar. @param {string} name */
  #value(name) {
    const control = this.#control(name);
    if (!control) return "";
    return control.type === "checkbox" ? (control.checked ? "on" : "") : control.value;
  }

  get #follows() {
    return this.#value("follow") === "on";
  }

  set #follows(on) {
    const control = this.#control("follow");
    if (control) control.checked = on;
    if (on) this.#new = 0;
  }

  /** Fills the bar from the address. */
  #recall() {
    const query = new URLSearchParams(location.search);
    for (const name of KEPT) {
      const [control, value] = [this.#control(name), query.get(name)];
      if (!control || value === null) continue;
      if (control.type === "checkbox") control.checked = value === "on";
      else control.value = value;
    }
    for (const name of (query.get("levels") ?? "").split(",")) {
      if (LEVELS.includes(name)) this.#lines.levels.add(name);
    }
  }

  /** Puts what the bar says into the address. */
  #remember() {
    const query = new URLSearchParams(location.search);
    for (const name of KEPT) {
      if (this.#value(name)) query.set(name, this.#value(name));
      else query.delete(name);
    }
    if (this.#lines.levels.size > 0) query.set("levels", [...this.#lines.levels].join(","));
    else query.delete("levels");
    const search = query.size > 0 ? `?${query}` : "";
    if (search !== location.search) history.replaceState(null, "", location.pathname + search + location.hash);
    this.#addressDownload();
  }

  /** The file holds what the server can leave out: a stream, what is too old. */
  #addressDownload() {
    const link = this.querySelector("a[download]");
    if (!(link instanceof HTMLAnchorElement)) return;
    const url = new URL(link.href);
    for (const name of ["stream", "since"]) {
      if (this.#value(name)) url.searchParams.set(name, this.#value(name));
      else url.searchParams.delete(name);
    }
    link.href = url.href;
  }

  #connect() {
    this.#sources.forEach((source) => source.close());
    this.#lines.clear();
    this.ended = false;
    this.run = containerRun();
    const linked = /^#at-(\d+)$/.exec(location.hash)?.[1];
    this.#wanted = linked ?? "";
    this.place?.forget();
    if (linked) this.#follows = false;
    const logs = [...this.querySelectorAll("[data-log]")];
    this.#open = logs.length;
    this.#sources = logs.map(
      (log, source) =>
        new LogSource({
          path: log.getAttribute("data-log") ?? "",
          since: this.#value("since"),
          linked,
          onLines: (lines) => this.#take(lines.map((line) => ({ ...line, source }))),
          onSkipped: (n, ns) => this.#take([{ raw: fill(this.dataset.skipped, { n }), ns, source, skipped: true }]),
          onEnd: (message) => this.#end(message),
          onState: (isLost) => (isLost && !this.ended ? this.#say(this.dataset.lost) : this.#count()),
        }),
    );
  }

  /** @param {import("../lib/log-lines.js").Fresh[]} lines of one source */
  #take(lines) {
    const fresh = this.#lines.merge(lines);
    if (this.#lines.trim()) this.#redraw();
    if (!this.#follows) this.#new += fresh;
    this.#count();
    this.#draw();
  }

  /** One of the logs has no more to come. @param {string | undefined} message */
  #end(message) {
    this.#open -= 1;
    if (this.#open > 0 && !message) return;
    this.ended = this.#open <= 0;
    this.#say(message ?? this.dataset.ended);
    this.#draw();
    // The page may have heard of the next run before the end of this one.
    this.#wake();
  }

  /** A log that ended with its container goes on when the container runs again. */
  #wake() {
    if (!this.ended || !containerRun() || containerRun() === this.run) return;
    this.run = containerRun();
    this.ended = false;
    this.#open = this.#sources.length;
    this.#sources.forEach((source) => source.wake());
    this.#count();
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    event.preventDefault();
    this.#seek(1);
  }

  /** @param {Event} event */
  #changed(event) {
    const name = /** @type {HTMLInputElement} */ (event.target).name;
    if (name === "follow") {
      this.#follows = this.#follows;
      return this.#draw();
    }
    if (name === "since") {
      history.replaceState(null, "", location.pathname + location.search);
      this.#remember();
      return this.#connect();
    }
    this.#settings();
    this.#remember();
  }

  #settings() {
    const text = this.#value("search");
    try {
      const source = this.#value("regex") ? text : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      this.#lines.pattern = text ? new RegExp(source, "i") : null;
      this.#control("search")?.setCustomValidity("");
    } catch (error) {
      this.#control("search")?.setCustomValidity(String(error));
    }
    this.#lines.only = this.#value("only") === "on";
    this.#lines.invert = this.#value("invert") === "on";
    this.#lines.stream = this.#value("stream");
    this.#found = this.#hit = -1;
    this.classList.toggle("log--wrap", this.#value("wrap") === "on");
    this.classList.toggle("log--untimed", this.#value("times") === "none");
    this.#addressDownload();
    this.#measure();
  }

  /** Counts how many characters fit in a row, for lines that wrap. */
  #measure() {
    let columns = 0;
    if (this.#value("wrap") === "on") {
      const probe = row(
        { key: -1, source: 0, stream: 1, ns: "0", raw: "0".repeat(100), text: "", level: "" },
        { pattern: null, times: this.#value("times"), found: false, names: this.names ?? [] },
      );
      probe.style.whiteSpace = "pre";
      this.canvas?.append(probe);
      const text = /** @type {HTMLElement} */ (probe.querySelector(".log__text"));
      const character = text.getBoundingClientRect().width / 100;
      const left = text.offsetLeft;
      probe.remove();
      columns = Math.max(20, Math.floor((/** @type {HTMLElement} */ (this.window).clientWidth - left - 16) / character));
    }
    this.#lines.columns = columns;
    this.#lines.refilter();
    this.#redraw();
    this.#count();
  }

  #redraw() {
    this.#drawn.forEach((element) => element.remove());
    this.#drawn.clear();
    this.#draw();
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    const { window, canvas, place } = this;
    if (!window || !canvas || !place) return;
    const { shown } = this.#lines;
    const { rowHeight } = place;
    canvas.style.blockSize = `${this.#lines.top(shown.length) * rowHeight}px`;
    if (this.#follows) place.follow();
    else if (this.#wanted) this.#show(this.#wanted);
    else place.stay();
    const first = Math.max(0, this.#lines.at(window.scrollTop / rowHeight) - MARGIN);
    const end = (window.scrollTop + window.clientHeight) / rowHeight;
    const keep = new Set();
    for (let index = first; index < shown.length && this.#lines.top(index) < end + MARGIN; index += 1) {
      const line = shown[index];
      keep.add(line.key);
      const element = this.#drawn.get(line.key) ?? this.#make(line, index);
      element.style.insetBlockStart = `${this.#lines.top(index) * rowHeight}px`;
    }
    for (const [key, element] of this.#drawn) {
      if (keep.has(key)) continue;
      element.remove();
      this.#drawn.delete(key);
    }
    const more = /** @type {HTMLElement} */ (this.more);
    more.hidden = this.#follows || this.#new === 0;
    more.textContent = fill(this.dataset.new, { n: this.#new });
  }

  /** @param {import("../lib/log-lines.js").Line} line @param {number} index */
  #make(line, index) {
    const { pattern } = this.#lines;
    const element = row(line, {
      pattern: this.#lines.invert ? null : pattern,
      times: this.#value("times"),
      found: index === this.#hit || location.hash === `#at-${line.ns}`,
      names: this.names ?? [],
    });
    this.canvas?.append(element);
    this.#drawn.set(line.key, element);
    return element;
  }

  /** Brings the line that the address leads to into sight, once it is here. @param {string} ns */
  #show(ns) {
    const index = this.#lines.shown.findIndex((line) => line.ns === ns);
    if (index < 0) return;
    this.#wanted = "";
    this.place?.center(index);
  }

  #scrolled() {
    const { place } = this;
    // What this script scrolls to says nothing about what a person wants.
    if (place?.scrolled() && place.isAtEnd !== this.#follows && !this.#wanted) this.#follows = place.isAtEnd;
    this.#draw();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const button = /** @type {HTMLElement | null} */ (target.closest("[data-do], [data-level]"));
    const what = button?.dataset.do;
    if (button?.dataset.level) this.#pick(button.dataset.level);
    else if (what === "follow") {
      this.#follows = true;
      this.#draw();
    } else if (what === "next") this.#seek(1);
    else if (what === "previous") this.#seek(-1);
    else if (what === "copy") navigator.clipboard.writeText(this.#lines.shown.map((line) => line.text).join("\n"));
    const file = target.closest("a[download]");
    if (file instanceof HTMLAnchorElement && this.#lines.isFiltered) {
      event.preventDefault();
      // The stream is the server's part: a line in a file does not say where it came from.
      const { levels, pattern, only, invert } = this.#lines;
      const lines = Object.assign(new LogLines(), { levels: new Set(levels), pattern, only, invert });
      download(file.href, (line) => lines.isShown(line));
    }
  }

  /** Shows lines of this level, or no longer. @param {string} level */
  #pick(level) {
    const { levels } = this.#lines;
    if (!levels.delete(level)) levels.add(level);
    this.#lines.refilter();
    this.#found = this.#hit = -1;
    this.#redraw();
    this.#count();
    this.#remember();
  }

  /** Goes to the next match in a direction. @param {number} step */
  #seek(step) {
    const { shown } = this.#lines;
    const begin = this.#hit < 0 ? (step > 0 ? -1 : shown.length) : this.#hit;
    for (let seen = 1; seen <= shown.length; seen += 1) {
      const index = (((begin + step * seen) % shown.length) + shown.length) % shown.length;
      if (!this.#lines.matches(shown[index])) continue;
      this.#hit = index;
      this.#found = shown.slice(0, index + 1).filter((line) => this.#lines.matches(line)).length;
      this.#follows = false;
      this.place?.center(index);
      this.#count();
      return this.#redraw();
    }
  }

  /** Says how many lines there are, or how many match, and which levels were found. */
  #count() {
    for (const chip of this.querySelectorAll("[data-level]")) this.#chip(/** @type {HTMLElement} */ (chip));
    if (this.ended) return;
    const { pattern, shown, all } = this.#lines;
    if (!pattern) return this.#say(fill(this.dataset.lines, { n: shown.length }));
    const matching = this.#lines.invert ? all : shown;
    const n = matching.reduce((count, line) => count + (this.#lines.matches(line) ? 1 : 0), 0);
    this.#say(fill(this.dataset.found, { i: Math.max(this.#found, 0), n }));
  }

  /** @param {HTMLElement} chip */
  #chip(chip) {
    const level = chip.dataset.level ?? "";
    const [count, isPicked] = [this.#lines.counts[level], this.#lines.levels.has(level)];
    chip.hidden = count === 0 && !isPicked;
    chip.ariaPressed = String(isPicked);
    const number = chip.querySelector(".chip__count");
    if (number) number.textContent = count.toLocaleString();
  }

  /** @param {string | undefined} words */
  #say(words) {
    if (this.note && this.note.value !== words) this.note.value = words ?? "";
  }
}

customElements.define("log-view", LogView);
