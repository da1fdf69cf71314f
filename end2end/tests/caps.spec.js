// Too much from one network: a user over the cap is told to come later, and their link stays valid.

import { controlled as test, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import { button, expectProfile, expectWaiting, heading, link, requestsTo, say, status, stopClock } from '../support/pages.js';

test.use({ settings: { CONFIRM_PER_CLIENT: '1' } });

const refused = /^error: Failed to load resource: the server responded with a status of 429 \(Too Many Requests\)/;

test('without JavaScript it is a page in style, and the link works once there is room', async ({ page, validator, anotherBrowser, expectConsole }) => {
  expectConsole(refused);
  await page.goto(link('first'));
  const first = await validator.asked('first');
  const other = await (await anotherBrowser({ javaScriptEnabled: false })).newPage();
  await other.goto(link('second'));
  const answer = other.waitForResponse((response) => response.request().method() === 'POST');
  await button(other, 'Continue').click();
  expect((await answer).status()).toBe(429);
  expect((await answer).headers()['retry-after']).toBe('60');
  await expect(heading(other, 'Too many requests')).toBeVisible();
  await expect(other.locator('main')).toContainText('Your link may still work.');
  first.valid();
  await expectProfile(page, ADA.name);
  await other.goto(link('second'));
  await button(other, 'Continue').click();
  (await validator.asked('second')).valid();
  await expectProfile(other, ADA.name);
});

test('the page says why it waits, tries again when the server said, and begins once there is room', async ({ page, validator, anotherBrowser, expectConsole }) => {
  expectConsole(refused);
  await page.goto(link('first'));
  const first = await validator.asked('first');
  const other = await (await anotherBrowser()).newPage();
  await stopClock(other);
  const begins = requestsTo(other, '/api/begin');
  await other.goto(link('second'));
  await expect(status(other)).toHaveText(say.tooMany);
  first.valid();
  await expectProfile(page, ADA.name);
  await other.clock.fastForward('00:50');
  expect(begins).toHaveLength(1);
  await other.clock.fastForward('00:15');
  const second = await validator.asked('second');
  await expectWaiting(other);
  second.valid();
  await expectProfile(other, ADA.name);
});
