// No one becomes another user without having been asked.

import { controlled as test, expect } from '../support/test.js';
import { ADA, GRACE } from '../support/validator.js';
import {
  PASSWORD, button, expectLogin, expectProfile, expectStranger, expectWaiting, heading, hold, holdBefore,
  islandIsUp, link, pendingCookies, requestsTo, say, sessionCookie, sessionRows, signIn, status,
} from '../support/pages.js';

const BOB = { email: 'bob@example.com', name: 'Bob', password: PASSWORD };

test.beforeEach(async ({ server, page }) => {
  await server.addUser(BOB);
  await signIn(page, BOB);
  await expectProfile(page, BOB.name);
});

/** Opens a link while Bob is signed in, and goes on although the page says so. */
async function openAsBob(page, validator, token) {
  const begins = requestsTo(page, '/api/begin');
  await page.goto(link(token));
  await islandIsUp(page);
  await expect(page.getByText('You are signed in as Bob.')).toBeVisible();
  await expect(status(page)).toHaveText(say.ready);
  expect(begins, 'nothing begins by itself').toHaveLength(0);
  await button(page, 'Continue').click();
  return validator.asked(token);
}

test('a signed-in user is asked before they become another user', async ({ page, context, validator }) => {
  const { value } = await sessionCookie(context);
  (await openAsBob(page, validator, 'hers')).valid(ADA);
  await expect(page).toHaveURL('/profile');
  await expect(heading(page, `Continue as ${ADA.name}?`)).toBeVisible();
  expect((await sessionCookie(context)).value, 'until then they are who they were').toBe(value);
  await button(page, `Continue as ${ADA.name}`).click();
  await expectProfile(page, ADA.name);
  expect((await sessionCookie(context)).value).not.toBe(value);
  await expect(sessionRows(page)).toHaveCount(1);
});

test('a user who chooses to stay who they are stays, and the other session ends', async ({ page, context, validator }) => {
  (await openAsBob(page, validator, 'hers')).valid(ADA);
  await button(page, 'Stay signed in as Bob').click();
  await expectProfile(page, BOB.name);
  await page.goto('/profile');
  await expectProfile(page, BOB.name);
  await button(page, 'Sign out').click();
  await expectLogin(page);
  expect(await pendingCookies(context)).toEqual([]);
  await expectStranger(page);
});

test('a link that is not good changes nothing for a signed-in user', async ({ page, context, validator }) => {
  const { value } = await sessionCookie(context);
  (await openAsBob(page, validator, 'bad')).invalid('expired');
  // The login page sends those who are signed in on to their profile.
  await expectProfile(page, BOB.name);
  expect((await sessionCookie(context)).value).toBe(value);
});

test('a landing alone changes nothing for a signed-in user', async ({ page, context, validator }) => {
  const { value } = await sessionCookie(context);
  await page.goto(link('seen'));
  await expect(page.getByText('You are signed in as Bob.')).toBeVisible();
  await page.goto('/profile');
  await expectProfile(page, BOB.name);
  expect((await sessionCookie(context)).value).toBe(value);
  expect(validator.count()).toBe(0);
});

test('signing out while a link is pending ends the link as well', async ({ page, context, validator }) => {
  const tab = await context.newPage();
  const question = await openAsBob(tab, validator, 'abandoned');
  await expectWaiting(tab);
  await page.goto('/profile');
  await button(page, 'Sign out').click();
  await expectLogin(page);
  await expectLogin(tab, 'cancelled');
  question.valid(ADA);
  await expectStranger(page);
  expect(await sessionCookie(context)).toBeUndefined();
});

test('signing out after the verdict and before the exchange leaves no one signed in', async ({ page, context, validator }) => {
  const tab = await context.newPage();
  const { held } = await hold(tab, '**/profile');
  (await openAsBob(tab, validator, 'raced')).valid(ADA);
  const route = await held;
  await button(page, 'Sign out').click();
  await expectLogin(page);
  await route.continue();
  await expectLogin(tab);
  await expectStranger(tab);
});

test('links of two people in one browser are a question', async ({ validator, anotherBrowser }) => {
  const other = await anotherBrowser();
  const tabs = await Promise.all([other.newPage(), other.newPage()]);
  const holds = await Promise.all(tabs.map((tab) => hold(tab, '**/profile')));
  await tabs[0].goto(link('ada'));
  (await validator.asked('ada')).valid(ADA);
  await holds[0].held;
  await tabs[1].goto(link('grace'));
  (await validator.asked('grace')).valid(GRACE);
  await holds[1].held;
  for (const { held } of holds) await (await held).continue();
  for (const tab of tabs) await expect(heading(tab, 'Choose an account')).toBeVisible();
  await expect(button(tabs[0], 'Cancel')).toBeVisible();
  await button(tabs[0], `Continue as ${GRACE.name}`).click();
  await expectProfile(tabs[0], GRACE.name);
  await tabs[1].goto('/profile');
  await expectProfile(tabs[1], GRACE.name);
  expect(await pendingCookies(other)).toEqual([]);
});

test('a user with links of two people may be neither', async ({ validator, anotherBrowser }) => {
  const other = await anotherBrowser();
  const tab = await other.newPage();
  // The exchange waits until both are in.
  await holdBefore(tab, '**/profile');
  for (const [token, identity] of [['ada', ADA], ['grace', GRACE]]) {
    await tab.goto(link(token));
    (await validator.asked(token)).valid(identity);
    await expect(tab.getByText('held')).toBeVisible();
  }
  await tab.unroute('**/profile');
  await tab.goto('/profile');
  await button(tab, 'Cancel').click();
  await expectLogin(tab);
  await expectStranger(tab);
  expect(await sessionCookie(other)).toBeUndefined();
});
