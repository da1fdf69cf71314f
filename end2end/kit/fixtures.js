// The fixtures. Each test has a Vestibule of its own, whose log is shown if the test fails.

/** @import { Fixtures, Page, PlaywrightTestArgs, PlaywrightTestOptions, TestInfo } from '@playwright/test' */
/** @import { Link, Mail, VestibuleFixtures } from './types/index.js' */
/** @typedef {import('./types/index.js').Server} Vestibule */

import { randomBytes } from 'node:crypto';
import { test as base, expect } from '@playwright/test';
import { Server } from './server.js';

/**
 * Lends a running server to a test, shows its log if the test fails, and checks that it ends as it should.
 *
 * @param {Vestibule} server
 * @param {(server: Vestibule) => Promise<void>} use
 * @param {TestInfo} testInfo
 * @param {() => void} [beforeStop]
 */
export async function serve(server, use, testInfo, beforeStop) {
  await use(server);
  beforeStop?.();
  const how = await server.stop();
  if (testInfo.status !== testInfo.expectedStatus) {
    console.log(`--- the server's log in "${testInfo.title}":\n${server.log}---`);
    await testInfo.attach('server.log', { body: server.log, contentType: 'text/plain' });
  }
  expect(server.log, "the server's log").not.toContain('panicked at');
  expect(how, 'how the server ended').toBe(0);
}

/**
 * A link with this token.
 *
 * @param {Vestibule} vestibule
 * @param {string} token
 * @returns {Link}
 */
function linkTo(vestibule, token) {
  return {
    token,
    path: `${new URL(vestibule.publicUrl).pathname.replace(/\/$/, '')}/confirm/${token}`,
    url: `${vestibule.publicUrl}/confirm/${token}`,
    answers: (...answers) => vestibule.control.script(token, answers),
    confirmations: () => vestibule.control.confirmations(token),
  };
}

/**
 * The oldest mail to this address, perhaps with this subject, whose id is not in `had`; it is from then on.
 *
 * @param {Vestibule} vestibule
 * @param {Set<number>} had
 * @param {string} address
 * @param {{ subject?: string }} [options]
 * @returns {Promise<Mail>}
 */
async function nextMail(vestibule, had, address, { subject } = {}) {
  /** @param {Mail} mail */
  const isNext = (mail) => !had.has(mail.id) && (subject === undefined || mail.subject === subject);
  /** @type {Mail[]} */
  let next = [];
  const look = async () => {
    next = (await vestibule.control.mails(address)).reverse().filter(isNext);
    return next.length > 0;
  };
  const message = `whether there is another mail to ${address}${subject ? ` with the subject "${subject}"` : ''}`;
  await expect.poll(look, { message, intervals: [10, 20, 50] }).toBe(true);
  const [mail] = next;
  had.add(mail.id);
  return mail;
}

/**
 * What Vestibule says of the browser of this page: its state, and its user if it is signed in.
 *
 * @param {Vestibule} vestibule
 * @param {Page} page
 */
async function sessionOf(vestibule, page) {
  const answer = await page.context().request.get(`${vestibule.publicUrl}/v1/session`);
  const { state = 'signed in', user } = await answer.json();
  return answer.ok() ? { state: 'signed in', user } : { state };
}

/** @type {Fixtures<VestibuleFixtures, {}, PlaywrightTestArgs & PlaywrightTestOptions>} */
export const fixtures = {
  /** Settings of the server, as environment variables. */
  settings: [{}, { option: true }],

  /** The running server. */
  vestibule: async ({ settings }, use, testInfo) => serve(await Server.start(settings), use, testInfo),

  baseURL: async ({ baseURL, vestibule }, use) => use(baseURL ?? vestibule.publicUrl),

  /** Signs a browser in by cookies: the test's own, or that of another context. */
  signIn: async ({ vestibule, context }, use) =>
    use(async (identity, browser = context) => {
      const { cookies, user } = await vestibule.control.signIn(identity);
      await browser.addCookies(cookies);
      return user;
    }),

  /** A link with this token, or with a new one, and what the validator answers for it. */
  link: async ({ vestibule }, use) => use((token = randomBytes(16).toString('hex')) => linkTo(vestibule, token)),

  /** The next mail to an address that the test has not had yet. */
  nextMail: async ({ vestibule }, use) => {
    const had = new Set();
    await use((address, options) => nextMail(vestibule, had, address, options));
  },

  /** The browser of a page is signed in, perhaps as this user. */
  expectSignedIn: async ({ vestibule }, use) =>
    use(async (page, user) => {
      const expected = { state: 'signed in', ...(user && { user }) };
      await expect.poll(() => sessionOf(vestibule, page), 'the session of this page').toMatchObject(expected);
    }),

  /** Lets time pass for the server. */
  advance: async ({ vestibule }, use) => use((time) => vestibule.control.advance(time)),
};

export const test = base.extend(fixtures);
