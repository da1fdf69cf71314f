// A text browser sends neither Origin nor Sec-Fetch-Site; its forms pass by the proof that they carry.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { below } from '../support/base.js';
import { controlled as test, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import { TextBrowser, send } from '../support/raw.js';
import { PASSWORD, link, reasons, say } from '../support/pages.js';

/** Looks at the waiting page until it has led somewhere else. */
async function wait(browser) {
  await expect
    .poll(async () => {
      if (browser.url.pathname.endsWith('/wait')) await browser.open(browser.url);
      return below(browser.url.pathname);
    })
    .not.toMatch(/\/wait$/);
}

test('a good link signs in, and the profile signs out', async ({ server, validator }) => {
  const browser = new TextBrowser(server.url);
  expect((await browser.open(link('text'))).text).toContain(say.ready);
  await browser.submit('Continue');
  const question = await validator.asked('text');
  expect((await browser.open(browser.url)).text).toContain(say.contacting);
  expect(browser.page.headers.refresh ?? browser.page.text).toMatch(/2/);
  question.valid();
  await wait(browser);
  expect(below(browser.url.pathname)).toBe('/profile');
  expect(browser.page.text).toContain(ADA.name);
  await browser.submit('Sign out');
  expect(below(browser.url.pathname)).toBe('/login');
  await browser.open('/profile');
  expect(below(browser.url.pathname)).toBe('/login');
});

test('a bad link is told, and a password signs in', async ({ server, validator }) => {
  await server.addUser({ email: 'bob@example.com', name: 'Bob', password: PASSWORD });
  validator.answer = (question) => question.invalid('used');
  const browser = new TextBrowser(server.url);
  await browser.open(link('text'));
  await browser.submit('Continue');
  await wait(browser);
  expect(browser.page.text).toContain(reasons.used);
  await browser.submit('Sign in', { email: 'bob@example.com', password: PASSWORD });
  expect(below(browser.url.pathname)).toBe('/profile');
  expect(browser.page.text).toContain('Bob');
});

test('a link can be cancelled and tried again', async ({ server, validator }) => {
  const browser = new TextBrowser(server.url);
  await browser.open(link('text'));
  await browser.submit('Continue');
  await validator.asked('text');
  await browser.submit('Cancel');
  expect(browser.page.text).toContain(reasons.cancelled);
  await browser.open(`${link('text')}/wait`);
  await browser.submit('Try again');
  (await validator.asked('text', 2)).valid();
  await wait(browser);
  expect(browser.page.text).toContain(ADA.name);
});

test('a form without its proof, with a forged one, or with another user’s is refused', async ({ server, validator }) => {
  const [browser, other] = [new TextBrowser(server.url), new TextBrowser(server.url)];
  await browser.open(link('text'));
  await other.open(link('text'));
  const foreign = other.forms()[0].fields.proof;
  const own = browser.forms()[0].fields.proof;
  expect(own).toBeTruthy();
  expect(foreign).not.toBe(own);
  for (const proof of [undefined, '', 'AAAA', foreign]) {
    const form = proof === undefined ? {} : { proof };
    const answer = await send(`${server.url}${link('text')}`, { method: 'POST', form, cookies: browser.cookies });
    expect(answer.status, `with proof ${proof}`).toBe(403);
    expect(answer.text).toContain('Request refused');
  }
  // A proof is nothing without the cookie that it is bound to.
  const bare = await send(`${server.url}${link('text')}`, { method: 'POST', form: { proof: own } });
  expect(bare.status).toBe(403);
  expect(validator.count()).toBe(0);
});

test('the pages read well in w3m', async ({ server }) => {
  const dump = (path) => promisify(execFile)('w3m', ['-dump', '-cols', '72', `${server.url}${path}`]);
  const installed = await promisify(execFile)('w3m', ['-version']).then(() => true, () => false);
  test.skip(!installed, 'w3m is not installed; install it to have this test run');
  const landing = (await dump(link('text'))).stdout;
  expect(landing).toContain('Signing you in');
  expect(landing).toContain(say.ready);
  expect(landing).toContain('Continue\n');
  expect(landing).not.toContain(say.longer);
  expect((await dump('/login?reason=expired')).stdout).toContain(reasons.expired);
});
