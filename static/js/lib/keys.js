// @ts-check
// The keyboard: `g c` goes to containers, `j` and `k` move, `?` shows what there is.

/** @type {Record<string, string>} */
const places = { o: "/", c: "/containers", i: "/images", e: "/events", a: "/audit" };

export function keys() {
  let going = 0;
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return palette(event);
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(target)) return;
    if (document.querySelector("dialog:modal")) return;
    const place = Date.now() - going < 1200 && places[event.key];
    going = event.key === "g" ? Date.now() : 0;
    if (place) return location.assign(place);
    press(event);
  });
}

/** @param {KeyboardEvent} event */
function press(event) {
  const filter = document.getElementById("filter");
  if (event.key === "/") {
    event.preventDefault();
    if (filter) filter.focus();
    else palette(event);
  } else if (event.key === "?") {
    const dialog = document.getElementById("shortcuts");
    if (dialog instanceof HTMLDialogElement) dialog.showModal();
  } else if (event.key === "j" || event.key === "k") {
    move(event.key === "j" ? 1 : -1);
  } else {
    const tab = document.querySelector(`.tabs__tab[data-key="${CSS.escape(event.key)}"]`);
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
