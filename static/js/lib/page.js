// @ts-check
// Pages of ours, fetched behind the one that is shown. Whoever is logged out meanwhile is led to the
// door: nothing that still stands here is theirs any more.

/** A server that hangs has not said that it is over. */
const PATIENCE_MS = 10_000;

let isLeaving = false;
// A page that the browser kept comes back as it was left.
globalThis.addEventListener?.("pageshow", () => (isLeaving = false));

/** @param {string | URL} address @param {RequestInit} [options] @returns {Promise<Document | null>} */
export async function page(address, options) {
  const answer = await fetch(address, { headers: { accept: "text/html" }, ...options }).catch(() => null);
  if (!answer?.ok || leave(answer)) return null;
  const text = await answer.text().catch(() => null);
  return text === null ? null : new DOMParser().parseFromString(text, "text/html");
}

/**
 * Asks for the page that is shown again, when a socket of it was refused and cannot say why.
 * @returns {Promise<boolean>} whether there is no more to be had
 */
export async function isOver() {
  const answer = await fetch(location.href, { method: "HEAD", signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => null);
  return answer !== null && (leave(answer) || [401, 403, 404, 410].includes(answer.status));
}

/** @param {Response} answer @returns {boolean} whether it came from the door */
function leave(answer) {
  if (new URL(answer.url).pathname !== "/login") return false;
  // Our own address leads there too, and knows the way back. Once is enough.
  if (!isLeaving) location.assign(location.pathname + location.search);
  isLeaving = true;
  return true;
}
