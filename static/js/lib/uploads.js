// @ts-check
// Files on their way to the server: one after the other, each with its progress, and any of them can be
// cancelled. What becomes of a file is told to whoever shows it.

/** What has become of a file. @typedef {"waits" | "goes" | "done" | "taken" | "failed" | "cancelled"} State */

export class Uploads {
  /** @type {{ file: File, replace: boolean }[]} */
  #waiting = [];
  /** @type {{ file: File, stop: AbortController } | null} */
  #going = null;

  /**
   * @param {string} address where each goes, with a query already
   * @param {(file: File, state: State, detail: { part?: number, text?: string }) => void} tell
   * @param {() => void} rest called when nothing waits any more
   */
  constructor(address, tell, rest) {
    this.address = address;
    this.tell = tell;
    this.rest = rest;
  }

  /** @param {File} file @param {boolean} replace */
  add(file, replace) {
    this.#waiting.push({ file, replace });
    this.tell(file, "waits", {});
    if (!this.#going) this.#next();
  }

  /** @param {File} file */
  cancel(file) {
    if (this.#going?.file === file) return this.#going.stop.abort();
    const n = this.#waiting.length;
    this.#waiting = this.#waiting.filter((one) => one.file !== file);
    if (this.#waiting.length < n) this.tell(file, "cancelled", {});
  }

  /** Cancels all, without a word. */
  end() {
    this.#waiting = [];
    this.tell = () => {};
    this.rest = () => {};
    this.#going?.stop.abort();
  }

  get isBusy() {
    return this.#going !== null;
  }

  async #next() {
    const next = this.#waiting.shift();
    if (!next) return this.rest();
    const { file, replace } = next;
    const stop = new AbortController();
    this.#going = { file, stop };
    const address = `${this.address}&name=${encodeURIComponent(file.name)}`;
    this.tell(file, "goes", { part: 0 });
    // Much may have been sent before the server could say that the name is taken.
    const said = (replace ? null : await this.#check(address, stop.signal)) ?? (await this.#send(file, address, replace, stop.signal));
    this.#going = null;
    this.tell(file, said.state, { text: said.text });
    this.#next();
  }

  /** @param {string} address @param {AbortSignal} signal @returns {Promise<{ state: State, text?: string } | null>} none when the name is free */
  async #check(address, signal) {
    const headers = { accept: "application/json" };
    const answer = await fetch(`${address}&check=on`, { method: "POST", headers, signal }).catch(() => null);
    if (answer?.status === 204) return null;
    if (!answer) return { state: signal.aborted ? "cancelled" : "failed" };
    return refused(await answer.text().catch(() => ""));
  }

  /** @param {File} file @param {string} address @param {boolean} replace @param {AbortSignal} signal @returns {Promise<{ state: State, text?: string }>} */
  #send(file, address, replace, signal) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.upload.addEventListener("progress", ({ loaded, total }) => {
        this.tell(file, "goes", { part: total ? loaded / total : 0 });
      });
      request.addEventListener("load", () => resolve(request.status === 201 ? { state: "done" } : refused(request.responseText)));
      request.addEventListener("error", () => resolve({ state: "failed" }));
      request.addEventListener("abort", () => resolve({ state: "cancelled" }));
      if (signal.aborted) return resolve({ state: "cancelled" });
      signal.addEventListener("abort", () => request.abort());
      request.open("POST", replace ? `${address}&replace=on` : address);
      request.setRequestHeader("accept", "application/json");
      request.setRequestHeader("content-type", "application/octet-stream");
      request.send(file);
    });
  }
}

/** What the server says of a failure. @param {string} answer @returns {{ state: State, text?: string }} */
function refused(answer) {
  try {
    const { problem, message } = JSON.parse(answer);
    return { state: problem === "name-taken" ? "taken" : "failed", text: message };
  } catch {
    return { state: "failed" };
  }
}
