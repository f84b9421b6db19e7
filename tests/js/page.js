// A page without a browser: elements as far as the scripts read them, and time that passes when it is told to.

const globals = (values) => {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
};

/** Time of a page: `ms` of its monotonic clock, and `wallMs` of the machine's. */
export class Time {
  ms = 1000;
  wallMs = Date.UTC(2026, 10, 20, 12);
  #timers = [];

  constructor() {
    const timer = (run, ms, every) => this.#timers.push({ run, at: this.ms + ms, every }) && this.#timers.at(-1);
    globals({
      performance: { now: () => this.ms },
      setTimeout: (run, ms) => timer(run, ms, 0),
      setInterval: (run, ms) => timer(run, ms, ms),
      clearTimeout: (gone) => { this.#timers = this.#timers.filter((one) => one !== gone); },
    });
    Date.now = () => this.wallMs;
  }

  /** Let `seconds` pass, timers run, and what they wait for be there. */
  async pass(seconds) {
    const until = this.ms + 1000 * seconds;
    for (;;) {
      const next = this.#timers.sort((one, other) => one.at - other.at)[0];
      if (!next || next.at > until) break;
      this.#goTo(next.at);
      if (next.every) next.at += next.every;
      else this.#timers.shift();
      next.run();
      await new Promise(setImmediate);
    }
    this.#goTo(until);
  }

  #goTo(ms) {
    this.wallMs += ms - this.ms;
    this.ms = ms;
  }
}

/** An element with `parts` by their selectors; `writes` counts how often its text was set. */
export class Element {
  dataset = {};
  hidden = false;
  style = {};
  writes = 0;
  classes = new Set();
  classList = {
    toggle: (name, on) => this.classes[on ? "add" : "delete"](name),
    contains: (name) => this.classes.has(name),
  };
  #text = "";
  #listeners = {};

  constructor(dataset = {}, parts = {}) {
    Object.assign(this.dataset, dataset);
    this.parts = parts;
  }

  get textContent() { return this.#text; }

  set textContent(text) {
    this.#text = text;
    this.writes += 1;
  }

  querySelector(selector) { return this.parts[selector] ?? null; }

  addEventListener(name, heard) { (this.#listeners[name] ??= []).push(heard); }

  /** Have an event of `name` happen here. */
  happens(name, event = {}) { for (const heard of this.#listeners[name] ?? []) heard(event); }
}

/** A document with elements by their ids, and lists of elements by selectors. */
export class Document extends Element {
  body = new Element();
  documentElement = new Element({ timeZone: "Europe/Zurich" });
  window = new Element();

  constructor(ids = {}, lists = {}) {
    super();
    this.ids = ids;
    this.lists = lists;
    globals({ document: this, addEventListener: (name, heard) => this.window.addEventListener(name, heard) });
  }

  getElementById(id) { return this.ids[id] ?? null; }

  querySelectorAll(selector) { return this.lists[selector] ?? []; }
}

export { globals };

let loads = 0;

/** Load a script of static/js anew. Modules that it imports keep their state. */
export const load = (name) => import(`../../static/js/${name}?${(loads += 1)}`);
