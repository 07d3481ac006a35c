// @ts-check
import { Socket } from "../lib/socket.js";
import { color, quantity, style } from "../lib/text.js";

const MOST_SAMPLES = 3600;
const TABLE_ROWS = 60;
const INKS = ["--color-accent", "--color-warn", "--color-ink-faint"];

/** `<stats-view src>`: charts of one container's load, and the same numbers as a table. */
class StatsView extends HTMLElement {
  /** @type {any[]} */
  #samples = [];
  /** @type {{ plot: any, figure: HTMLElement, names: string[], unit: string }[]} */
  #charts = [];
  #last = 0;

  async connectedCallback() {
    style(this.dataset.style);
    const { uPlot } = await import(/** @type {string} */ (this.dataset.vendor));
    if (!this.isConnected) return;
    this.uPlot = uPlot;
    this.theme = matchMedia("(prefers-color-scheme: dark)");
    this.rebuild = () => this.#build();
    this.theme.addEventListener("change", this.rebuild);
    this.resize = new ResizeObserver(() => this.#charts.forEach((chart) => chart.plot.setSize(size(chart.figure))));
    this.resize.observe(this);
    this.#build();
    this.socket = new Socket({
      address: () => this.getAttribute("src") ?? "",
      onText: (sample) => this.#take(sample),
      onState: (state) => this.classList.toggle("is-lost", state === "lost"),
    });
    this.again = () => this.socket?.restart();
    document.addEventListener("container-run", this.again);
  }

  disconnectedCallback() {
    this.socket?.close();
    cancelAnimationFrame(this.frame ?? 0);
    document.removeEventListener("container-run", /** @type {() => void} */ (this.again));
    this.resize?.disconnect();
    this.theme?.removeEventListener("change", /** @type {() => void} */ (this.rebuild));
    this.#charts.forEach((chart) => chart.plot.destroy());
  }

  #build() {
    this.#charts.forEach((chart) => chart.plot.destroy());
    this.#charts = [...this.querySelectorAll("figure[data-series]")].map((element) => {
      const figure = /** @type {HTMLElement} */ (element);
      const names = (figure.dataset.series ?? "").split(",");
      const unit = figure.dataset.unit ?? "count";
      const place = /** @type {HTMLElement} */ (figure.querySelector(".chart__plot"));
      const plot = new this.uPlot(this.#options(figure, names, unit), this.#data(names), place);
      return { plot, figure, names, unit };
    });
  }

  /** @param {HTMLElement} figure @param {string[]} names @param {string} unit */
  #options(figure, names, unit) {
    const labels = (figure.dataset.labels ?? "").split("|");
    const axis = { stroke: color(this, "--color-ink-faint"), grid: { stroke: color(this, "--color-line"), width: 1 } };
    const value = (/** @type {any} */ _plot, /** @type {number | null} */ n) => quantity(n, unit);
    return {
      ...size(figure),
      cursor: { sync: { key: "stats" }, drag: { x: false } },
      legend: { live: true },
      scales: { y: { range: (/** @type {any} */ _plot, /** @type {number} */ _low, /** @type {number} */ high) => [0, Math.max(high * 1.1, least(unit))] } },
      axes: [
        { ...axis, ticks: { show: false } },
        { ...axis, size: 76, ticks: { show: false }, values: (/** @type {any} */ _p, /** @type {number[]} */ ns) => ns.map((n) => quantity(n, unit)) },
      ],
      series: [
        { label: this.dataset.time },
        ...names.map((_, index) => ({
          label: labels[index],
          stroke: color(this, INKS[index]),
          width: 1.5,
          dash: index === 2 ? [4, 4] : undefined,
          fill: index === 0 ? color(this, "--color-accent-wash") : undefined,
          points: { show: false },
          value,
        })),
      ],
    };
  }

  /** @param {string[]} names */
  #data(names) {
    const times = this.#samples.map((sample) => sample.at_ms / 1000);
    return [times, ...names.map((name) => this.#samples.map((sample) => number(sample, name)))];
  }

  /** @param {any} sample see `frontend/src/live.rs`, StatsSample */
  #take(sample) {
    if (sample.at_ms <= this.#last) return;
    this.#last = sample.at_ms;
    this.#samples.push(sample);
    if (this.#samples.length > MOST_SAMPLES) this.#samples.shift();
    cancelAnimationFrame(this.frame ?? 0);
    this.frame = requestAnimationFrame(() => this.#show());
  }

  #show() {
    const newest = this.#samples.at(-1);
    for (const { plot, figure, names, unit } of this.#charts) {
      plot.setData(this.#data(names));
      const now = /** @type {HTMLOutputElement | null} */ (figure.querySelector("[data-slot=now]"));
      if (now) now.value = quantity(number(newest, names[0]), unit);
    }
    const body = this.querySelector("[data-slot=table] tbody");
    if (body?.closest("details")?.open) body.replaceChildren(...this.#rows());
  }

  #rows() {
    return this.#samples.slice(-TABLE_ROWS).reverse().map((sample) => {
      const line = document.createElement("tr");
      line.insertCell().textContent = new Date(sample.at_ms).toLocaleTimeString();
      for (const { names, unit } of this.#charts) {
        for (const name of names) line.insertCell().textContent = quantity(number(sample, name), unit);
      }
      return line;
    });
  }
}

/** The least height of an axis, so that rest looks like rest. @param {string} unit */
function least(unit) {
  return { percent: 1, count: 4 }[unit] ?? 4096;
}

/** A limit of 0 means none. @param {any} sample @param {string} name @returns {number | null} */
function number(sample, name) {
  if (name === "memory_limit_bytes" && sample[name] === 0) return null;
  return sample[name] ?? null;
}

/** @param {HTMLElement} figure */
function size(figure) {
  const place = /** @type {HTMLElement} */ (figure.querySelector(".chart__plot"));
  return { width: Math.max(place.clientWidth, 120), height: 176 };
}

customElements.define("stats-view", StatsView);
