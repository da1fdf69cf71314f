// What a newcomer sees: the links of practice mode, clicked one after the other.

import { at } from '../support/base.js';
import { practice as test, expect } from '../support/test.js';
import { expectLogin, expectProfile, expectStranger, heading, say, section, status, step } from '../support/pages.js';

const open = async (page, kind) => {
  await page.goto('/');
  await page.locator(`a[href^="${at(`/confirm/${kind}`)}"]`).click();
};

test('the home page offers every practice link', async ({ page }) => {
  await page.goto('/');
  await expect(heading(page, 'Vestibule practice')).toBeVisible();
  const hrefs = await page.locator(`a[href^="${at('/confirm/')}"]`).evaluateAll((links) => links.map((link) => link.getAttribute('href')));
  const kinds = ['valid', 'invalid', 'expired', 'used', 'slow', 'flaky', 'later', 'later-poll', 'down'];
  expect(hrefs.map((href) => href.replace(/-[0-9a-f]{8}$/, ''))).toEqual(kinds.map((kind) => at(`/confirm/${kind}`)));
});

test('a valid link leads to the profile', async ({ page }) => {
  await open(page, 'valid');
  await expectProfile(page, 'Ada Lovelace');
  await expect(page.locator('.facts')).toContainText('ada@example.com');
});

for (const reason of ['invalid', 'expired', 'used']) {
  test(`a link that is ${reason} leads to the login page, which says so`, async ({ page }) => {
    await open(page, reason);
    await expectLogin(page, reason);
    await expectStranger(page);
  });
}

test('a slow link shows its steps and then leads to the profile', async ({ page }) => {
  await page.goto('/confirm/slow');
  await expect(heading(page, 'Signing you in')).toBeVisible();
  await expect(page).toHaveTitle(/Signing you in/);
  await expect(status(page)).toHaveText(say.contacting);
  await expect(section(page)).toHaveAttribute('data-state', 'waiting');
  await expect(step(page, 'queued')).toHaveAttribute('data-progress', 'done');
  await expect(step(page, 'contacting')).toHaveAttribute('data-progress', 'current');
  await expect(step(page, 'outcome')).toHaveAttribute('data-progress', 'todo');
  await expectProfile(page, 'Ada Lovelace');
});

test('a flaky link is tried again, says so, and leads to the profile', async ({ page }) => {
  const said = [];
  await page.exposeFunction('heard', (sentence) => said.push(sentence));
  await page.addInitScript(() =>
    document.addEventListener('DOMContentLoaded', () => {
      const status = document.querySelector('[role=status]');
      if (status) new MutationObserver(() => window.heard(status.textContent)).observe(status, { subtree: true, childList: true, characterData: true });
    }),
  );
  await page.goto('/confirm/flaky');
  await expectProfile(page, 'Ada Lovelace');
  expect(said).toContain(say.retrying(2));
  expect(said).toContain(say.retrying(3));
});

test('each fresh link of a kind is a sign-in of its own', async ({ page }) => {
  await page.goto('/confirm/expired-first');
  await expectLogin(page, 'expired');
  await page.goto('/confirm/valid-second');
  await expectProfile(page, 'Ada Lovelace');
});
