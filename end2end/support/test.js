// The two tests that all journeys are written with: `practice`, a server as a newcomer starts it, and `controlled`, a
// server whose validator the test plays itself.

import { randomBytes } from 'node:crypto';
import { serve, test as base } from '@vestibule/playwright';
import { expect, goBelowBase } from './base.js';
import { ConsoleLog, unusedPreload } from './console.js';
import { Elsewhere } from './elsewhere.js';
import { Server } from './server.js';
import { Validator } from './validator.js';

export { expect };

/** Runs in every page before its own scripts: reports when the island has hydrated the page. */
function noticeIsland() {
  const listen = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function addEventListener(type, ...rest) {
    // The last thing that the island listens to, in the same turn in which it takes over the form.
    if (type === 'submit' && this === document) window.islandIsUp = true;
    return listen.call(this, type, ...rest);
  };
}

async function prepare(context, consoleLog, javaScriptEnabled) {
  consoleLog.watch(context);
  context.on('page', goBelowBase);
  if (!javaScriptEnabled) consoleLog.expected.push(...unusedPreload);
  await context.addInitScript(noticeIsland);
}

const browsers = base.extend({
  consoleLog: [
    async ({}, use) => {
      const log = new ConsoleLog();
      await use(log);
      log.check();
    },
    { auto: true },
  ],

  /** Lists the console messages that the test's own faults cause. */
  expectConsole: async ({ consoleLog }, use) => use((...messages) => consoleLog.expected.push(...messages)),

  context: async ({ context, consoleLog, javaScriptEnabled }, use) => {
    await prepare(context, consoleLog, javaScriptEnabled);
    await use(context);
  },

  /** Opens a browser that shares nothing with the test's own. */
  anotherBrowser: async ({ browser, baseURL, consoleLog }, use) => {
    const opened = [];
    await use(async (options) => {
      const context = await browser.newContext({ baseURL, ...options });
      opened.push(context);
      await prepare(context, consoleLog, options?.javaScriptEnabled ?? true);
      return context;
    });
    for (const context of opened) await context.close();
  },

  /** Another site. */
  elsewhere: async ({}, use) => {
    const elsewhere = await Elsewhere.start();
    await use(elsewhere);
    await elsewhere.stop();
  },

  /** What our own tests call the kit's `vestibule`. */
  server: async ({ vestibule }, use) => use(vestibule),

  baseURL: async ({ server }, use) => use(server.url),
});

export const practice = browsers.extend({
  vestibule: async ({ settings }, use, testInfo) => serve(await Server.start(settings), use, testInfo),
});

export const controlled = browsers.extend({
  validator: async ({}, use) => {
    const validator = await Validator.start(randomBytes(24).toString('hex'));
    await use(validator);
    await validator.stop();
    expect(validator.faults, 'what the server did against the contract').toEqual([]);
  },

  vestibule: async ({ settings, validator }, use, testInfo) => {
    const own = {
      VALIDATOR_URL: validator.url,
      VALIDATOR_SECRET: validator.secret,
      VALIDATOR_CALLBACK_SECRET: validator.callbackSecret,
      VESTIBULE_SECRET: randomBytes(32).toString('base64'),
    };
    await serve(await Server.start({ ...own, ...settings }), use, testInfo, () => validator.hangUp());
  },
});
