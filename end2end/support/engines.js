// Browser engines besides Chromium: Firefox's and Safari's. One contract, two adapters.
//
//   Engine   `start()`, `stop()`; `open(base)` opens a browser that shares nothing with an earlier one;
//            `keepsPagesWithSockets`: whether its back button finds a page again that had a socket open
//   browser  `newTab()`, which is in front; `close()`; `errors`: what its pages wrote to the console, where the driver reports that
//   tab      `goto(path)`, `reload()`, `back()`; `url()`, `text(css)`, `click(xpath)`, `fill(css, text)`, `run(script)`
//
// Nothing waits by itself, except for the pages that `goto`, `reload`, `back` and `newTab` open; `eventually` does.

import { expect } from './test.js';

const WITHIN = 20_000;

/** Waits until `check` throws nothing. A page that is just being left throws. */
export const eventually = (check) => expect(check).toPass({ timeout: WITHIN });

/** The script that returns the text of an element as a visitor sees it. */
export const textOf = (css) => `return document.querySelector(${JSON.stringify(css)}).innerText`;

export const shows = (tab, css, text) => eventually(async () => expect(await tab.text(css)).toContain(text));

export const isAt = (tab, path) =>
  eventually(async () => {
    const { pathname, search } = new URL(await tab.url());
    expect(pathname + search).toBe(path);
  });

/** Presses the button with this name, once it is there. */
export async function press(tab, name) {
  await eventually(async () => expect(await tab.text('main')).toContain(name));
  await tab.click(`//main//button[normalize-space()=${JSON.stringify(name)}]`);
}

/** The fixtures of tests in this engine. */
export const fixtures = (Engine) => ({
  engine: [
    async ({}, use) => {
      const engine = await Engine.start();
      await use(engine);
      await engine.stop();
    },
    { scope: 'worker' },
  ],

  /** The only tab of a fresh browser. */
  tab: async ({ engine, baseURL, consoleLog }, use) => {
    const browser = await engine.open(baseURL);
    await use(await browser.newTab());
    await browser.close();
    consoleLog.seen.push(...browser.errors);
  },
});
