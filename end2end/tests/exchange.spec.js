// The pending secret is swapped for a session secret exactly once, by a page that a person goes to.

import { below } from '../support/base.js';
import { controlled as test, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import { send } from '../support/raw.js';
import {
  button, expectLogin, expectProfile, expectStranger, hold, link, pendingCookies, sessionCookie, sessionRows,
} from '../support/pages.js';

const asPairs = (cookies) => Object.fromEntries(cookies.map(({ name, value }) => [name, value]));

/** Takes a link so far that its session is bound, and stops the browser before it exchanges anything. */
async function bind(page, validator, token) {
  const { held } = await hold(page, '**/profile');
  await page.goto(link(token));
  (await validator.asked(token)).valid();
  return held;
}

test('signing in swaps the pending cookie for a session cookie', async ({ page, context, validator }) => {
  await page.goto(link('swapped'));
  const question = await validator.asked('swapped');
  const [pending] = await pendingCookies(context);
  expect(pending).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' });
  expect(await sessionCookie(context)).toBeUndefined();
  question.valid();
  await expectProfile(page, ADA.name);
  expect(await pendingCookies(context)).toEqual([]);
  const session = await sessionCookie(context);
  expect(session).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' });
  expect(session.value).not.toContain(pending.value.slice(0, 40));
});

test('an exchange whose response is lost is repeated by the next visit', async ({ page, context, validator, server }) => {
  const route = await bind(page, validator, 'lost');
  // The server answers; the browser never hears it. (Playwright's own fetch would keep the cookie.)
  const { ':method': _, ...headers } = await route.request().allHeaders();
  const cookies = asPairs(await context.cookies());
  const answer = await send(`${server.url}/profile`, { headers, cookies });
  expect(answer.status).toBe(200);
  const lost = answer.setCookies.find(({ name }) => name === 'vestibule-session');
  expect(lost.value).toBeTruthy();
  await route.abort('connectionreset');
  await expect(page).toHaveURL('chrome-error://chromewebdata/');
  expect(await sessionCookie(context)).toBeUndefined();

  await page.goto('/profile');
  await expectProfile(page, ADA.name);
  expect((await sessionCookie(context)).value, 'the repeat gives the same secret').toBe(lost.value);
  await expect(sessionRows(page)).toHaveCount(1);
});

test('the old pending cookie is invalid once the new one was used, and signs no one out', async ({ page, context, validator, anotherBrowser }) => {
  await page.goto(link('replayed'));
  const question = await validator.asked('replayed');
  const old = await pendingCookies(context);
  question.valid();
  await expectProfile(page, ADA.name);
  // The first request with the new cookie ends the repeat.
  await page.goto('/profile');
  await expectProfile(page, ADA.name);

  const thief = await anotherBrowser();
  await thief.addCookies(old);
  await expectStranger(await thief.newPage());
  expect(await sessionCookie(thief)).toBeUndefined();

  const { value } = await sessionCookie(context);
  await context.addCookies(old);
  await page.goto('/profile');
  await expectProfile(page, ADA.name);
  expect((await sessionCookie(context)).value).toBe(value);
  await expect(sessionRows(page)).toHaveCount(1);
});

test('nothing but a navigation exchanges', async ({ page, context, validator, server }) => {
  const route = await bind(page, validator, 'untouched');
  const { ':method': _, ...navigation } = await route.request().allHeaders();
  const cookies = asPairs(await context.cookies());
  const visits = {
    'HEAD': { method: 'HEAD', headers: navigation },
    'a prefetch': { headers: { ...navigation, 'sec-purpose': 'prefetch' } },
    'a prerender': { headers: { ...navigation, 'sec-purpose': 'prefetch;prerender' } },
    'an old prefetch': { headers: { ...navigation, purpose: 'prefetch' } },
    'an image': { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } },
    'a frame': { headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' } },
    'a script': { headers: { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } },
  };
  for (const [name, visit] of Object.entries(visits)) {
    const answer = await send(`${server.url}/profile`, { ...visit, cookies });
    expect(answer.setCookies.map((cookie) => cookie.name), name).not.toContain('vestibule-session');
    expect(answer.text, name).not.toContain(ADA.email);
  }
  await route.continue();
  await expectProfile(page, ADA.name);
});

test('a pending or bound session opens nothing but the exchange', async ({ page, context, validator, server }) => {
  const route = await bind(page, validator, 'limited');
  const [{ value }] = await pendingCookies(context);
  const answer = await send(`${server.url}/profile`, { cookies: { 'vestibule-session': value } });
  expect(answer.status).toBe(303);
  expect(below(answer.headers.location)).toMatch(/^\/login/);
  await route.continue();
  await expectProfile(page, ADA.name);
});

test('a link that signed this browser in leads to the profile when it is opened again', async ({ page, context, validator }) => {
  await page.goto(link('again'));
  (await validator.asked('again')).valid();
  await expectProfile(page, ADA.name);
  const { value } = await sessionCookie(context);
  await page.goto(link('again'));
  await expectProfile(page, ADA.name);
  expect(validator.count()).toBe(1);
  expect((await sessionCookie(context)).value).toBe(value);
});

test('the same link in another browser is another confirmation, which the validator judges', async ({ page, validator, anotherBrowser }) => {
  await page.goto(link('shared'));
  (await validator.asked('shared')).valid();
  await expectProfile(page, ADA.name);
  const other = await (await anotherBrowser()).newPage();
  await other.goto(link('shared'));
  (await validator.asked('shared', 2)).invalid('used');
  await expectLogin(other, 'used');
  await page.goto('/profile');
  await expectProfile(page, ADA.name);
});

test('a signed-in user who opens another link of theirs stays signed in, with one session', async ({ page, context, validator }) => {
  await page.goto(link('first'));
  (await validator.asked('first')).valid();
  await expectProfile(page, ADA.name);
  const { value } = await sessionCookie(context);
  await page.goto(link('second'));
  await expect(page.getByText(`You are signed in as ${ADA.name}.`)).toBeVisible();
  await button(page, 'Continue').click();
  (await validator.asked('second')).valid();
  await expectProfile(page, ADA.name);
  expect((await sessionCookie(context)).value).not.toBe(value);
  await expect(sessionRows(page)).toHaveCount(1);
});
