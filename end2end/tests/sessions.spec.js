// Where a user is signed in: what the profile tells of each browser, and the ways to sign others out.

import { at } from '../support/base.js';
import { practice as test, expect } from '../support/test.js';
import { send } from '../support/raw.js';
import {
  PASSWORD, PRACTICE, button, expectLogin, expectProfile, expectStranger, sessionCookie, sessionRows, signIn,
} from '../support/pages.js';

const GRACE = { email: 'grace@example.com', name: 'Grace Hopper', password: PASSWORD };

const AGENTS = {
  'Firefox on Linux': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'Safari on iPhone':
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
};

/** The row of a browser, and the button in it. */
const row = (page, device) => sessionRows(page).filter({ hasText: device });
const signOut = (page, device) => row(page, device).getByRole('button', { name: `Sign out: ${device}` });

/** A signed-in user, in a browser that sends this name. */
async function signedIn(anotherBrowser, device, user = PRACTICE, options = {}) {
  const page = await (await anotherBrowser({ userAgent: AGENTS[device], ...options })).newPage();
  await signIn(page, user);
  await expectProfile(page);
  return page;
}

test('the profile tells each browser, since when and until when it was used, its own first', async ({ page, anotherBrowser }) => {
  await signedIn(anotherBrowser, 'Firefox on Linux');
  await signedIn(anotherBrowser, 'Safari on iPhone');
  await signIn(page, PRACTICE);
  await expect(sessionRows(page)).toHaveCount(3);
  await expect(sessionRows(page).first()).toContainText(', this browser');
  await expect(page.getByText(', this browser')).toHaveCount(1);
  for (const each of await sessionRows(page).all()) {
    await expect(each).toContainText(/ on .*Since \d{4}-\d\d-\d\d, \d\d:\d\d UTC.*Last used \d{4}-\d\d-\d\d, \d\d:\d\d UTC/s);
  }
  for (const device of Object.keys(AGENTS)) await expect(row(page, device)).toHaveCount(1);
  await expect(sessionRows(page).first().getByRole('button')).toHaveCount(0);
});

test('another browser is signed out alone, and finds the login page at its next request', async ({ page, anotherBrowser }) => {
  const lost = await signedIn(anotherBrowser, 'Safari on iPhone');
  const kept = await signedIn(anotherBrowser, 'Firefox on Linux');
  await signIn(page, PRACTICE);
  await signOut(page, 'Safari on iPhone').click();
  await expectProfile(page);
  await expect(row(page, 'Safari on iPhone')).toHaveCount(0);
  await expect(sessionRows(page)).toHaveCount(2);
  await expectStranger(lost);
  await kept.goto('/profile');
  await expectProfile(kept);
});

test('all others are signed out at once, and the button goes with them', async ({ page, anotherBrowser }) => {
  const others = [await signedIn(anotherBrowser, 'Safari on iPhone'), await signedIn(anotherBrowser, 'Firefox on Linux')];
  await signIn(page, PRACTICE);
  await button(page, 'Sign out other sessions').click();
  await expectProfile(page);
  await expect(sessionRows(page)).toHaveCount(1);
  await expect(button(page, 'Sign out other sessions')).toHaveCount(0);
  for (const other of others) await expectStranger(other);
});

test('it works without JavaScript, and from the keyboard', async ({ anotherBrowser }) => {
  const lost = await signedIn(anotherBrowser, 'Safari on iPhone');
  const page = await signedIn(anotherBrowser, 'Firefox on Linux', PRACTICE, { javaScriptEnabled: false });
  await signOut(page, 'Safari on iPhone').press('Enter');
  await expectProfile(page);
  await expect(sessionRows(page)).toHaveCount(1);
  await expectStranger(lost);
});

test('a row that is out of date signs no one else out', async ({ page, anotherBrowser }) => {
  const lost = await signedIn(anotherBrowser, 'Safari on iPhone');
  const kept = await signedIn(anotherBrowser, 'Firefox on Linux');
  await signIn(page, PRACTICE);
  await expect(sessionRows(page)).toHaveCount(3);
  await button(lost, 'Sign out').click();
  await expectLogin(lost);
  await signOut(page, 'Safari on iPhone').click();
  await expect(sessionRows(page)).toHaveCount(2);
  await kept.goto('/profile');
  await expectProfile(kept);
});

test('a browser that was signed out signs no one out any more', async ({ page, anotherBrowser }) => {
  const lost = await signedIn(anotherBrowser, 'Safari on iPhone');
  await signIn(page, PRACTICE);
  await lost.goto('/profile');
  await button(page, 'Sign out other sessions').click();
  await expect(sessionRows(page)).toHaveCount(1);
  await button(lost, 'Sign out other sessions').click();
  await expectLogin(lost);
  await page.goto('/profile');
  await expectProfile(page);
});

test('no one signs another user out by the name that their page has for a browser', async ({ page, context, server, anotherBrowser }) => {
  await server.addUser(GRACE);
  const hers = await signedIn(anotherBrowser, 'Firefox on Linux', GRACE);
  const herPhone = await signedIn(anotherBrowser, 'Safari on iPhone', GRACE);
  await hers.goto('/profile');
  const handle = await signOut(hers, 'Safari on iPhone').getAttribute('value');
  expect(handle).toMatch(/^[0-9a-f]{16}$/);
  await signIn(page, PRACTICE);
  await expectProfile(page);
  const { name, value } = await sessionCookie(context);
  const end = (choice) =>
    send(`${server.url}/profile/sessions/end`, {
      method: 'POST', headers: { 'sec-fetch-site': 'same-origin' }, form: { choice }, cookies: { [name]: value },
    });
  const answer = await end(handle);
  expect([answer.status, answer.headers.location]).toEqual([303, at('/profile')]);
  await herPhone.goto('/profile');
  await expectProfile(herPhone, GRACE.name);
  for (const none of ['', 'all', `${handle}0`, handle.toUpperCase() + 'G']) expect((await end(none)).status).toBe(403);
});

test('a new password signs its user out everywhere, and the command says so', async ({ server, anotherBrowser }) => {
  expect(await server.addUser(GRACE)).toBe('grace@example.com can sign in');
  const hers = await signedIn(anotherBrowser, 'Firefox on Linux', GRACE);
  const other = await signedIn(anotherBrowser, 'Safari on iPhone');
  const changed = { ...GRACE, password: 'another-battery-staple-7' };
  expect(await server.addUser(changed)).toBe('grace@example.com has the new password and is signed out everywhere');
  await expectStranger(hers);
  await other.goto('/profile');
  await expectProfile(other);
  await signIn(hers, changed);
  await expectProfile(hers, GRACE.name);
});

test('a user removed by the operator is signed out and cannot come back', async ({ server, anotherBrowser }) => {
  await server.addUser(GRACE);
  const hers = await signedIn(anotherBrowser, 'Firefox on Linux', GRACE);
  const other = await signedIn(anotherBrowser, 'Safari on iPhone');
  const removed = await server.command(['user', 'remove', '--email', GRACE.email]);
  expect(removed).toEqual({ code: 0, stdout: `${GRACE.email} is removed and signed out everywhere\n`, stderr: '' });
  await expectStranger(hers);
  await other.goto('/profile');
  await expectProfile(other);
});

test.describe('with sessions in the memory of the server', () => {
  test.use({ settings: { SESSION_STORE: 'memory' } });

  test('a user removed by the operator is signed out, too', async ({ server, anotherBrowser }) => {
    await server.addUser(GRACE);
    const hers = await signedIn(anotherBrowser, 'Firefox on Linux', GRACE);
    expect((await server.command(['user', 'remove', '--email', GRACE.email])).code).toBe(0);
    await expectStranger(hers);
  });
});
