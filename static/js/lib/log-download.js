// @ts-check
import { plain } from "./ansi.js";
import { continues, level } from "./log-levels.js";

/**
 * Takes away what a filter leaves of a log. The server gives the whole, so it is complete and the
 * audit knows of it; lines that do not fit are dropped here as they come.
 *
 * @param {string} address of the whole log, each line with its time
 * @param {(line: any) => boolean} fits
 * @returns {Promise<boolean>} whether there was a file
 */
export async function download(address, fits) {
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok || !answer.body) return false;
  const name = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition") ?? "")?.[1] ?? "container.log";
  const kept = [];
  let rest = "";
  let before = "";
  const take = (/** @type {string} */ line) => {
    const text = plain(line.slice(line.indexOf(" ") + 1));
    before = level(text) || (continues(text) ? before : "");
    if (fits({ text, level: before, stream: 0 })) kept.push(line, "\n");
  };
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    const lines = (rest + value).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(take);
  }
  if (rest) take(rest);
  save(new Blob(kept, { type: "text/plain" }), name);
  return true;
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
