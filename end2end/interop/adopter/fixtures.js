// An application's own tests, as they are copied beside the packed kit: they see nothing of this repository.

import { stat, writeFile } from 'node:fs/promises';
import { test as base, mergeTests } from '@playwright/test';
import { Server, expect, saveStorageState, test } from '@vestibule/playwright';
import { freePorts } from '@vestibule/playwright/program';

const GRACE = { subject: 'grace', name: 'Grace Hopper', email: 'grace@example.com' };

test('the browser starts', async ({ page }) => {
  await page.goto('/login');
});

test('twenty sign-ins', async ({ browser, signIn, expectSignedIn }, testInfo) => {
  const times = [];
  for (let number = 0; number < 20; number += 1) {
    const context = await browser.newContext();
    const start = performance.now();
    await signIn({ subject: `user-${number}` }, context);
    times.push(performance.now() - start);
    await expectSignedIn(await context.newPage(), { subject: `user-${number}`, issuer: 'practice' });
    await context.close();
  }
  const [lower, upper] = times.sort((a, b) => a - b).slice(9, 11);
  testInfo.annotations.push({ type: 'median', description: String((lower + upper) / 2) });
});

test('a user who is signed in sees a page of theirs, and no other browser does', async ({ page, browser, signIn, expectSignedIn }) => {
  expect(await signIn(GRACE)).toMatchObject(GRACE);
  await page.goto('/profile');
  await expect(page.getByText('Grace Hopper')).toBeVisible();
  await expectSignedIn(page, GRACE);
  const stranger = await browser.newPage();
  const refused = await expectSignedIn(stranger).catch((error) => error.message);
  expect(refused).toContain('"state": "none"');
  await stranger.close();
});

test('the validator answers as it is told, and signs in in the end', async ({ page, link, expectSignedIn }) => {
  const order = link();
  const identity = { issuer: 'https://id.example', subject: 'grace' };
  await order.answers({ status: 503 }, { status: 202, callback_after: '10ms', identity });
  await page.goto(order.url);
  await page.waitForURL('**/profile');
  await expectSignedIn(page, identity);
  expect(await order.confirmations()).toMatchObject([{ asked: 2, ending: 'confirmed' }]);
});

test('a mailed link signs in once, and the next mail is another one', async ({ page, nextMail, expectSignedIn }) => {
  const ask = async () => {
    await page.goto('/login');
    await page.getByLabel('E-mail address').fill(GRACE.email);
    await page.getByRole('button', { name: 'Send me a link instead' }).click();
  };
  await ask();
  const first = await nextMail(GRACE.email);
  expect(first.code).toMatch(/^\d{6}$/);
  await page.goto(first.link ?? 'no link');
  await page.waitForURL('**/profile');
  await expectSignedIn(page, { email: GRACE.email });
  await page.context().clearCookies();
  await ask();
  const second = await nextMail(GRACE.email, { subject: first.subject });
  expect(second.link).not.toBe(first.link);
});

test('a session ends when its time has passed', async ({ page, signIn, advance }) => {
  await signIn(GRACE);
  const before = Date.now();
  const now = await advance('91days');
  expect(now.getTime() - before).toBeGreaterThan(90 * 86_400_000);
  await page.goto('/profile');
  await expect(page).toHaveURL(/\/login\?next=/);
});

test.describe('with settings of its own', () => {
  test.use({ settings: { CONFIRM_START: 'click' } });

  test('the page waits for a click', async ({ page, link }) => {
    await page.goto(link('valid-1').url);
    await expect(page.getByText('Continue to sign in with this link.')).toBeVisible();
  });
});

const beside = test.extend({
  settings: async ({}, use) => {
    const address = `127.0.0.1:${await freePorts(1)}`;
    await use({ LEPTOS_SITE_ADDR: address, PUBLIC_URL: `http://${address}/auth` });
  },
});

beside('below a path of the application, links and cookies are those of its host', async ({ page, link, signIn, expectSignedIn }) => {
  const { path, url } = link('expired-1');
  expect(path).toBe('/auth/confirm/expired-1');
  await page.goto(url);
  await page.waitForURL('**/auth/login?reason=expired');
  await signIn(GRACE);
  await page.goto('/auth/profile');
  await expectSignedIn(page, GRACE);
});

/** @type {import('@playwright/test').Fixtures<{ order: string }>} */
const fixtures = { order: async ({}, use) => use('order-4711') };
const own = base.extend(fixtures);

mergeTests(own, test)('fixtures of its own stand beside them', async ({ order, link }) => {
  expect(link(order).token).toBe('order-4711');
});

test('a program that is not there is an error that says how to name it', async () => {
  await expect(Server.start({}, { binary: '/nowhere/vestibule' })).rejects.toThrow('Name the program by VESTIBULE_BIN');
});

test('a bad request is an error that says why', async ({ link, advance }) => {
  // @ts-expect-error: nor do the types allow it.
  await expect(link().answers({ verdict: 'yes' })).rejects.toThrow('422: answers[0]: verdict is not valid');
  await expect(advance('-1s')).rejects.toThrow('422: advance: not a time with its unit');
});

test('saved cookies are for their owner alone, also in a file that was there', async ({ context, signIn }, testInfo) => {
  await signIn(GRACE);
  const file = testInfo.outputPath('state.json');
  await writeFile(file, '', { mode: 0o644 });
  const state = await saveStorageState(context, file);
  expect(state.cookies.map(({ name }) => name)).toContain('vestibule-session');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});
