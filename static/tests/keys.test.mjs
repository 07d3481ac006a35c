import assert from "node:assert/strict";
import { test } from "node:test";
import { letter } from "../js/lib/keys.js";

test("a key means what is written on it, wherever it lies", () => {
  assert.equal(letter({ key: "j", code: "KeyJ" }), "j");
  assert.equal(letter({ key: "j", code: "KeyC" }), "j", "Dvorak");
  assert.equal(letter({ key: "/", code: "Digit7" }), "/", "German");
  assert.equal(letter({ key: "J", code: "KeyJ" }), "J");
});

test("without our letters a key means what its place means", () => {
  assert.equal(letter({ key: "ㅓ", code: "KeyJ" }), "j");
  assert.equal(letter({ key: "Process", code: "KeyC" }), "c");
  assert.equal(letter({ key: "о", code: "KeyJ" }), "j");
});

test("keys without a letter stay what they are", () => {
  assert.equal(letter({ key: "Enter", code: "Enter" }), "Enter");
  assert.equal(letter({ key: "Shift", code: "ShiftLeft" }), "Shift");
});
