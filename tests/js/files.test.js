// Files for a message: what is refused before it is sent, and what is said of answers.
import assert from "node:assert/strict";
import { test } from "node:test";

import { refusal, sentence, sizeOf } from "../../static/js/room/files.js";

const MOST = 10 * 1024 * 1024;

test("a size is written as people read it", () => {
  const sizes = [[0, "0 bytes"], [1023, "1023 bytes"], [1024, "1.0 KB"], [MOST, "10.0 MB"], [3 * 1024 ** 4, "3072.0 GB"]];
  for (const [bytes, text] of sizes) assert.equal(sizeOf(bytes), text);
});

test("a file that is empty or too large is refused before it is sent", () => {
  assert.equal(refusal({ name: "a", size: MOST }, MOST), "");
  assert.equal(refusal({ name: "a", size: MOST + 1 }, MOST), "a is too large: a file in a room has at most 10.0 MB.");
  assert.equal(refusal({ name: "a", size: 0 }, MOST), "a is empty.");
});

test("every answer becomes a sentence", () => {
  const answers = [
    [422, '{"detail": "It is empty."}', "It is empty."],
    [413, '{"detail": "The room is full."}', "The room is full."],
    [413, "What was sent is too large.\r\n", "This file is too large."],
    [413, "", "This file is too large."],
    [401, "<html>", "You are signed out. Sign in again to send files."],
    [500, "<html>", "The server answered 500: the file was not taken."],
    [0, "", "The server does not answer. Try again."],
  ];
  for (const [status, text, said] of answers) assert.equal(sentence(status, text), said);
});
