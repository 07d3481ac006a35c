// @ts-check
import { Socket } from "./socket.js";

/** Shown before a line that a link leads to. */
const CONTEXT_NS = 30_000_000_000n;

/**
 * One container's log, arriving. Where it stood is known by time, so a connection that was lost goes
 * on after the last line.
 *
 * @typedef {object} Options
 * @property {string} path of the socket
 * @property {string} [since] an age such as `15m`
 * @property {string} [linked] the time of a line that should be there, in nanoseconds
 * @property {(lines: { stream: number, ns: string, raw: string }[]) => void} onLines
 * @property {(count: number, ns: string) => void} onSkipped
 * @property {(message: string | undefined) => void} onEnd
 * @property {(isLost: boolean) => void} onState
 */
export class LogSource {
  #last = { ns: "", count: 0, skip: 0 };
  #options;
  /** Whether there was nothing more to come. */
  isOver = false;

  /** @param {Options} options */
  constructor(options) {
    this.#options = options;
    this.#connect();
  }

  #connect() {
    this.isOver = false;
    this.socket = new Socket({
      address: () => `${this.#options.path}?${this.#query()}`,
      onText: (message) => this.#take(message),
      onState: (state) => this.#options.onState(state === "lost"),
    });
  }

  /** Goes on after the last line of a log that had ended: its container runs again. */
  wake() {
    if (this.isOver) this.#connect();
  }

  close() {
    this.socket?.close();
  }

  #query() {
    const { since, linked } = this.#options;
    const query = new URLSearchParams();
    this.#last.skip = this.#last.ns ? this.#last.count : 0;
    const from = this.#last.ns ? instant(BigInt(this.#last.ns)) : linked ? instant(BigInt(linked) - CONTEXT_NS) : since;
    if (from) {
      query.set("since", from);
      query.set("tail", "all");
    }
    return query;
  }

  /** @param {any} message see `frontend/src/live.rs`, ToLogs */
  #take(message) {
    if (message.type === "lines") {
      const lines = message.lines.flatMap((/** @type {[number, string, string]} */ [stream, ns, raw]) =>
        this.#isKnown(ns) ? [] : [{ stream, ns, raw }],
      );
      this.#options.onLines(lines);
    } else if (message.type === "skipped") {
      this.#options.onSkipped(message.count, this.#last.ns);
    } else if (message.type === "end" || message.type === "failed") {
      this.socket?.close();
      this.isOver = true;
      this.#options.onEnd(message.message);
    }
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
}

/** Nanoseconds since 1970 as RFC 3339. @param {bigint} ns */
function instant(ns) {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, "0")}Z`;
}
