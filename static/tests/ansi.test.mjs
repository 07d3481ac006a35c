import assert from "node:assert/strict";
import { test } from "node:test";
import { pieces, plain } from "../js/lib/ansi.js";

test("colours become classes and end where they end", () => {
  assert.deepEqual(pieces("a \x1b[1;31mred\x1b[22m \x1b[0mb"), [
    { text: "a ", classes: [] },
    { text: "red", classes: ["ansi-bold", "ansi-red"] },
    { text: " ", classes: ["ansi-red"] },
    { text: "b", classes: [] },
  ]);
});

test("256 and true colours are kept as colours", () => {
  assert.equal(pieces("\x1b[38;2;1;2;3mx")[0].color, "#010203");
  assert.equal(pieces("\x1b[48;5;196mx")[0].background, "#ff0000");
  assert.deepEqual(pieces("\x1b[38;5;2mx")[0].classes, ["ansi-green"]);
});

test("nothing but text is left of titles, links, cursor moves and controls", () => {
  for (const hostile of [
    "\x1b]0;title\x07x",
    "\x1b]8;;javascript:alert(1)\x1b\\x\x1b]8;;\x1b\\",
    "\x1b]52;c;aGk=\x07x",
    "\x1b[2J\x1b[1;1Hx",
    "\x1bP$q\"p\x1b\\x",
    "\x00\x08x\x7f",
    "\x1bcx",
  ]) {
    assert.equal(plain(hostile), "x", JSON.stringify(hostile));
    assert.equal(pieces(hostile).map((piece) => piece.text).join(""), "x", JSON.stringify(hostile));
  }
});
