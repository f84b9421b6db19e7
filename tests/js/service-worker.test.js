// The service worker: what it shows, and where a click leads.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const SOURCE = readFileSync(new URL("../../static/js/service-worker.js", import.meta.url), "utf8");
const ORIGIN = "https://watch.example";

function worker(windows = []) {
  const heard = {};
  const done = { shown: [], opened: [], focused: [] };
  const self = {
    location: { origin: ORIGIN },
    skipWaiting: () => {},
    clients: {
      claim: () => {},
      matchAll: async () => windows.map((one) => ({ ...one, focus: async () => done.focused.push(one.url) })),
      openWindow: async (url) => done.opened.push(url),
    },
    registration: { showNotification: async (title, options) => done.shown.push({ title, ...options }) },
    addEventListener: (name, listener) => { heard[name] = listener; },
  };
  vm.runInNewContext(SOURCE, { self, URL });
  const tell = async (name, event) => {
    const waited = [];
    heard[name]({ waitUntil: (what) => waited.push(what), ...event });
    await Promise.all(waited);
  };
  return { ...done, tell };
}

const sent = (body) => ({ data: { json: () => JSON.parse(body) } });
const clicked = (path) => ({ notification: { close: () => {}, data: { path } } });

test("it shows what was pushed, and something where that can't be read", async () => {
  const { shown, tell } = worker();
  await tell("push", sent('{"title": "Mention: ada", "text": "Look", "path": "/d/shop/", "tag": "7-3"}'));
  await tell("push", { data: null });
  await tell("push", sent("nonsense"));
  assert.deepEqual(shown.map(({ title, body, tag }) => [title, body, tag]), [
    ["Mention: ada", "Look", "7-3"],
    ["Watchfloor", "You have a notification.", ""],
    ["Watchfloor", "You have a notification.", ""],
  ]);
  assert.equal(shown[0].data.path, "/d/shop/");
});

test("nothing is shown twice: a page that is looked at has its toast", async () => {
  for (const [focused, count] of [[true, 0], [false, 1]]) {
    const { shown, tell } = worker([{ url: `${ORIGIN}/`, focused }]);
    await tell("push", sent('{"title": "x"}'));
    assert.equal(shown.length, count);
  }
});

test("a click opens the path, or the tab that shows it, and no other site", async () => {
  const { opened, focused, tell } = worker([{ url: `${ORIGIN}/d/open/` }]);
  for (const path of ["/d/shop/?range=1h", "/d/open/", "https://elsewhere.example/", "//elsewhere.example/", undefined]) {
    await tell("notificationclick", clicked(path));
  }
  const list = `${ORIGIN}/notifications/`;
  assert.deepEqual(opened, [`${ORIGIN}/d/shop/?range=1h`, list, list, list]);
  assert.deepEqual(focused, [`${ORIGIN}/d/open/`]);
});
