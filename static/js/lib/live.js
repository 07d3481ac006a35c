// @ts-check
// The tab's shared socket: swaps fragments by their DOM id. New rows wait until they are asked for.
import { load } from "../app.js";
import { fragment, swap, words } from "./dom.js";
import { page } from "./page.js";
import { Socket } from "./socket.js";
import { topics } from "./topics.js";

/** Fragments that wait, by the id of their list. @type {Map<string, Map<string, string>>} */
const waiting = new Map();
/** What a page fetched again swaps. Each is on its page always, with or without something in it. */
const PARTS = "live-part[id], #list, #jobs, #container-header";
/** What is never swapped: it goes on by itself. */
const OWN_LIFE = "log-view, stats-view, terminal-view";
/** The newest of parts whose menu is open, by id. @type {Map<string, Element>} */
const held = new Map();
/** New rows that the list may leave out as it is filtered, by their id. @type {Map<string, any>} */
const doubtful = new Map();
/** Rows that come in a burst are watched, and looked for, together. */
const LOOK_MS = 500;

/** @type {Socket | null} */
let socket = null;
let watched = "";
let looking = 0;
let asking = 0;
/** Which run of its container the page knows of; none on other pages. @type {string | null} */
let run = null;

export function watch() {
  if (!document.body.dataset.topics) return;
  let wasLost = false;
  run = document.getElementById("container-header")?.getAttribute("data-run") ?? null;
  socket = new Socket({
    address: () => "/live/page",
    onText: receive,
    onState(state) {
      if (state === "open") {
        watched = "";
        look();
        // What was done just before this page may have been heard of only after it was drawn.
        if (wasLost || document.querySelector("#notices .notice")) refresh();
      }
      note(state === "lost" && wasLost ? "connection-lost" : null);
      wasLost = state === "lost";
    },
  });
  // Nothing runs for a hidden tab, so it may be behind when it is looked at again.
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  document.addEventListener("toggle", release, true);
}

/** Says what this tab looks at, when that is not what it said last. */
function look() {
  clearTimeout(looking);
  looking = 0;
  const rows = [...document.querySelectorAll('#container-rows > tr[id^="row-"]')].map((row) => row.id);
  const all = topics(document.body.dataset.topics ?? "", [...rows, ...(waiting.get("container-rows")?.keys() ?? [])]);
  if (!socket?.isOpen || watched === all.join(" ")) return;
  watched = all.join(" ");
  socket.send({ type: "watch", topics: all });
}

/** After lists were swapped: what they hold is what is live. What came while they were fetched may be missing. */
export function swapped() {
  const left = [...waiting].flatMap(([list, rows]) => [...rows].map(([id, html]) => ({ list, id, html })));
  waiting.clear();
  for (const one of left) if (!document.getElementById(one.id)) ask(one);
  load();
  look();
}

/** Which run of its container the page knows of; empty when it does not run. */
export function containerRun() {
  return run ?? "";
}

/** @param {any} message one of `ToPage` */
function receive(message) {
  const element = message.id && document.getElementById(message.id);
  if (message.type === "replace") {
    if (element) put(element, message.html);
    for (const rows of waiting.values()) if (rows.has(message.id)) rows.set(message.id, message.html);
    const doubt = doubtful.get(message.id);
    if (doubt) doubt.html = message.html;
  }
  if (message.type === "remove") {
    element?.remove();
    doubtful.delete(message.id);
    for (const rows of waiting.values()) rows.delete(message.id);
    offer();
  }
  if (message.type === "add") {
    const list = document.getElementById(message.list);
    if (element) put(element, message.html);
    else if (list && isPart()) ask(message);
    else if (list) wait(message);
    else if (message.list === "container-rows") refresh();
  }
  if (message.type === "stale") refresh();
  if (message.type === "signed_out") location.reload();
}

/** @param {Element} element @param {string} html */
function put(element, html) {
  const fresh = fragment(html);
  if (!fresh) return;
  place(element, fresh);
  load();
  if (hasNewRun(fresh)) refresh();
}

/** Swaps a part; one with an open menu when the menu has closed. @param {Element} old @param {Element} fresh */
function place(old, fresh) {
  held.delete(old.id);
  if (old.querySelector("details.menu[open]")) held.set(old.id, fresh);
  else swap(old, fresh);
}

function release() {
  for (const [id, fresh] of [...held]) {
    const old = document.getElementById(id);
    if (old) place(old, fresh);
    else held.delete(id);
  }
  load();
}

/**
 * Tells the elements of the page when its container was started or ended, once.
 * @param {Element} header a part that may be the head of a container
 */
function hasNewRun(header) {
  if (header.id !== "container-header" || run === header.getAttribute("data-run")) return false;
  run = header.getAttribute("data-run");
  document.dispatchEvent(new Event("container-run"));
  return true;
}

/** Whether the list shows only some of what there is. */
function isPart() {
  const query = new URLSearchParams(location.search);
  return Boolean(query.get("filter") || query.get("page"));
}

/** Asks whether a new row is one of those that the list shows. @param {{ list: string, id: string, html: string }} row */
function ask(row) {
  doubtful.set(row.id, row);
  asking ||= window.setTimeout(answer, LOOK_MS);
}

async function answer() {
  asking = 0;
  const asked = [...doubtful.values()];
  const address = location.href;
  const fresh = await page(address);
  for (const row of asked) {
    if (doubtful.get(row.id) !== row) continue;
    if (location.href !== address) {
      // The list is another one by now, and may have been fetched before there was this row.
      ask(row);
      continue;
    }
    doubtful.delete(row.id);
    if (fresh?.getElementById(row.id) && !document.getElementById(row.id)) wait(row);
  }
}

/** @param {{ list: string, id: string, html: string }} message */
function wait({ list, id, html }) {
  const rows = waiting.get(list) ?? new Map();
  waiting.set(list, rows.set(id, html));
  offer();
  looking ||= window.setTimeout(look, LOOK_MS);
}

/** Shows "3 new" above each list that has some. */
function offer() {
  for (const [list, rows] of waiting) {
    const body = document.getElementById(list);
    const table = body?.closest("table");
    const id = `new-${list}`;
    document.getElementById(id)?.remove();
    if (!body || !table || rows.size === 0) continue;
    const say = words(document.body);
    const bar = document.createElement("div");
    bar.className = "new-rows";
    bar.id = id;
    const button = document.createElement("button");
    button.className = "button button--small button--quiet";
    button.type = "button";
    button.textContent = say(rows.size === 1 ? "new-one" : "new-many", { count: rows.size });
    button.addEventListener("click", () => {
      for (const html of rows.values()) {
        const row = fragment(`<table>${html}</table>`)?.querySelector("tr");
        if (row) body.prepend(row);
      }
      rows.clear();
      offer();
      load();
      look();
    });
    bar.append(button);
    table.before(bar);
  }
}

/** Fetches the page again and swaps its living parts: what was missed is made good. */
export async function refresh() {
  const fresh = await page(location.href);
  if (!fresh) return;
  for (const old of document.querySelectorAll(PARTS)) {
    const twin = fresh.getElementById(old.id);
    if (!twin || old.querySelector(OWN_LIFE)) continue;
    place(old, twin);
    hasNewRun(twin);
  }
  swapped();
}

/** @param {string | null} key a quiet bar, or none */
function note(key) {
  document.querySelector(".connection")?.remove();
  if (!key) return;
  const bar = document.createElement("div");
  bar.className = "connection";
  bar.role = "status";
  bar.textContent = words(document.body)(key);
  document.body.append(bar);
}
