// @ts-check
// Actions without leaving the page: the button shows that it works, the notices say what happened.
// And questions: the page that asks is shown as a dialog over this one.
import { words } from "./dom.js";
import { refresh } from "./live.js";
import { page } from "./page.js";

export function act() {
  document.addEventListener("submit", submitted);
  document.addEventListener("click", asked);
}

/** @param {SubmitEvent} event */
async function submitted(event) {
  const form = /** @type {HTMLFormElement} */ (event.target);
  const button = event.submitter;
  if (!(button instanceof HTMLButtonElement) || button.dataset.plain !== undefined) return;
  if (button.getAttribute("aria-disabled") === "true") return event.preventDefault();
  // Fields named `id` and `action` hide the form's own properties.
  const [id, action] = [form.getAttribute("id"), form.getAttribute("action") ?? ""];
  if (button.getAttribute("formmethod") === "get") return look(event, form, button);
  const isBulk = id === "bulk" ? button.value !== "remove" : action.endsWith("/bulk") && form.closest("dialog[data-over]");
  if (id !== "act" && !isBulk) return busy(button);
  event.preventDefault();
  if (button.getAttribute("aria-busy") === "true") return;
  const done = busy(button);
  const body = new URLSearchParams(/** @type {any} */ (new FormData(form, button)));
  const path = button.getAttribute("formaction") ?? action;
  const answer = await fetch(path, { method: "POST", body, headers: { accept: "text/html" } }).catch(() => null);
  done();
  form.closest("dialog")?.close();
  if (!answer) return tell(words(document.body)("connection-lost"));
  show(new DOMParser().parseFromString(await answer.text(), "text/html"), answer);
}

/** The logs of what is selected, at a short address. @param {SubmitEvent} event @param {HTMLFormElement} form @param {HTMLButtonElement} button */
function look(event, form, button) {
  event.preventDefault();
  const ids = new FormData(form).getAll("id").map((id) => `c=${encodeURIComponent(String(id).slice(0, 12))}`);
  location.assign(`${button.getAttribute("formaction")}?${ids.join("&")}`);
}

/** What the page that followed says, said here. @param {Document} page @param {Response} answer */
function show(page, answer) {
  const notices = page.getElementById("notices");
  if (!answer.ok) {
    const title = page.querySelector("main h1")?.textContent ?? String(answer.status);
    const text = page.querySelector("main .page__lead, main .door__lead")?.textContent ?? "";
    return tell(`${title}. ${text}`);
  }
  const path = new URL(answer.url).pathname;
  if (path === "/login") return location.assign(answer.url);
  const here = document.getElementById("notices");
  const outcome = page.getElementById("outcome");
  if (here && notices) here.replaceChildren(...(outcome ? [outcome] : notices.childNodes));
  for (const box of document.querySelectorAll(".check:checked")) {
    if (box.closest("data-table")) /** @type {HTMLInputElement} */ (box).checked = false;
  }
  // The index hears of it a moment after the engine has done it.
  setTimeout(refresh, 150);
}

/** @param {string} text */
function tell(text) {
  const notice = document.createElement("div");
  notice.className = "notice notice--failed";
  notice.role = "alert";
  const line = document.createElement("p");
  line.className = "notice__text";
  line.textContent = text;
  notice.append(line);
  document.getElementById("notices")?.replaceChildren(notice);
  notice.scrollIntoView({ block: "nearest" });
}

/** @param {HTMLButtonElement} button */
function busy(button) {
  button.setAttribute("aria-busy", "true");
  return () => button.removeAttribute("aria-busy");
}

/** @param {MouseEvent} event */
async function asked(event) {
  const target = /** @type {Element} */ (event.target);
  const close = target.closest("dialog[data-over] [data-close]");
  if (close) {
    event.preventDefault();
    close.closest("dialog")?.close();
    return;
  }
  const link = target.closest("a[data-ask]");
  if (!(link instanceof HTMLAnchorElement) || event.ctrlKey || event.metaKey || event.button) return;
  event.preventDefault();
  const back = encodeURIComponent(location.pathname + location.search);
  const asks = await page(`${link.href}?back=${back}`);
  const dialog = asks?.getElementById("ask");
  if (!(dialog instanceof HTMLDialogElement)) return location.assign(link.href);
  dialog.removeAttribute("open");
  dialog.classList.remove("dialog--page");
  dialog.dataset.over = "";
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(document.adoptNode(dialog));
  dialog.showModal();
}
