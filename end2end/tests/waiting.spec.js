// The time between a link's opening and its outcome.

import { at } from '../support/base.js';
import { controlled as test, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import {
  button, changeFirstAnswer, expectLogin, expectProfile, expectStranger, expectWaiting, islandIsUp, link, pendingCookies,
  requestsTo, routeFirst, say, section, sessionCookie, status, step, stopClock,
} from '../support/pages.js';

test('a page that is reloaded while it waits is still the same confirmation', async ({ page, validator }) => {
  await page.goto(link('reloaded'));
  const question = await validator.asked('reloaded');
  await expectWaiting(page);
  const before = await pendingCookies(page.context());
  await page.reload();
  await expectWaiting(page);
  expect((await pendingCookies(page.context())).map(({ value }) => value)).toEqual(before.map(({ value }) => value));
  question.valid();
  await expectProfile(page, ADA.name);
  expect(validator.count()).toBe(1);
});

test('Cancel ends the sign-in, whatever the validator says afterwards', async ({ page, validator }) => {
  await page.goto(link('unwanted'));
  const question = await validator.asked('unwanted');
  await button(page, 'Cancel').click();
  await expectLogin(page, 'cancelled');
  question.valid();
  await expectStranger(page);
  expect(await sessionCookie(page.context())).toBeUndefined();
});

test('a link that was cancelled can be tried again', async ({ page, validator }) => {
  await page.goto(link('reconsidered'));
  await validator.asked('reconsidered');
  await button(page, 'Cancel').click();
  await expectLogin(page, 'cancelled');
  await page.goto(link('reconsidered'));
  await expect(status(page)).toHaveText(say.cancelled);
  await button(page, 'Try again').click();
  const again = await validator.asked('reconsidered', 2);
  again.valid();
  await expectProfile(page, ADA.name);
});

test('the profile is the login page while a link is pending, and the profile after its verdict', async ({ page, context, validator }) => {
  await page.goto(link('pending'));
  const question = await validator.asked('pending');
  const other = await context.newPage();
  await other.goto('/profile');
  await expectLogin(other);
  expect(await sessionCookie(context)).toBeUndefined();
  question.valid();
  await expectProfile(page, ADA.name);
  await other.goto('/profile');
  await expectProfile(other, ADA.name);
});

test('a check that takes longer says so, and goes on in a page that is opened again', async ({ page, context, validator }) => {
  await page.goto(link('later'));
  (await validator.asked('later')).later(1);
  await expect(status(page)).toHaveText(say.later);
  const asked = validator.asked('later', 2);
  await page.close();
  const question = await asked;
  const again = await context.newPage();
  await again.goto(link('later'));
  await expect(status(again)).toHaveText(say.later);
  question.valid();
  await expectProfile(again, ADA.name);
});

test('what the validator says by calling is shown at once, and takes the page on', async ({ page, validator }) => {
  await page.goto(link('called'));
  const question = await validator.asked('called');
  question.later(3600, 'received');
  await expect(status(page)).toHaveText(say.received);
  for (const step of ['reviewing', 'almost']) {
    expect(await question.call({ verdict: 'pending', step })).toBe(204);
    await expect(status(page)).toHaveText(say[step]);
  }
  expect(await question.call({ verdict: 'valid', identity: ADA })).toBe(204);
  await expectProfile(page, ADA.name);
  expect(await question.call({ verdict: 'valid', identity: ADA })).toBe(204);
  expect(await question.call({ verdict: 'invalid', reason: 'used' })).toBe(409);
  expect(validator.count('called')).toBe(1);
});

test('a call that comes before its question is answered, and to a page that is closed, is not lost', async ({ page, context, validator }) => {
  await page.goto(link('closed'));
  const question = await validator.asked('closed');
  await expectWaiting(page);
  await page.close();
  expect(await question.call({ verdict: 'valid', identity: ADA, redirect: at('/profile?called') })).toBe(204);
  question.later(3600);
  const again = await context.newPage();
  await again.goto(link('closed'));
  await expect(again).toHaveURL('/profile?called');
  await expect(again.locator('.facts')).toContainText(ADA.name);
});

test('a cancel stands against a later callback', async ({ page, validator }) => {
  await page.goto(link('withdrawn'));
  const question = await validator.asked('withdrawn');
  question.later(3600);
  await expect(status(page)).toHaveText(say.later);
  await button(page, 'Cancel').click();
  await expectLogin(page, 'cancelled');
  expect(await question.call({ verdict: 'valid', identity: ADA })).toBe(410);
  await page.goto('/profile');
  await expectLogin(page);
});

test('without JavaScript, the page that refreshes itself says what was called', async ({ anotherBrowser, validator }) => {
  const page = await (await anotherBrowser({ javaScriptEnabled: false })).newPage();
  await page.goto(link('plain'));
  await button(page, 'Continue').click();
  const question = await validator.asked('plain');
  question.later(3600);
  expect(await question.call({ verdict: 'pending', step: 'almost' })).toBe(204);
  await page.reload();
  await expect(status(page)).toHaveText(say.almost);
  expect(await question.call({ verdict: 'invalid', reason: 'expired' })).toBe(204);
  await page.reload();
  await expectLogin(page, 'expired');
});

test('a long wait is told, with the time that has passed', async ({ page, validator }) => {
  await stopClock(page);
  await page.goto(link('long'));
  const question = await validator.asked('long');
  await expectWaiting(page);
  await expect(page.locator('.elapsed')).toBeHidden();
  await page.clock.fastForward(6_000);
  await expect(page.locator('.elapsed')).toContainText(/^6 seconds so far/);
  await expect(page.getByText(say.longer)).toHaveCount(0);
  await page.clock.fastForward(6_000);
  await expect(page.getByText(say.longer)).toBeVisible();
  question.valid();
  await expectProfile(page, ADA.name);
});

for (const reason of ['hidden', 'prerendering']) {
  test(`a page that is ${reason} begins only when it is visible`, async ({ page, validator }) => {
    await page.addInitScript((name) => {
      window.unseen = true;
      Object.defineProperty(Document.prototype, name, { configurable: true, get: () => window.unseen });
    }, reason);
    const begins = requestsTo(page, '/api/begin');
    await page.goto(link('unseen'));
    await islandIsUp(page);
    await expect(status(page)).toHaveText(say.ready);
    expect(begins).toHaveLength(0);
    await page.evaluate((name) => {
      window.unseen = false;
      document.dispatchEvent(new Event(name));
    }, reason === 'hidden' ? 'visibilitychange' : 'prerenderingchange');
    (await validator.asked('unseen')).valid();
    await expectProfile(page, ADA.name);
    expect(begins).toHaveLength(1);
  });
}

test('a user who leaves the page and comes back finds the same confirmation', async ({ page, validator }) => {
  await page.goto(link('left'));
  const question = await validator.asked('left');
  await page.getByRole('link', { name: 'Sign in with a password instead' }).click();
  await expectLogin(page);
  await page.goBack();
  await expectWaiting(page);
  question.valid();
  await expectProfile(page, ADA.name);
  expect(validator.count()).toBe(1);
});

test('the steps follow the validator from its first attempt to its last', async ({ page, validator }) => {
  await page.goto(link('halting'));
  (await validator.asked('halting')).busy(0);
  await expect(status(page)).toHaveText(say.retrying(2));
  await expect(step(page, 'contacting')).toHaveAttribute('data-progress', 'current');
  (await validator.asked('halting', 2)).drop();
  await expect(status(page)).toHaveText(say.retrying(3));
  const third = await validator.asked('halting', 3);
  const keys = new Set(validator.questions.map(({ key }) => key));
  expect(keys.size, 'every attempt has the same idempotency key').toBe(1);
  third.valid();
  await expectProfile(page, ADA.name);
});

test('a page that asks a moment too early says soon that the link is being checked', async ({ page, validator }) => {
  // What the server says just before the worker takes the link; nothing announces that it did.
  const tooEarly = (report) => ({ ...report, progress: { state: 'waiting', step: { step: 'queued' } } });
  await changeFirstAnswer(page, '/api/begin', tooEarly);
  const { taken } = await changeFirstAnswer(page, '/api/status', tooEarly);
  await page.goto(link('early'));
  await taken;
  await expect(status(page)).toHaveText(say.contacting);
  // Only now: an answer with the outcome could otherwise be the one that is changed.
  (await validator.asked('early')).valid();
  await expectProfile(page, ADA.name);
});

test('an answer that was overtaken by a push does not take the page back', async ({ page, validator }) => {
  let held;
  const holding = new Promise((resolve) => (held = resolve));
  const { taken } = await changeFirstAnswer(page, '/api/status', (report) =>
    new Promise((release) => held(() => release(report))),
  );
  const pushed = new Promise((resolve) => {
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => payload.includes('retrying') && resolve()));
  });
  await page.goto(link('overtaken'));
  const question = await validator.asked('overtaken');
  const release = await holding;
  question.busy(0);
  await pushed;
  await validator.asked('overtaken', 2);
  release();
  await taken;
  await expect(status(page)).toHaveText(say.retrying(2));
  (await validator.asked('overtaken', 2)).valid();
  await expectProfile(page, ADA.name);
});

test('a page whose calls fail says so, goes on trying, and finishes', async ({ page, context, validator, expectConsole }) => {
  expectConsole(/^error: Failed to load resource: net::ERR_INTERNET_DISCONNECTED \(\/api\/begin\)$/);
  await routeFirst(page, '**/api/begin', (route) => route.abort('internetdisconnected'));
  await page.goto(link('offline'));
  await expect(status(page)).toHaveText(say.interrupted);
  (await validator.asked('offline')).valid();
  await expectProfile(page, ADA.name);
  expect(validator.count()).toBe(1);
});

test.describe('with CONFIRM_START=click', () => {
  test.use({ settings: { CONFIRM_START: 'click' } });

  test('nothing begins before the button is pressed', async ({ page, validator }) => {
    const begins = requestsTo(page, '/api/begin');
    await page.goto(link('clicked'));
    await islandIsUp(page);
    await expect(status(page)).toHaveText(say.ready);
    await expect(section(page)).toHaveAttribute('data-state', 'ready');
    await expect(page.locator('.steps')).toBeHidden();
    expect(begins).toHaveLength(0);
    await button(page, 'Continue').click();
    (await validator.asked('clicked')).valid();
    await expectProfile(page, ADA.name);
    expect(begins).toHaveLength(1);
  });

  test('a double click begins once', async ({ page, validator }) => {
    await page.goto(link('hasty'));
    await islandIsUp(page);
    await button(page, 'Continue').dblclick({ noWaitAfter: true });
    (await validator.asked('hasty')).valid();
    await expectProfile(page, ADA.name);
    expect(validator.count()).toBe(1);
  });
});

test('a server that cannot answer is given the time that it asks for', async ({ page, validator, expectConsole }) => {
  expectConsole(/^error: Failed to load resource: the server responded with a status of 503 \(Service Unavailable\) \(\/api\/begin\)$/);
  await stopClock(page);
  const begins = requestsTo(page, '/api/begin');
  await routeFirst(page, '**/api/begin', (route) => route.fulfill({ status: 503, headers: { 'Retry-After': '30' } }));
  await page.goto(link('busy'));
  await expect(status(page)).toHaveText(say.busy);
  await page.clock.fastForward('00:29');
  expect(begins).toHaveLength(1);
  await page.clock.fastForward('00:02');
  (await validator.asked('busy')).valid();
  await expectProfile(page, ADA.name);
});
