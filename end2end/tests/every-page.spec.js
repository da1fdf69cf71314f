// Every page in every state: no violation of axe-core's rules, in light and in dark; no sideways scrolling at 320 px or
// with text at twice its size; and a picture of each, for people to look at.

import { AxeBuilder } from '@axe-core/playwright';
import { fileURLToPath } from 'node:url';
import { at } from '../support/base.js';
import { controlled, practice, expect } from '../support/test.js';
import { ADDRESS, KING, OPEN_IT, ask, mail, mailAbout, number, overtaken, typeCode, typeNumber } from '../support/links.js';
import { ADA, GRACE } from '../support/validator.js';
import {
  PASSWORD, PRACTICE, button, expectLogin, expectProfile, heading, holdBefore, islandIsUp, link, reasons, routeFirst, say,
  signIn, status, stopClock,
} from '../support/pages.js';

const SCREENS = fileURLToPath(new URL('../artefacts/screens/', import.meta.url));
// A page is written for its visitors: a rename in the code must not reach it.
const NAME_IN_CODE = /\b(?!JavaScript|WebKit)\p{Lu}?\p{Ll}+\p{Lu}\p{Ll}\w*/u;
const BOB = { email: 'bob@example.com', name: 'Bob', password: PASSWORD };

async function inspect(page, name) {
  // Before its style sheet is there, what stands side by side is one word, and no colour is right.
  await page.waitForLoadState();
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
  expect(await page.locator('html').getAttribute('lang')).toBe('en');
  expect(await page.title()).not.toBe('');
  const words = `${await page.title()} ${await page.locator('body').innerText()}`;
  expect(words.match(NAME_IN_CODE), `names in code on ${name}`).toBeNull();
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const width of [320, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      await page.screenshot({ path: `${SCREENS}${name}-${colorScheme}-${width}.png`, fullPage: true });
      expect(await overflow(page), `sideways scrolling of ${name} at ${width} px`).toBe(0);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const told = violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map(({ html }) => html) }));
      expect(told, `${name} in ${colorScheme} at ${width} px`).toEqual([]);
    }
  }
  expect(await page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === 'running').length)).toBe(0);
  await page.evaluate(() => document.documentElement.style.setProperty('font-size', '200%'));
  expect(await overflow(page), `sideways scrolling of ${name} with large text`).toBe(0);
}

const overflow = (page) =>
  page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth));

practice('home', async ({ page }) => {
  await page.goto('/');
  await inspect(page, 'home');
});

practice('login in practice mode', async ({ page }) => {
  await page.goto('/login');
  await inspect(page, 'login-practice');
});

practice('login after a wrong password', async ({ page, expectConsole }) => {
  expectConsole(/^error: Failed to load resource: the server responded with a status of 4\d\d/);
  await signIn(page, { ...PRACTICE, password: 'wrong' });
  await expect(page.getByRole('alert')).toBeVisible();
  await inspect(page, 'login-wrong');
});

for (const [reason, sentence] of Object.entries(reasons)) {
  controlled(`login because a link was ${reason}`, async ({ page }) => {
    await page.goto(`/login?reason=${reason}`);
    await expect(page.getByText(sentence)).toBeVisible();
    await inspect(page, `login-${reason}`);
  });
}

practice.describe('an account', () => {
  practice.beforeEach(async ({ page, server }) => {
    await ask(page);
    await typeCode(page, (await mail(server)).code);
    await expectProfile(page, ADDRESS);
  });

  practice('and its password', async ({ page, expectConsole }) => {
    expectConsole(/^error: Failed to load resource: the server responded with a status of 422/);
    await inspect(page, 'profile-own');
    await page.goto('/profile/password');
    await inspect(page, 'password');
    await page.getByLabel('New password').fill('password');
    await button(page, 'Save password').click();
    await expect(page.getByRole('alert')).toBeVisible();
    await inspect(page, 'password-weak');
  });

  practice('and its password, once it is set', async ({ page }) => {
    await page.goto('/profile/password');
    await page.getByLabel('New password').fill(PASSWORD);
    await button(page, 'Save password').click();
    await expect(page.getByText('Your password is set.')).toBeVisible();
    await inspect(page, 'password-set');
    await page.goto(`/login?again=1&next=${at('/profile/password')}`);
    await expect(heading(page, 'Confirm it’s you')).toBeVisible();
    await inspect(page, 'login-again');
  });

  practice('and its current password', async ({ page }) => {
    await page.goto('/profile/password');
    await page.getByLabel('New password').fill(PASSWORD);
    await button(page, 'Save password').click();
    await expect(page.getByText('Your password is set.')).toBeVisible();
    await page.goto('/profile/password');
    await expect(page.getByLabel('Current password')).toBeVisible();
    await inspect(page, 'password-current');
    await page.goto('/profile/address');
    await expect(page.getByLabel('Current password')).toBeVisible();
    await inspect(page, 'address-current');
  });

  practice('and its address', async ({ page, expectConsole }) => {
    expectConsole(/^error: Failed to load resource: the server responded with a status of 422/);
    await page.goto('/profile/address');
    await inspect(page, 'address');
    await page.getByLabel('New e-mail address').fill(ADDRESS);
    await button(page, 'Send a link').click();
    await expect(page.getByRole('alert')).toBeVisible();
    await inspect(page, 'address-wrong');
    await page.getByLabel('New e-mail address').fill(KING);
    await button(page, 'Send a link').click();
    await inspect(page, 'address-sent');
  });

  practice('and the link to its next address', async ({ page, server, expectConsole }) => {
    expectConsole(/^error: Failed to load resource: the server responded with a status of 410/);
    await page.goto('/profile/address');
    await page.getByLabel('New e-mail address').fill(KING);
    await button(page, 'Send a link').click();
    await expect(page.getByText(KING)).toBeVisible();
    await page.goto((await mailAbout(server, 'Is this your address?', KING)).link);
    await inspect(page, 'address-ticket');
    await page.goto('/profile/address/none');
    await inspect(page, 'address-stale');
  });
});

practice.describe('a link by mail', () => {
  practice('asked for', async ({ page }) => {
    await ask(page);
    await expect(status(page)).toHaveText(OPEN_IT);
    await inspect(page, 'mailed');
  });

  practice('with a wrong code', async ({ page }) => {
    await ask(page);
    await page.getByLabel('Or enter the code from the e-mail').fill('12');
    await button(page, 'Sign in with the code').click();
    await expect(page.getByRole('alert')).toHaveText('Enter the six-digit code.');
    await inspect(page, 'mailed-wrong');
  });

  practice('opened elsewhere, and after the number was typed', async ({ page, server, anotherBrowser }) => {
    await ask(page);
    const shown = await number(page);
    const phone = await (await anotherBrowser()).newPage();
    await phone.goto((await mail(server)).link);
    await inspect(phone, 'link-elsewhere');
    await typeNumber(phone, shown);
    await expect(heading(phone, 'You are signed in on the other device')).toBeVisible();
    await inspect(phone, 'link-let-in');
  });

  practice('used before', async ({ page, context, anotherBrowser, expectConsole, server }) => {
    expectConsole(overtaken, overtaken, overtaken);
    await ask(page);
    const used = (await mail(server)).link;
    const tab = await context.newPage();
    await tab.goto(used);
    await expectProfile(tab, ADDRESS);
    await expectProfile(page, ADDRESS);
    const elsewhere = await (await anotherBrowser()).newPage();
    await elsewhere.goto(used);
    await inspect(elsewhere, 'link-spent');
  });

  practice('asked for again too soon', async ({ page }) => {
    await ask(page);
    await expect(page.locator('.soon')).toBeVisible();
    await page.screenshot({ path: `${SCREENS}mailed-countdown.png`, fullPage: true });
  });

  practice('in the mailbox', async ({ page, server }) => {
    await ask(page);
    await mail(server);
    await page.goto('/practice/mail');
    await inspect(page, 'mailbox');
  });
});

controlled('profile', async ({ page, validator, anotherBrowser }) => {
  validator.answer = (question) => question.valid();
  const other = await (await anotherBrowser()).newPage();
  await other.goto(link('other'));
  await expectProfile(other, ADA.name);
  await page.goto(link('profile'));
  await expectProfile(page, ADA.name);
  await inspect(page, 'profile');
});

controlled('profile of a user with a very long name', async ({ page, validator }) => {
  const name = `W${'olfeschlegelsteinhausenbergerdorff'.repeat(3)}`.slice(0, 100);
  validator.answer = (question) => question.valid({ ...ADA, name, email: `${'a'.repeat(60)}@example.com` });
  await page.goto(link('profile'));
  await expectProfile(page, name);
  await inspect(page, 'profile-long');
});

controlled('not found', async ({ page, expectConsole }) => {
  expectConsole(/^error: Failed to load resource: the server responded with a status of 404/);
  await page.goto('/nowhere');
  await inspect(page, 'error-404');
});

controlled('refused', async ({ page, server, elsewhere, expectConsole }) => {
  expectConsole(/^error: Failed to load resource: the server responded with a status of 403/);
  await elsewhere.post(page, '127.0.0.1', `${server.url}/logout`, {});
  await expect(heading(page, 'Request refused')).toBeVisible();
  await inspect(page, 'error-403');
});

controlled.describe('continue', () => {
  controlled('as another user', async ({ page, server, validator }) => {
    await server.addUser(BOB);
    await signIn(page, BOB);
    await expectProfile(page, BOB.name);
    validator.answer = (question) => question.valid();
    await page.goto(link('hers'));
    await button(page, 'Continue').click();
    await expect(heading(page, `Continue as ${ADA.name}?`)).toBeVisible();
    await inspect(page, 'continue');
  });

  controlled('as one of two', async ({ page, validator }) => {
    await holdBefore(page, '**/profile');
    for (const [token, identity] of [['ada', ADA], ['grace', GRACE]]) {
      await page.goto(link(token));
      (await validator.asked(token)).valid(identity);
      await expect(page.getByText('held')).toBeVisible();
    }
    await page.unroute('**/profile');
    await page.goto('/profile');
    await expect(heading(page, 'Choose an account')).toBeVisible();
    await inspect(page, 'continue-two');
  });
});

controlled.describe('confirm', () => {
  controlled.use({ settings: { CONFIRM_START: 'click', CONFIRM_DEADLINE: '90s', CONFIRM_ATTEMPT: '60s', CONFIRM_LEASE: '90s', CONFIRM_POLL: '1s' } });

  const begin = async (page, token) => {
    await page.goto(link(token));
    await islandIsUp(page);
    await button(page, 'Continue').click();
  };

  controlled('ready', async ({ page }) => {
    await page.goto(link('ready'));
    await islandIsUp(page);
    await inspect(page, 'confirm-ready');
  });

  controlled('ready, for a signed-in user', async ({ page, server }) => {
    await server.addUser(BOB);
    await signIn(page, BOB);
    await expectProfile(page, BOB.name);
    await page.goto(link('ready'));
    await islandIsUp(page);
    await inspect(page, 'confirm-signed-in');
  });

  controlled('checking', async ({ page, validator }) => {
    await begin(page, 'checking');
    await validator.asked('checking');
    await expect(status(page)).toHaveText(say.contacting);
    await inspect(page, 'confirm-checking');
  });

  controlled('taking longer', async ({ page, validator }) => {
    await page.clock.install();
    await begin(page, 'longer');
    (await validator.asked('longer')).busy(0);
    await validator.asked('longer', 2);
    await expect(status(page)).toHaveText(say.retrying(2));
    await page.clock.fastForward(12_000);
    await expect(page.getByText(say.longer)).toBeVisible();
    await inspect(page, 'confirm-longer');
  });

  controlled('a check that takes longer', async ({ page, validator }) => {
    await begin(page, 'later');
    (await validator.asked('later')).later(60, 'received');
    await expect(status(page)).toHaveText(say.received);
    await inspect(page, 'confirm-later');
  });

  controlled('interrupted', async ({ page, expectConsole }) => {
    expectConsole(/^error: Failed to load resource: net::ERR_CONNECTION_REFUSED \(\/api\/begin\)$/);
    await stopClock(page);
    await routeFirst(page, '**/api/begin', (route) => route.abort('connectionrefused'));
    await page.goto(link('interrupted'));
    await islandIsUp(page);
    await button(page, 'Continue').click();
    await expect(status(page)).toHaveText(say.interrupted);
    await page.clock.resume();
    await page.route('**/api/begin', () => {});
    await inspect(page, 'confirm-interrupted');
  });

  controlled('cancelled', async ({ page, validator }) => {
    await begin(page, 'cancelled');
    await validator.asked('cancelled');
    await button(page, 'Cancel').click();
    await expectLogin(page, 'cancelled');
    await begin(page, 'cancelled');
    await expect(status(page)).toHaveText(say.cancelled);
    await inspect(page, 'confirm-cancelled');
  });
});

controlled.describe('after the deadline', () => {
  controlled.use({ settings: { CONFIRM_DEADLINE: '1s', CONFIRM_ATTEMPT: '500ms' } });

  controlled('confirm', async ({ page, validator }) => {
    validator.answer = (question) => question.busy();
    await page.goto(link('late'));
    await expect(status(page)).toHaveText(say.unavailable);
    await inspect(page, 'confirm-unavailable');
    await page.goto(`${link('late')}/wait`);
    await expect(status(page)).toHaveText(say.unavailable);
    await inspect(page, 'wait-unavailable');
  });
});

controlled.describe('wait', () => {
  controlled('ready', async ({ page }) => {
    await page.goto(`${link('direct')}/wait`);
    await inspect(page, 'wait-ready');
  });

  controlled('checking, and cancelled', async ({ page, validator }) => {
    await page.goto(link('waits'));
    await validator.asked('waits');
    // Without its refreshing, so that it stays for the picture.
    await page.route('**/wait', async (route) => {
      const response = await route.fetch();
      const { refresh, ...headers } = response.headers();
      expect(refresh ?? (await response.text())).toMatch(/2/);
      await route.fulfill({ response, headers });
    });
    await page.goto(`${link('waits')}/wait`);
    await expect(status(page)).toHaveText(say.contacting);
    await inspect(page, 'wait-checking');
    await button(page, 'Cancel').click();
    await expectLogin(page, 'cancelled');
    await page.unroute('**/wait');
    await page.goto(`${link('waits')}/wait`);
    await expect(status(page)).toHaveText(say.cancelled);
    await inspect(page, 'wait-cancelled');
  });
});
