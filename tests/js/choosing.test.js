import assert from "node:assert/strict";
import { test } from "node:test";

import { Document, Element, globals, load } from "./page.js";

test("the form is there while the rows say that one may take alerts", async () => {
  let changed;
  globals({ MutationObserver: class { constructor(run) { changed = run; } observe() {} } });
  const list = new Element();
  list.querySelectorAll = () => [];
  const form = new Element({}, { "[data-count]": new Element() });
  new Document({ alerts: list, group: form });
  await load("choosing.js");
  assert.equal(form.hidden, true);
  for (const may of [true, false, true]) {
    list.parts = may ? { "[data-may-acknowledge]": new Element() } : {};
    changed();
    assert.equal(form.hidden, !may);
  }
});
