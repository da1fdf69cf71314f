// One browser, several tabs.

import { controlled as test, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import {
  expectProfile, expectWaiting, heading, hold, link, pendingCookies, sessionCookie, sessionRows, subscription,
} from '../support/pages.js';

test('the same link in two tabs is one sign-in, and both tabs end at the profile', async ({ page, context, validator }) => {
  const other = await context.newPage();
  const listening = [page, other].map(subscription);
  await page.goto(link('twice'));
  const question = await validator.asked('twice');
  await other.goto(link('twice'));
  await Promise.all(listening);
  await expectWaiting(other);
  question.valid();
  await expectProfile(page, ADA.name);
  await expectProfile(other, ADA.name);
  expect(validator.count()).toBe(1);
  await page.goto('/profile');
  await expect(sessionRows(page)).toHaveCount(1);
});

test('two tabs that land at the same moment share the later cookie', async ({ page, context, validator, expectConsole }) => {
  // The first tab wants to listen to the channel of a cookie that the second landing has replaced.
  expectConsole('error: Failed to load resource: the server responded with a status of 403 (Forbidden) (/pusher/auth)');
  let wake;
  const asleep = new Promise((resolve) => (wake = resolve));
  await page.route('**/pkg/*.wasm', async (route) => {
    await asleep;
    await route.continue();
  });
  const refused = page.waitForResponse('**/pusher/auth');
  await page.route('**/api/begin', async (route) => {
    expect((await refused).status()).toBe(403);
    await route.continue();
  });
  await page.goto(link('at-once'), { waitUntil: 'commit' });
  await expect.poll(async () => (await pendingCookies(context)).length).toBe(1);
  await context.clearCookies();

  const other = await context.newPage();
  const listening = [page, other].map(subscription);
  await other.goto(link('at-once'));
  const question = await validator.asked('at-once');
  wake();
  await Promise.all(listening);
  await expectWaiting(page);
  question.valid();
  await expectProfile(page, ADA.name);
  await expectProfile(other, ADA.name);
  expect(validator.count()).toBe(1);
  await page.goto('/profile');
  await expect(sessionRows(page)).toHaveCount(1);
});

test('two different links in two tabs do not disturb each other', async ({ page, context, validator }) => {
  const other = await context.newPage();
  await page.goto(link('left'));
  const left = await validator.asked('left');
  await other.goto(link('right'));
  const right = await validator.asked('right');
  expect(await pendingCookies(context)).toHaveLength(2);
  await expectWaiting(page);
  await expectWaiting(other);
  right.valid();
  await expectProfile(other, ADA.name);
  left.valid();
  await expectProfile(page, ADA.name);
  // The same user: the later session has taken the place of the earlier one, in this browser and in the list.
  await other.goto('/profile');
  await expectProfile(other, ADA.name);
  await expect(sessionRows(other)).toHaveCount(1);
  expect(await pendingCookies(context)).toHaveLength(0);
});

test('two tabs that exchange at the same moment get the same session', async ({ page, context, validator }) => {
  // Neither the island's navigation nor anything else takes the session before the two tabs do.
  let navigated;
  const arrived = new Promise((resolve) => (navigated = resolve));
  await page.route('**/profile', () => navigated());
  await page.goto(link('race'));
  (await validator.asked('race')).valid();
  await arrived;
  expect(await sessionCookie(context)).toBeUndefined();

  const tabs = await Promise.all([context.newPage(), context.newPage()]);
  const holds = await Promise.all(tabs.map((tab) => hold(tab, '**/profile')));
  const answers = tabs.map((tab) => tab.waitForResponse('**/profile'));
  const visits = tabs.map((tab) => tab.goto('/profile'));
  const routes = await Promise.all(holds.map(({ held }) => held));
  await Promise.all(routes.map((route) => route.continue()));
  await Promise.all(visits);
  const secrets = [];
  for (const answer of await Promise.all(answers)) {
    const cookies = await answer.headersArray();
    secrets.push(cookies.find(({ name, value }) => /^set-cookie$/i.test(name) && value.startsWith('vestibule-session='))?.value);
  }
  expect(secrets.every((secret) => secret === undefined || secret === secrets.find(Boolean))).toBe(true);
  for (const tab of tabs) {
    await expectProfile(tab, ADA.name);
    await tab.goto('/profile');
    await expect(sessionRows(tab)).toHaveCount(1);
  }
  await page.unroute('**/profile');
});

test('a browser keeps sixteen sign-ins in progress, and none of them goes for another', async ({ page, context, validator, expectConsole }) => {
  expectConsole(/^error: Failed to load resource: the server responded with a status of 422/);
  for (let number = 0; number < 16; number += 1) {
    await page.goto(link(`one-${number}`));
    await validator.asked(`one-${number}`);
  }
  const kept = (await pendingCookies(context)).map(({ name }) => name);
  expect(kept).toHaveLength(16);
  expect((await page.goto(link('another'))).status()).toBe(422);
  await expect(page.getByText('Too many sign-ins are in progress in this browser.')).toBeVisible();
  expect((await pendingCookies(context)).map(({ name }) => name).sort()).toEqual(kept.sort());
  expect(validator.count('another')).toBe(0);
});
