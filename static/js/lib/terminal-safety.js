// @ts-check
/**
 * What a program in a container may not do to the person who looks at it: read back what the
 * terminal is (answers would be typed into the shell), change the window or the clipboard, or lead
 * to an address that is none.
 */

/** Takes the queries and window commands out of a terminal. @param {any} terminal */
export function quieten(terminal) {
  const { parser } = terminal;
  const swallow = () => true;
  for (const id of [
    { final: "c" },
    { prefix: ">", final: "c" },
    { prefix: "=", final: "c" },
    { final: "n" },
    { prefix: "?", final: "n" },
    { final: "t" },
    { intermediates: "$", final: "p" },
    { prefix: "?", intermediates: "$", final: "p" },
    { prefix: ">", final: "q" },
  ]) {
    parser.registerCsiHandler(id, swallow);
  }
  parser.registerDcsHandler({ intermediates: "$", final: "q" }, swallow);
  for (const code of [0, 1, 2, 7, 9, 52, 1337]) parser.registerOscHandler(code, swallow);
  for (const code of [4, 10, 11, 12]) parser.registerOscHandler(code, (/** @type {string} */ data) => data.includes("?"));
}

/** Opens a link after asking, and only to the web. @param {string} address @param {string} question */
export function follow(address, question) {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url || !["http:", "https:"].includes(url.protocol)) return;
  if (confirm(question.replace("{url}", url.href))) window.open(url.href, "_blank", "noopener,noreferrer");
}
