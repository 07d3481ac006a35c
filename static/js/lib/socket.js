// @ts-check
import { isOver } from "./page.js";

/**
 * A WebSocket that comes back: with jittered back-off after a loss, and at once when a hidden tab is
 * looked at again. A hidden tab has no socket, so nothing runs on the host for it. A socket that was
 * refused looks whether its page may still be seen, and ends with it.
 *
 * @typedef {object} Options
 * @property {() => string} address path and query of the next connection
 * @property {(data: any) => void} onText a text message, parsed
 * @property {(bytes: Uint8Array) => void} [onBytes] a binary message
 * @property {(state: "open" | "lost" | "closed") => void} [onState]
 * @property {boolean} [whileHidden] keeps the connection of a hidden tab
 */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;
/** The server's "you may no longer". */
const POLICY = 1008;

export class Socket {
  /** @type {WebSocket | null} */
  #socket = null;
  #wait = FIRST_WAIT_MS;
  #timer = 0;
  #done = false;
  #options;
  #onVisibility = () => this.#visibility();

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    if (!options.whileHidden) document.addEventListener("visibilitychange", this.#onVisibility);
    if (options.whileHidden || !document.hidden) this.#open();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends when connected; a message to nobody is dropped. @param {object | Uint8Array<ArrayBuffer>} message */
  send(message) {
    if (!this.isOpen) return;
    this.#socket?.send(message instanceof Uint8Array ? message : JSON.stringify(message));
  }

  /** Connects anew, with the address of now. */
  restart() {
    this.#drop();
    this.#wait = FIRST_WAIT_MS;
    this.#open();
  }

  /** Ends for good. */
  close() {
    this.#done = true;
    document.removeEventListener("visibilitychange", this.#onVisibility);
    this.#drop();
  }

  #open() {
    if (this.#done || this.#socket) return;
    const url = new URL(this.#options.address(), location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.#wait = FIRST_WAIT_MS;
      this.#options.onState?.("open");
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#options.onText(JSON.parse(data));
      else this.#options.onBytes?.(new Uint8Array(data));
    };
    socket.onclose = async ({ code }) => {
      if (this.#socket !== socket) return;
      this.#options.onState?.("lost");
      const mayBeOver = !wasOpen || code === POLICY;
      const over = mayBeOver && (await isOver());
      // Meanwhile the page may have closed it, hidden it, or connected anew.
      if (this.#socket !== socket) return;
      this.#socket = null;
      if (over) {
        this.close();
        this.#options.onState?.("closed");
        return;
      }
      const wait = this.#wait * (0.5 + Math.random());
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
      this.#timer = window.setTimeout(() => this.#open(), wait);
    };
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #visibility() {
    if (document.hidden) {
      this.#drop();
    } else {
      this.#wait = FIRST_WAIT_MS;
      this.#open();
    }
  }
}
