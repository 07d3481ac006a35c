// @ts-check
// The keyboard: `g c` goes to containers, `j` and `k` move, `?` shows what there is. Keys without Ctrl can
// be turned off, for those who speak to their computer or hit keys by chance.

/** @type {Record<string, string>} */
const places = { o: "/", c: "/containers", i: "/images", n: "/networks", e: "/events", j: "/jobs", r: "/registries", p: "/people", a: "/audit" };

/** What a key opens of the row that has the focus. @type {Record<string, string>} */
const parts = { l: "/logs", t: "/terminal", s: "/stats" };

/** Where a browser keeps that it wants none of them. */
const OFF = "gantry-single-keys-off";

export function keys() {
  let going = 0;
  const single = document.getElementById("single-keys");
  if (single instanceof HTMLInputElement) offer(single);
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const key = letter(event);
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "k") return palette(event);
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(target)) return;
    if (document.querySelector("dialog:modal") || localStorage.getItem(OFF)) return;
    const place = Date.now() - going < 1200 && places[key];
    going = key === "g" ? Date.now() : 0;
    if (place) return location.assign(place);
    press(event, key);
  });
}

/** Lets a box turn the keys without Ctrl on and off. @param {HTMLInputElement} box */
function offer(box) {
  box.checked = !localStorage.getItem(OFF);
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });
}

/**
 * What a key means: what is written on it, or on a keyboard without our letters what its place means,
 * so that ㅓ is j. @param {{ key: string, code: string }} event
 */
export function letter({ key, code }) {
  if (/^[ -~]$/.test(key)) return key;
  return /^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : key;
}

/** @param {Event} event @param {string} key */
function press(event, key) {
  const filter = document.getElementById("filter") ?? document.querySelector(".log__bar [name=search]");
  if (key === "/") {
    event.preventDefault();
    if (filter instanceof HTMLElement) filter.focus();
    else palette(event);
  } else if (key === "?") {
    const dialog = document.getElementById("shortcuts");
    if (dialog instanceof HTMLDialogElement) dialog.showModal();
  } else if (key === "j" || key === "k") {
    move(key === "j" ? 1 : -1);
  } else if (key === "x") {
    const box = row()?.querySelector(".check");
    if (box instanceof HTMLInputElement) box.click();
  } else if (key === "n") {
    go(document.querySelector(".page__head a.button--primary"));
  } else {
    open(key);
  }
}

/** The tab of this page, or of the row that has the focus. @param {string} key */
function open(key) {
  const tab = document.querySelector(`.tabs__tab[data-key="${CSS.escape(key)}"]`);
  if (tab) return go(tab);
  const part = parts[key];
  if (part) go(row()?.querySelector(`a[href$="${part}"]`) ?? null);
}

/** @param {Element | null} link */
function go(link) {
  if (link instanceof HTMLAnchorElement) location.assign(link.href);
}

function row() {
  return document.activeElement?.closest("tbody tr") ?? null;
}

/** @param {number} step */
function move(step) {
  const links = [...document.querySelectorAll("tbody tr")].flatMap((row) => row.querySelector("a") ?? []);
  const at = links.findIndex((link) => link.closest("tr")?.contains(document.activeElement));
  links.at(Math.min(links.length - 1, Math.max(0, at + step)))?.focus();
}

/** @param {Event} event */
function palette(event) {
  event.preventDefault();
  document.querySelector("command-palette")?.dispatchEvent(new CustomEvent("palette-open"));
}

/** A box to tick is not typed in. @param {HTMLElement} target */
function isTyping(target) {
  if (target instanceof HTMLInputElement && /^(checkbox|radio|button)$/.test(target.type)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest(".xterm") !== null;
}
