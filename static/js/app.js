// @ts-check
// The one script of every page: loads the elements that the page has, and the small things that
// belong to no element. Everything works without it.
import { act } from "./lib/act.js";
import { watch } from "./lib/live.js";
import { keys } from "./lib/keys.js";

/** Elements and the files they live in; loaded when the page has one. */
const elements = [
  "command-palette",
  "context-drop",
  "copy-button",
  "data-table",
  "dockerfile-editor",
  "file-drop",
  "file-editor",
  "filter-field",
  "form-command",
  "json-view",
  "list-look",
  "local-time",
  "log-view",
  "stats-view",
  "tag-list",
  "terminal-view",
];

export function load(root = document) {
  for (const name of elements) {
    if (root.querySelector(name) && !customElements.get(name)) import(`./elements/${name}.js`);
  }
  // What waits for its script is shown by it.
  for (const bar of root.querySelectorAll("[data-scripted]")) bar.removeAttribute("hidden");
}

load();
act();
keys();
watch();

// A menu closes when one goes on elsewhere.
document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const open = target.closest("[data-open]")?.getAttribute("data-open");
  const dialog = open && document.getElementById(open);
  if (dialog instanceof HTMLDialogElement) dialog.showModal();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target) || open) menu.removeAttribute("open");
  }
});
