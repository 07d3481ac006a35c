// @ts-check
/** More rows than this are not watched: the list of topics has to fit in one message. */
const MOST_ROWS = 200;

/**
 * What a tab looks at: what its page was drawn with, and the rows that it holds now.
 * @param {string} drawn the page's `data-topics` @param {string[]} rows DOM ids of rows
 */
export function topics(drawn, rows) {
  const fixed = drawn.split(" ").filter((topic) => topic && !topic.startsWith("row:"));
  const ids = [...new Set(rows)].slice(0, MOST_ROWS).sort();
  return [...fixed, ...ids.map((id) => id.replace(/^row-/, "row:"))];
}
