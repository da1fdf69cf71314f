// Everything by keyboard alone, with the focus always in sight.

import { controlled as test, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import {
  PASSWORD, expectLogin, expectProfile, expectWaiting, islandIsUp, link, reasons, say, status,
} from '../support/pages.js';

test.use({ settings: { CONFIRM_START: 'click' } });

/** Presses Tab until the element with this role and name has the focus, and checks that one can see it. */
async function tabTo(page, role, name) {
  const wanted = page.getByRole(role, { name, exact: true });
  for (let press = 0; press < 15; press += 1) {
    await page.keyboard.press('Tab');
    if (await wanted.evaluate((element) => element === document.activeElement)) {
      await expect(wanted).toBeInViewport();
      expect(await isMarked(wanted), `the focus on "${name}" can be seen`).toBe(true);
      return;
    }
  }
  throw new Error(`"${name}" cannot be reached with Tab`);
}

const isMarked = (element) =>
  element.evaluate((node) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node);
    return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || boxShadow !== 'none';
  });

test('a link is begun, cancelled, tried again and followed to the profile', async ({ page, validator }) => {
  await page.goto(link('keys'));
  await islandIsUp(page);
  await tabTo(page, 'button', 'Continue');
  await page.keyboard.press('Enter');
  await validator.asked('keys');
  await expectWaiting(page);
  await tabTo(page, 'button', 'Cancel');
  await page.keyboard.press('Space');
  await expectLogin(page, 'cancelled');

  await page.goto(link('keys'));
  await islandIsUp(page);
  await tabTo(page, 'button', 'Continue');
  await page.keyboard.press('Enter');
  await expect(status(page)).toHaveText(say.cancelled);
  await tabTo(page, 'button', 'Try again');
  await page.keyboard.press('Enter');
  (await validator.asked('keys', 2)).valid();
  await expectProfile(page, ADA.name);
  await tabTo(page, 'button', 'Sign out');
  await page.keyboard.press('Enter');
  await expectLogin(page);
});

test('a password is typed and sent', async ({ page, server }) => {
  await server.addUser({ email: 'bob@example.com', name: 'Bob', password: PASSWORD });
  await page.goto('/login');
  await tabTo(page, 'textbox', 'E-mail address');
  await page.keyboard.type('bob@example.com');
  await tabTo(page, 'textbox', 'Password');
  await page.keyboard.type(PASSWORD);
  await tabTo(page, 'button', 'Sign in');
  await page.keyboard.press('Enter');
  await expectProfile(page, 'Bob');
});

test('the question who to be is answered', async ({ page, server, validator }) => {
  await server.addUser({ email: 'bob@example.com', name: 'Bob', password: PASSWORD });
  await page.goto('/login');
  await tabTo(page, 'textbox', 'E-mail address');
  await page.keyboard.type('bob@example.com');
  await tabTo(page, 'textbox', 'Password');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await expectProfile(page, 'Bob');
  validator.answer = (question) => question.valid();
  await page.goto(link('keys'));
  await islandIsUp(page);
  await tabTo(page, 'button', 'Continue');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: `Continue as ${ADA.name}?` })).toBeVisible();
  await tabTo(page, 'button', 'Stay signed in as Bob');
  await page.keyboard.press('Enter');
  await expectProfile(page, 'Bob');
});

test('the first stop of every page leads past its head', async ({ page }) => {
  for (const path of ['/login', link('keys')]) {
    await page.goto(path);
    await page.keyboard.press('Tab');
    const skip = page.getByRole('link', { name: 'Skip to content' });
    await expect(skip).toBeFocused();
    await expect(skip).toBeInViewport();
    await page.keyboard.press('Enter');
    await expect(page.locator('main')).toBeFocused();
  }
});

test('nothing is announced but the sentence', async ({ page, validator }) => {
  validator.answer = (question) => question.invalid('expired');
  await page.goto(link('keys'));
  await expect(status(page)).toHaveCount(1);
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - heading "Signing you in" [level=1]
    - status: ${say.ready}
    - button "Continue"
    - heading "What is this?" [level=2]
  `);
  await page.goto('/login?reason=expired');
  await expect(page.getByText(reasons.expired)).toBeVisible();
});
