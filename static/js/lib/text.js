// @ts-check
/** Words with a `{n}` in them, and numbers with their unit. The words come from the page. */

/** @param {string | undefined} words @param {Record<string, string | number>} values */
export function fill(words, values) {
  return (words ?? "").replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    return typeof value === "number" ? value.toLocaleString() : (value ?? whole);
  });
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** @param {number} bytes */
export function bytes(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < SIZES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${SIZES[unit]}`;
}

/** @param {number | null | undefined} value @param {string} unit `percent`, `bytes`, `rate` or `count` */
export function quantity(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "percent") return `${value.toFixed(1)} %`;
  if (unit === "bytes") return bytes(value);
  if (unit === "rate") return `${bytes(value)}/s`;
  return Math.round(value).toLocaleString();
}

/** A colour of the tokens as the browser computed it, for canvases. @param {Element} near @param {string} token */
export function color(near, token) {
  const probe = document.createElement("span");
  probe.style.color = `var(${token})`;
  probe.hidden = true;
  near.append(probe);
  const computed = getComputedStyle(probe).color;
  probe.remove();
  return computed;
}

/** Loads the style sheet of a vendor bundle once. @param {string | undefined} address */
export function style(address) {
  if (!address || document.querySelector(`link[href="${CSS.escape(address)}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = address;
  document.head.append(link);
}
