// @ts-check
/**
 * Colours of a log line. Only SGR (colour and weight) has an effect; every other escape sequence and
 * control character is taken out, so a log can neither move the cursor nor hide what it says.
 *
 * @typedef {{ text: string, classes: string[], color?: string, background?: string }} Piece
 */

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const WEIGHTS = { 1: "bold", 2: "dim", 3: "italic", 4: "underline", 9: "strike" };
const ENDS = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 29: ["strike"] };
// CSI sequences, OSC and other strings up to their end, two-byte escapes, and what is left of controls.
const SEQUENCE =
  /\x1b\[([0-9;:]*)m|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** Splits a line into pieces of one look each. @param {string} line @returns {Piece[]} */
export function pieces(line) {
  if (!SEQUENCE.test(line)) return [{ text: line, classes: [] }];
  SEQUENCE.lastIndex = 0;
  /** @type {Piece[]} */
  const found = [];
  let look = /** @type {Look} */ ({ weights: new Set() });
  let from = 0;
  for (const match of line.matchAll(SEQUENCE)) {
    push(found, line.slice(from, match.index), look);
    from = match.index + match[0].length;
    if (match[1] !== undefined) look = changed(look, match[1]);
  }
  push(found, line.slice(from), look);
  return found;
}

/** The line without any of it. @param {string} line */
export function plain(line) {
  return line.replace(SEQUENCE, "");
}

/** @typedef {{ weights: Set<string>, fg?: string, bg?: string }} Look */

/** @param {Piece[]} found @param {string} text @param {Look} look */
function push(found, text, look) {
  if (text === "") return;
  const classes = [...look.weights].map((weight) => `ansi-${weight}`);
  /** @type {Piece} */
  const piece = { text, classes };
  if (look.fg?.startsWith("#")) piece.color = look.fg;
  else if (look.fg) classes.push(`ansi-${look.fg}`);
  if (look.bg?.startsWith("#")) piece.background = look.bg;
  else if (look.bg) classes.push(`ansi-bg-${/^(red|green|yellow|blue)$/.test(look.bg) ? look.bg : "other"}`);
  found.push(piece);
}

/** @param {Look} look @param {string} codes @returns {Look} */
function changed(look, codes) {
  const numbers = codes.split(/[;:]/).map(Number);
  const next = { ...look, weights: new Set(look.weights) };
  for (let at = 0; at < numbers.length; at += 1) {
    const code = numbers[at];
    if (code === 0) Object.assign(next, { weights: new Set(), fg: undefined, bg: undefined });
    else if (code in WEIGHTS) next.weights.add(WEIGHTS[code]);
    else if (code in ENDS) ENDS[code].forEach((name) => next.weights.delete(name));
    else if (code === 38 || code === 48) {
      const [color, used] = extended(numbers.slice(at + 1));
      next[code === 38 ? "fg" : "bg"] = color;
      at += used;
    } else if (code === 39) next.fg = undefined;
    else if (code === 49) next.bg = undefined;
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) next.fg = NAMES[code % 10];
    else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) next.bg = NAMES[code % 10];
  }
  return next;
}

/** 256 and true colours: the colour, and how many numbers it took. @returns {[string | undefined, number]} */
function extended(/** @type {number[]} */ [kind, ...rest]) {
  const hex = (/** @type {number[]} */ parts) =>
    `#${parts.map((part) => Math.min(part || 0, 255).toString(16).padStart(2, "0")).join("")}`;
  if (kind === 2) return [hex(rest.slice(0, 3)), 4];
  if (kind !== 5) return [undefined, 0];
  const n = rest[0] || 0;
  if (n < 16) return [NAMES[n % 8], 2];
  if (n >= 232) return [hex(Array(3).fill((n - 232) * 10 + 8)), 2];
  const step = (/** @type {number} */ part) => (part === 0 ? 0 : part * 40 + 55);
  const cube = n - 16;
  return [hex([step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6)]), 2];
}
