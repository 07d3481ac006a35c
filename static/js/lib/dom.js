// @ts-check
// Small things that several elements need.

/** @param {string} html @returns {Element | null} the one element of a fragment */
export function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

/** Words of an element that speaks: its `data-words`. @param {HTMLElement} element */
export function words(element) {
  /** @type {Record<string, string>} */
  const texts = JSON.parse(element.dataset.words ?? "{}");
  return (/** @type {string} */ key, /** @type {Record<string, string | number>} */ values = {}) =>
    Object.entries(values).reduce(
      (text, [name, value]) => text.replaceAll(`{${name}}`, String(value)),
      texts[key] ?? key,
    );
}

/** A part of an element by its `data-part`. @param {Element} element @param {string} name */
export function part(element, name) {
  return /** @type {any} */ (element.querySelector(`[data-part="${name}"]`));
}

/** Swaps an element, keeping what the reader is doing in it. @param {Element} old @param {Element} fresh */
export function swap(old, fresh) {
  if (old.outerHTML === fresh.outerHTML) return;
  const boxes = old.querySelectorAll(".check:checked");
  for (const box of boxes) {
    const twin = fresh.querySelector(`.check[value="${CSS.escape(box.getAttribute("value") ?? "")}"]`);
    if (twin instanceof HTMLInputElement) twin.checked = true;
  }
  const open = old instanceof HTMLDetailsElement && old.open;
  if (open && fresh instanceof HTMLDetailsElement) fresh.open = true;
  const scrolled = keepFolds(old, fresh);
  const focused = document.activeElement;
  const path = focused && old.contains(focused) ? pathTo(old, focused) : null;
  old.replaceWith(fresh);
  for (const [box, top] of scrolled) box.scrollTop = top;
  const again = path && follow(fresh, path);
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}

/**
 * What folds within stays as the reader left it for as long as its state is the same; what was scrolled
 * is returned with where.
 * @param {Element} old @param {Element} fresh @returns {[Element, number][]}
 */
function keepFolds(old, fresh) {
  /** @type {[Element, number][]} */
  const scrolled = [];
  for (const fold of old.querySelectorAll("details[id][data-state]")) {
    const twin = fresh.querySelector(`#${CSS.escape(fold.id)}`);
    if (!(fold instanceof HTMLDetailsElement) || !(twin instanceof HTMLDetailsElement)) continue;
    if (twin.dataset.state === fold.dataset.state) twin.open = fold.open;
    const [box, again] = [fold, twin].map((one) => one.querySelector("[data-scrolls]"));
    if (box?.scrollTop && again) scrolled.push([again, box.scrollTop]);
  }
  return scrolled;
}

/** @param {Element} root @param {Element} leaf */
function pathTo(root, leaf) {
  const path = [];
  for (let node = leaf; node !== root && node.parentElement; node = node.parentElement) {
    path.unshift([...node.parentElement.children].indexOf(node));
  }
  return path;
}

/** @param {Element} root @param {number[]} path */
function follow(root, path) {
  return path.reduce((node, index) => node?.children[index], /** @type {any} */ (root));
}
