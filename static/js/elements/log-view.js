// @ts-check
import { LogLines } from "../lib/log-lines.js";
import { row } from "../lib/log-row.js";
import { Socket } from "../lib/socket.js";
import { fill } from "../lib/text.js";

/** Rows drawn above and below what is in sight. */
const MARGIN = 20;

/**
 * `<log-view src>`: a window on a container's log. Only the lines in sight are in the document;
 * following lets go when one scrolls up. Where it stood is known by time, so a connection that was
 * lost goes on after the last line.
 */
class LogView extends HTMLElement {
  #lines = new LogLines();
  /** @type {Map<number, HTMLElement>} */
  #drawn = new Map();
  #frame = 0;
  #new = 0;
  #found = -1;
  #hit = -1;
  #rowHeight = 20;
  #last = { ns: "", count: 0, skip: 0 };

  connectedCallback() {
    this.bar = /** @type {HTMLFormElement} */ (this.querySelector(".log__bar"));
    this.window = /** @type {HTMLElement} */ (this.querySelector(".log__lines"));
    this.more = /** @type {HTMLElement} */ (this.querySelector(".log__more"));
    this.note = /** @type {HTMLOutputElement} */ (this.querySelector("[data-slot=note]"));
    this.canvas = document.createElement("div");
    this.canvas.className = "log__canvas";
    this.window.replaceChildren(this.canvas);
    this.#rowHeight = parseFloat(getComputedStyle(this.window).lineHeight) || 20;
    this.begin = new AbortController();
    const on = { signal: this.begin.signal };
    this.window.addEventListener("scroll", () => this.#scrolled(), { passive: true, ...on });
    this.bar.addEventListener("submit", (event) => event.preventDefault(), on);
    this.bar.addEventListener("input", (event) => this.#changed(event), on);
    this.addEventListener("click", (event) => this.#clicked(event), on);
    this.resize = new ResizeObserver(() => this.#measure());
    this.resize.observe(this.window);
    this.#settings();
    this.#connect();
  }

  disconnectedCallback() {
    this.begin?.abort();
    this.resize?.disconnect();
    this.socket?.close();
    cancelAnimationFrame(this.#frame);
  }

  /** The value of a control of the bar. @param {string} name */
  #value(name) {
    const control = /** @type {HTMLInputElement | null} */ (this.bar?.elements.namedItem(name));
    if (!control) return "";
    return control.type === "checkbox" ? (control.checked ? "on" : "") : control.value;
  }

  get #follows() {
    return this.#value("follow") === "on";
  }

  set #follows(on) {
    const control = /** @type {HTMLInputElement | null} */ (this.bar?.elements.namedItem("follow"));
    if (control) control.checked = on;
    if (on) this.#new = 0;
  }

  #connect() {
    this.socket?.close();
    this.#lines.clear();
    this.#last = { ns: "", count: 0, skip: 0 };
    const linked = /^#at-(\d+)$/.exec(location.hash)?.[1];
    if (linked) this.#follows = false;
    this.socket = new Socket({
      address: () => `${this.getAttribute("src")}?${this.#query(linked)}`,
      onText: (message) => this.#take(message),
      onState: (state) => {
        if (state === "lost" && !this.ended) this.#say(this.dataset.lost);
        else this.#count();
      },
    });
  }

  /** @param {string | undefined} linked */
  #query(linked) {
    const query = new URLSearchParams();
    const from = this.#last.ns || linked;
    this.#last.skip = this.#last.ns ? this.#last.count : 0;
    if (from) {
      query.set("since", instant(from));
      query.set("tail", "all");
    } else if (this.#value("since")) {
      query.set("since", this.#value("since"));
      query.set("tail", "all");
    }
    return query;
  }

  /** @param {any} message see `frontend/src/live.rs`, ToLogs */
  #take(message) {
    let fresh = 0;
    if (message.type === "lines") {
      for (const [stream, ns, raw] of message.lines) {
        if (this.#isKnown(ns)) continue;
        if (this.#lines.add({ stream, ns, raw })) fresh += 1;
      }
    } else if (message.type === "skipped") {
      this.#lines.add({ raw: fill(this.dataset.skipped, { n: message.count }), skipped: true });
    } else if (message.type === "end" || message.type === "failed") {
      this.ended = true;
      this.socket?.close();
      this.#say(message.message ?? this.dataset.ended);
      return this.#draw();
    }
    if (this.#lines.trim()) this.#redraw();
    if (!this.#follows) this.#new += fresh;
    this.#count();
    this.#draw();
  }

  /** Lines of one read share a time: after a new connection those already here are left out. @param {string} ns */
  #isKnown(ns) {
    if (ns === this.#last.ns && this.#last.skip > 0) {
      this.#last.skip -= 1;
      return true;
    }
    this.#last = ns === this.#last.ns ? { ...this.#last, count: this.#last.count + 1 } : { ns, count: 1, skip: 0 };
    return false;
  }

  /** @param {Event} event */
  #changed(event) {
    const name = /** @type {HTMLInputElement} */ (event.target).name;
    if (name === "since") {
      history.replaceState(null, "", location.pathname + location.search);
      this.ended = false;
      return this.#connect();
    }
    if (name === "follow") {
      this.#follows = this.#follows;
      return this.#draw();
    }
    this.#settings();
  }

  #settings() {
    const text = this.#value("search");
    try {
      const source = this.#value("regex") ? text : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      this.#lines.pattern = text ? new RegExp(source, "i") : null;
      this.bar?.elements.namedItem("search")?.["setCustomValidity"]("");
    } catch (error) {
      this.bar?.elements.namedItem("search")?.["setCustomValidity"](String(error));
    }
    this.#lines.only = this.#value("only") === "on";
    this.#lines.invert = this.#value("invert") === "on";
    this.#lines.stream = this.#value("stream");
    this.#found = this.#hit = -1;
    this.classList.toggle("log--wrap", this.#value("wrap") === "on");
    this.classList.toggle("log--untimed", this.#value("times") === "none");
    this.#measure();
  }

  /** Counts how many characters fit in a row, for lines that wrap. */
  #measure() {
    let columns = 0;
    if (this.#value("wrap") === "on") {
      const probe = row(
        { key: -1, stream: 1, ns: "0", raw: "0".repeat(100), text: "" },
        { pattern: null, times: this.#value("times"), found: false, skipped: "" },
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
    const { window, canvas } = this;
    if (!window || !canvas) return;
    const { shown } = this.#lines;
    canvas.style.blockSize = `${this.#lines.top(shown.length) * this.#rowHeight}px`;
    if (this.#follows) window.scrollTop = window.scrollHeight;
    const first = Math.max(0, this.#lines.at(window.scrollTop / this.#rowHeight) - MARGIN);
    const end = (window.scrollTop + window.clientHeight) / this.#rowHeight;
    const keep = new Set();
    for (let index = first; index < shown.length && this.#lines.top(index) < end + MARGIN; index += 1) {
      const line = shown[index];
      keep.add(line.key);
      const element = this.#drawn.get(line.key) ?? this.#make(line, index);
      element.style.insetBlockStart = `${this.#lines.top(index) * this.#rowHeight}px`;
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
      skipped: line.raw,
    });
    this.canvas?.append(element);
    this.#drawn.set(line.key, element);
    return element;
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = /** @type {HTMLElement} */ (this.window);
    const atEnd = scrollTop + clientHeight >= scrollHeight - this.#rowHeight * 2;
    if (atEnd !== this.#follows) this.#follows = atEnd;
    this.#draw();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const what = /** @type {HTMLElement | null} */ (target.closest("[data-do]"))?.dataset.do;
    if (what === "follow") {
      this.#follows = true;
      this.#draw();
    } else if (what === "next") this.#seek(1);
    else if (what === "previous") this.#seek(-1);
    else if (what === "copy") navigator.clipboard.writeText(this.#lines.shown.map((line) => line.text).join("\n"));
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
      const window = /** @type {HTMLElement} */ (this.window);
      window.scrollTop = this.#lines.top(index) * this.#rowHeight - window.clientHeight / 2;
      this.#count();
      return this.#redraw();
    }
  }

  /** Says how many lines there are, or how many match. */
  #count() {
    if (this.ended) return;
    const { pattern, shown, all } = this.#lines;
    if (!pattern) return this.#say(fill(this.dataset.lines, { n: shown.length }));
    const matching = this.#lines.invert ? all : shown;
    const n = matching.reduce((count, line) => count + (this.#lines.matches(line) ? 1 : 0), 0);
    this.#say(fill(this.dataset.found, { i: Math.max(this.#found, 0), n }));
  }

  /** @param {string | undefined} words */
  #say(words) {
    if (this.note && this.note.value !== words) this.note.value = words ?? "";
  }
}

/** Nanoseconds since 1970 as RFC 3339. @param {string} ns */
function instant(ns) {
  const seconds = new Date(Number(BigInt(ns) / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${ns.slice(-9).padStart(9, "0")}Z`;
}

customElements.define("log-view", LogView);
