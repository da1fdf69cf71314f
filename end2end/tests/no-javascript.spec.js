// The whole way without JavaScript: forms, and a page that refreshes itself.

import { controlled as test, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import {
  PASSWORD, button, expectLogin, expectProfile, expectStranger, heading, link, say, signIn, status,
} from '../support/pages.js';

test.use({ javaScriptEnabled: false });

/** Opens a link and presses its button. */
async function begin(page, token) {
  await page.goto(link(token));
  await expect(heading(page, 'Signing you in')).toBeVisible();
  await expect(page.getByText(say.ready)).toBeVisible();
  await button(page, 'Continue').click();
}

test('a good link leads to the profile', async ({ page, validator }) => {
  await begin(page, 'good');
  const question = await validator.asked('good');
  await expect(page).toHaveURL(`${link('good')}/wait`);
  await expect(heading(page, 'Signing you in')).toBeVisible();
  await expect(status(page)).toHaveText(say.contacting);
  question.valid();
  await expectProfile(page, ADA.name);
});

test('nothing but what works is shown', async ({ page }) => {
  await page.goto(link('plain'));
  await expect(page.getByRole('button')).toHaveCount(1);
  await expect(page.locator('.steps')).toBeHidden();
  await expect(page.locator('.elapsed')).toBeHidden();
});

for (const reason of ['invalid', 'expired', 'used']) {
  test(`a link that is ${reason} leads to the login page, which says so`, async ({ page, validator }) => {
    validator.answer = (question) => question.invalid(reason);
    await begin(page, reason);
    await expectLogin(page, reason);
  });
}

test.describe('with a short deadline', () => {
  test.use({ settings: { CONFIRM_DEADLINE: '8s' } });

  test('a service that is down is told, and the link can be tried again', async ({ page, validator }) => {
    validator.answer = (question) => question.busy();
    await begin(page, 'down');
    await expect(status(page)).toHaveText(/attempt \d+\.$/);
    await expect(status(page)).toHaveText(say.unavailable);
    validator.answer = (question) => question.valid();
    await button(page, 'Try again').click();
    await expectProfile(page, ADA.name);
  });
});

test('Cancel ends the sign-in, and it can be tried again', async ({ page, validator }) => {
  await begin(page, 'unwanted');
  const question = await validator.asked('unwanted');
  await button(page, 'Cancel').click();
  await expectLogin(page, 'cancelled');
  question.valid();
  await expectStranger(page);
  await page.goto(`${link('unwanted')}/wait`);
  await expect(status(page)).toHaveText(say.cancelled);
  await button(page, 'Try again').click();
  (await validator.asked('unwanted', 2)).valid();
  await expectProfile(page, ADA.name);
});

test('the waiting page of a link that was never begun offers to begin', async ({ page, validator }) => {
  await page.goto(`${link('direct')}/wait`);
  await button(page, 'Continue').click();
  (await validator.asked('direct')).valid();
  await expectProfile(page, ADA.name);
});

test('a password signs in, and the profile signs out', async ({ page, server }) => {
  await server.addUser({ email: 'bob@example.com', name: 'Bob', password: PASSWORD });
  await signIn(page, { email: 'bob@example.com', password: PASSWORD });
  await expectProfile(page, 'Bob');
  await button(page, 'Sign out').click();
  await expectLogin(page);
});

test('a signed-in user is asked before they become another user', async ({ page, server, validator }) => {
  await server.addUser({ email: 'bob@example.com', name: 'Bob', password: PASSWORD });
  await signIn(page, { email: 'bob@example.com', password: PASSWORD });
  validator.answer = (question) => question.valid();
  await page.goto(link('hers'));
  await expect(page.getByText('You are signed in as Bob.')).toBeVisible();
  await button(page, 'Continue').click();
  await expect(heading(page, `Continue as ${ADA.name}?`)).toBeVisible();
  await button(page, `Continue as ${ADA.name}`).click();
  await expectProfile(page, ADA.name);
});
