import assert from "node:assert/strict";
import { test } from "node:test";
import { LogLines } from "../js/lib/log-lines.js";
import { LogPlace } from "../js/lib/log-place.js";

/** A window of ten rows of 20 pixels on these lines; it can be scrolled no further than they go. */
function windowOn(lines) {
  let top = 0;
  return {
    clientHeight: 200,
    get scrollHeight() {
      return Math.max(200, lines.shown.length * 20);
    },
    get scrollTop() {
      return top;
    },
    set scrollTop(wanted) {
      top = Math.min(Math.max(0, wanted), this.scrollHeight - this.clientHeight);
    },
  };
}

const of = (source, from, to, step = 1) =>
  Array.from({ length: (to - from) / step }, (_, n) => ({ source, ns: String(from + n * step), raw: `${source}` }));

function begun() {
  const lines = new LogLines();
  const box = windowOn(lines);
  return { lines, box, place: new LogPlace(box, lines) };
}

test("a line that a link leads to stays in the middle when other logs come before it", () => {
  const { lines, box, place } = begun();
  lines.merge(of(0, 1000, 1100, 2));
  const index = lines.shown.findIndex((line) => line.ns === "1050");
  const line = lines.shown[index];
  place.center(index);
  lines.merge(of(1, 1001, 1101, 2));
  lines.merge(of(2, 900, 1000));
  place.stay();
  assert.equal(place.scrolled(), false, "nobody has scrolled");
  assert.equal(lines.indexOf(line) * 20 - box.scrollTop, 100);
});

test("one near the end comes to the middle when there are lines behind it", () => {
  const { lines, box, place } = begun();
  lines.merge(of(0, 1000, 1005));
  place.center(4);
  assert.equal(box.scrollTop, 0);
  assert.equal(place.scrolled(), false);
  lines.merge(of(0, 1005, 1100));
  lines.merge(of(1, 900, 950));
  place.stay();
  assert.equal(box.scrollTop, 54 * 20 - 100);
});

test("where a person has scrolled to is where they stay", () => {
  const { lines, box, place } = begun();
  lines.merge(of(0, 1000, 1100));
  place.follow();
  assert.ok(place.isAtEnd && !place.scrolled());
  box.scrollTop = 405;
  assert.ok(place.scrolled() && !place.isAtEnd);
  lines.merge(of(1, 900, 910));
  place.stay();
  assert.equal(box.scrollTop, 605);
});

test("a line that is hidden holds nothing", () => {
  const { lines, box, place } = begun();
  lines.merge(of(0, 1000, 1100));
  place.center(50);
  lines.pattern = /1/;
  lines.only = true;
  lines.merge(of(1, 1000, 1100));
  lines.refilter();
  const before = box.scrollTop;
  place.stay();
  assert.equal(box.scrollTop, before);
});
