// @ts-check
import { containerRun } from "../lib/live.js";
import { Socket } from "../lib/socket.js";
import { follow, quieten } from "../lib/terminal-safety.js";
import { color, fill, style } from "../lib/text.js";

const PING_MS = 5_000;
const SCROLLBACK = 10_000;
const ANSI = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/**
 * `<terminal-view src>`: a shell in a container. The session is the server's: after a reload or a
 * lost connection it is taken up again with what it had on the screen.
 */
class TerminalView extends HTMLElement {
  #sentAt = 0;
  #pings = 0;
  #fontSize = 14;

  async connectedCallback() {
    style(this.dataset.style);
    const vendor = await import(/** @type {string} */ (this.dataset.vendor));
    if (!this.isConnected) return;
    this.bar = /** @type {HTMLFormElement} */ (this.querySelector(".terminal__bar"));
    this.screen = /** @type {HTMLElement} */ (this.querySelector(".terminal__screen"));
    this.key = `gantry-terminal:${this.dataset.container}`;
    this.#make(vendor);
    const controller = new AbortController();
    this.begun = controller;
    const on = { signal: controller.signal };
    this.addEventListener("click", (event) => this.#clicked(event), on);
    this.bar.addEventListener("submit", (event) => this.#submitted(event), on);
    this.bar.addEventListener("input", (event) => this.#searched(event), on);
    document.addEventListener("container-run", () => this.#wake(), on);
    this.resize = new ResizeObserver(() => this.fit?.fit());
    this.resize.observe(this.screen);
    this.beat = window.setInterval(() => this.#ping(), PING_MS);
    this.#open();
  }

  disconnectedCallback() {
    this.begun?.abort();
    this.resize?.disconnect();
    clearInterval(this.beat);
    this.socket?.close();
    this.terminal?.dispose();
  }

  /** @param {any} vendor */
  #make({ Terminal, FitAddon, SearchAddon, WebLinksAddon }) {
    const ask = (/** @type {string} */ address) => follow(address, this.dataset.link ?? "{url}");
    const terminal = new Terminal({
      fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--font-code"),
      fontSize: this.#fontSize,
      scrollback: SCROLLBACK,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      screenReaderMode: true,
      theme: this.#theme(),
      linkHandler: { activate: (/** @type {Event} */ _event, /** @type {string} */ address) => ask(address) },
    });
    this.fit = new FitAddon();
    this.search = new SearchAddon();
    terminal.loadAddon(this.fit);
    terminal.loadAddon(this.search);
    terminal.loadAddon(new WebLinksAddon((/** @type {Event} */ _event, /** @type {string} */ address) => ask(address)));
    terminal.open(this.screen);
    quieten(terminal);
    this.fit.fit();
    const encoder = new TextEncoder();
    terminal.onData((/** @type {string} */ typed) => this.socket?.send(encoder.encode(typed)));
    terminal.onBinary((/** @type {string} */ typed) =>
      this.socket?.send(Uint8Array.from(typed, (character) => character.charCodeAt(0) & 255)),
    );
    terminal.onResize((/** @type {{ rows: number, cols: number }} */ { rows, cols }) =>
      this.socket?.send({ type: "resize", rows, cols }),
    );
    terminal.attachCustomKeyEventHandler((/** @type {KeyboardEvent} */ event) => this.#key(event));
    this.terminal = terminal;
    // For tests and screen readers alike: what stands on the screen, as text.
    Object.defineProperty(this, "text", { get: () => screenText(terminal) });
  }

  #theme() {
    const ink = color(this, "--color-ink");
    /** @type {Record<string, string>} */
    const theme = {
      background: color(this, "--color-screen"),
      foreground: ink,
      cursor: ink,
      selectionBackground: color(this, "--color-accent-wash"),
    };
    for (const name of ANSI) {
      theme[name] = color(this, `--ansi-${name}`);
      theme[`bright${name[0].toUpperCase()}${name.slice(1)}`] = theme[name];
    }
    return theme;
  }

  #open() {
    this.socket?.close();
    this.over = false;
    this.run = containerRun();
    this.socket = new Socket({
      whileHidden: true,
      address: () => `${this.getAttribute("src")}?${this.#query()}`,
      onText: (message) => this.#take(message),
      onBytes: (bytes) => this.terminal.write(bytes),
      onState: (state) => {
        if (state === "lost" && !this.over) this.#say(this.dataset.lost);
      },
    });
  }

  #query() {
    const { rows, cols } = this.terminal;
    const query = new URLSearchParams({ rows, cols });
    const session = sessionStorage.getItem(/** @type {string} */ (this.key));
    if (session) query.set("session", session);
    for (const name of ["command", "user", "workdir"]) {
      const control = /** @type {HTMLInputElement | null} */ (this.bar?.elements.namedItem(name));
      if (control?.value) query.set(name, control.value);
    }
    return query;
  }

  /** @param {any} message see `frontend/src/live.rs`, ToTerminal */
  #take(message) {
    if (message.type === "ready") {
      sessionStorage.setItem(/** @type {string} */ (this.key), message.session);
      this.terminal.reset();
      this.terminal.focus();
      const { rows, cols } = this.terminal;
      this.socket?.send({ type: "resize", rows, cols });
      this.#say(message.resumed ? this.dataset.resumed : message.command);
      this.#ping();
    } else if (message.type === "pong" && message.n === this.#pings) {
      const ms = performance.now() - this.#sentAt;
      this.#say(fill(this.dataset.latency, { n: ms < 10 ? ms.toFixed(1) : Math.round(ms) }));
    } else if (message.type === "exited") {
      this.#end(fill(this.dataset.ended, { n: message.code }));
    } else if (message.type === "failed") {
      const isOld = message.reason === "not_found" && sessionStorage.getItem(/** @type {string} */ (this.key));
      this.#end(message.message);
      if (isOld && this.over) this.#open();
    }
  }

  /** @param {string} words */
  #end(words) {
    this.over = true;
    sessionStorage.removeItem(/** @type {string} */ (this.key));
    this.socket?.close();
    this.#say(words);
    this.terminal.write(`\r\n\x1b[2m${words.replace(/[^\P{C}]/gu, "")}\x1b[0m\r\n`);
    // The page may have heard of the next run before the end of this one.
    this.#wake();
  }

  #ping() {
    if (document.hidden || !this.socket?.isOpen) return;
    this.#pings += 1;
    this.#sentAt = performance.now();
    this.socket.send({ type: "ping", n: this.#pings });
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the terminal takes the key */
  #key(event) {
    if (event.type !== "keydown") return true;
    if (event.key === "F6") {
      /** @type {HTMLElement | null | undefined} */ (this.bar?.querySelector("button, input"))?.focus();
      return false;
    }
    const isCopy = event.ctrlKey && event.shiftKey && event.code === "KeyC";
    if (isCopy && this.terminal.hasSelection()) {
      event.preventDefault();
      navigator.clipboard?.writeText(this.terminal.getSelection());
      return false;
    }
    return !(event.ctrlKey && event.shiftKey && event.code === "KeyV");
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const what = /** @type {HTMLElement | null} */ (target.closest("[data-do]"))?.dataset.do;
    if (what === "open") this.#again();
    else if (what === "close") this.socket?.send({ type: "close" });
    else if (what === "bigger") this.#size(1);
    else if (what === "smaller") this.#size(-1);
    else if (what === "full") this.screen?.requestFullscreen();
  }

  /** A shell that ended with its container is opened anew when the container runs again. */
  #wake() {
    if (this.over && containerRun() && containerRun() !== this.run) this.#open();
  }

  #again() {
    this.socket?.send({ type: "close" });
    sessionStorage.removeItem(/** @type {string} */ (this.key));
    this.#open();
  }

  /** @param {number} step */
  #size(step) {
    this.#fontSize = Math.min(32, Math.max(8, this.#fontSize + step));
    this.terminal.options.fontSize = this.#fontSize;
    this.fit?.fit();
  }

  /** @param {SubmitEvent} event */
  #submitted(event) {
    event.preventDefault();
    const focused = /** @type {HTMLInputElement | null} */ (document.activeElement);
    if (focused?.name === "search") this.search?.findNext(focused.value);
    else this.#again();
  }

  /** @param {Event} event */
  #searched(event) {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (field.name === "search") this.search?.findNext(field.value, { incremental: true });
  }

  /** @param {string | undefined} words */
  #say(words) {
    const note = /** @type {HTMLOutputElement | null} */ (this.querySelector("[data-slot=note]"));
    if (note) note.value = words ?? "";
  }
}

/** @param {any} terminal */
function screenText(terminal) {
  const { active } = terminal.buffer;
  return Array.from({ length: active.length }, (_, at) => active.getLine(at)?.translateToString(true) ?? "").join("\n");
}

customElements.define("terminal-view", TerminalView);
