// @ts-check
// The keyboard: `g c` goes to containers, `j` and `k` move, `?` shows what there is. Keys without Ctrl can
// be turned off, for those who speak to their computer or hit keys by chance.

/** @type {Record<string, string>} */
const places = { o: "/", c: "/containers", i: "/images", e: "/events", a: "/audit" };

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
  const filter = document.getElementById("filter");
  if (key === "/") {
    event.preventDefault();
    if (filter) filter.focus();
    else palette(event);
  } else if (key === "?") {
    const dialog = document.getElementById("shortcuts");
    if (dialog instanceof HTMLDialogElement) dialog.showModal();
  } else if (key === "j" || key === "k") {
    move(key === "j" ? 1 : -1);
  } else {
    const tab = document.querySelector(`.tabs__tab[data-key="${CSS.escape(key)}"]`);
    if (tab instanceof HTMLAnchorElement) location.assign(tab.href);
  }
}

/** @param {number} step */
function move(step) {
  const links = [...document.querySelectorAll("tbody tr")].flatMap((row) => {
    const link = row.querySelector("a");
    return link ? [link] : [];
  });
  const at = links.findIndex((link) => link.closest("tr")?.contains(document.activeElement));
  links.at(Math.min(links.length - 1, Math.max(0, at + step)))?.focus();
}

/** @param {Event} event */
function palette(event) {
  event.preventDefault();
  document.querySelector("command-palette")?.dispatchEvent(new CustomEvent("palette-open"));
}

/** @param {HTMLElement} target */
function isTyping(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
