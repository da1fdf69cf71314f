// What users can change about how they sign in, and what they are told of it.

import { at } from '../support/base.js';
import { controlled, practice as test, expect } from '../support/test.js';
import { some } from '../support/console.js';
import { ADDRESS, KING, ask, forget, mail, mailAbout, overtaken, typeCode } from '../support/links.js';
import {
  PASSWORD, button, expectLogin, expectProfile, expectStranger, heading, sessionRows, signIn,
} from '../support/pages.js';

const refused = (status) => new RegExp(`^error: Failed to load resource: the server responded with a status of ${status}`);

/** Signs in by the code of a mail: one page, and nothing to click elsewhere. */
async function signInByCode(server, page, address = ADDRESS) {
  await ask(page, address);
  await typeCode(page, (await mail(server, address)).code);
}

async function setPassword(page, password) {
  await page.getByLabel('New password').fill(password);
  await button(page, 'Save password').click();
}

const PASSWORD_IS_SET = 'Your password is set. All other browsers are signed out.';

test('a forgotten password is set after a link was sent, and signs in on the phone', async ({ page, server, anotherBrowser }) => {
  await forget(page);
  await typeCode(page, (await mail(server)).code);
  await expect(heading(page, 'Set your password')).toBeVisible();
  await setPassword(page, PASSWORD);
  await expect(page.getByText(PASSWORD_IS_SET)).toBeVisible();
  expect((await mailAbout(server, 'Your password was set')).text).toContain('It was Chrome on Linux');
  const phone = await (await anotherBrowser()).newPage();
  await signIn(phone, { email: ADDRESS, password: PASSWORD });
  await expectProfile(phone, ADDRESS);
  expect((await mailAbout(server, 'A new browser has signed in')).text).toContain('It was Chrome on Linux');
});

test('the link that was asked for to set a password leads there too, when it is opened in the same browser', async ({ page, server, expectConsole }) => {
  expectConsole(overtaken, overtaken, overtaken);
  await forget(page);
  const { link } = await mail(server);
  await page.goto('/');
  await page.goto(link);
  await expect(heading(page, 'Set your password')).toBeVisible();
});

test('the link that was asked for to set a password leads there also on another device', async ({ page, server, anotherBrowser }) => {
  await forget(page);
  const phone = await (await anotherBrowser()).newPage();
  await phone.goto((await mail(server)).link);
  await button(phone, 'Sign in on this device').click();
  await expect(heading(phone, 'Set your password')).toBeVisible();
  await expectLogin(page, 'used');
});

test('a user who decides against a new password and asks for a plain link is led to the profile', async ({ page, server }) => {
  await forget(page);
  const { link } = await mail(server);
  await ask(page);
  await expect(async () => expect((await mail(server)).link).not.toBe(link)).toPass();
  const mere = await mail(server);
  await typeCode(page, mere.code);
  await expectProfile(page, ADDRESS);
});

test('a password that is easy to guess is not taken, and says why', async ({ page, expectConsole, server }) => {
  expectConsole(refused(422), refused(422));
  await signInByCode(server, page);
  await page.getByRole('link', { name: 'Set or change your password' }).click();
  await setPassword(page, 'short');
  await expect(page.getByRole('alert')).toHaveText('Use at least 8 characters.');
  await setPassword(page, 'grace1906');
  await expect(page.getByRole('alert')).toContainText('That password is easy to guess.');
  await page.getByRole('link', { name: 'Cancel' }).click();
  await expectProfile(page, ADDRESS);
});

test('a changed password signs out the phone, and the old password no longer works', async ({ page, anotherBrowser, expectConsole, server }) => {
  expectConsole(refused(422), refused(422));
  await signInByCode(server, page);
  await page.goto('/profile/password');
  await setPassword(page, PASSWORD);
  await expect(page.getByText(PASSWORD_IS_SET)).toBeVisible();
  const phone = await (await anotherBrowser()).newPage();
  await signIn(phone, { email: ADDRESS, password: PASSWORD });
  await expectProfile(phone, ADDRESS);
  await page.reload();
  await expect(sessionRows(page).filter({ hasText: 'Chrome on Linux' })).toHaveCount(2);
  await page.goto('/profile/password');
  await page.getByLabel('Current password').fill('six purple lanterns wait');
  await setPassword(page, 'six purple lanterns wait');
  await expect(page.getByRole('alert')).toHaveText('That is not your current password.');
  await page.getByLabel('Current password').fill(PASSWORD);
  await setPassword(page, 'six purple lanterns wait');
  await expect(page.getByText(PASSWORD_IS_SET)).toBeVisible();
  await expectStranger(phone);
  await signIn(phone, { email: ADDRESS, password: PASSWORD });
  await expect(phone.getByRole('alert')).toHaveText('The e-mail address or the password is wrong.');
  await page.goto('/profile');
  await expectProfile(page, ADDRESS);
});

async function askToMove(page, to = KING) {
  await page.goto('/profile/address');
  await page.getByLabel('New e-mail address').fill(to);
  await button(page, 'Send a link').click();
}

test('another address is used once its mail was opened, and both are told', async ({ page, server, anotherBrowser }) => {
  await signInByCode(server, page);
  const phone = await (await anotherBrowser()).newPage();
  await signInByCode(server, phone);
  await expectProfile(phone, ADDRESS);
  await askToMove(page);
  await expect(heading(page, 'Check your e-mail')).toBeVisible();
  const { link } = await mailAbout(server, 'Is this your address?', KING);
  await page.goto('/profile');
  await expectProfile(page, ADDRESS);
  await page.goto(link);
  await button(page, 'Use this address').click();
  await expect(page.getByText('Your address is changed. All other browsers are signed out.')).toBeVisible();
  await expect(page.locator('.facts')).toContainText(KING);
  for (const address of [ADDRESS, KING]) {
    const told = await mailAbout(server, 'Your address was changed', address);
    expect(told.text).toContain(`You sign in with ${KING} now, and no longer with ${ADDRESS}`);
  }
  await expectStranger(phone);
});

test('the mail about another address is useless to anyone else, and a second look changes nothing', async ({ page, server, anotherBrowser, expectConsole }) => {
  expectConsole(refused(410));
  await signInByCode(server, page);
  await askToMove(page);
  const { link } = await mailAbout(server, 'Is this your address?', KING);
  const phone = await (await anotherBrowser()).newPage();
  await phone.goto(link);
  await expectLogin(phone);
  await signInByCode(server, phone, 'eve@example.com');
  await expectProfile(phone, 'eve@example.com');
  await phone.goto(link);
  await expect(heading(phone, 'This link is for another account or has expired')).toBeVisible();
  await page.goto(link);
  await button(page, 'Use this address').click();
  await expect(page.locator('.facts')).toContainText(KING);
  await page.goto(link);
  await expect(page).toHaveURL('/profile?changed=address');
  await expect(page.locator('.facts')).toContainText(KING);
});

test('a mail about another address no longer works once a password was set', async ({ page, server, expectConsole }) => {
  expectConsole(refused(410));
  await signInByCode(server, page);
  await askToMove(page);
  const { link } = await mailAbout(server, 'Is this your address?', KING);
  await page.goto('/profile/password');
  await setPassword(page, PASSWORD);
  await expect(page.getByText(PASSWORD_IS_SET)).toBeVisible();
  await page.goto(link);
  await expect(heading(page, 'This link is for another account or has expired')).toBeVisible();
});

test('an address that is in use cannot be taken, which only its owner learns', async ({ page, server, anotherBrowser, expectConsole }) => {
  expectConsole(refused(422), refused(422));
  const phone = await (await anotherBrowser()).newPage();
  await signInByCode(server, phone, KING);
  await expectProfile(phone, KING);
  await signInByCode(server, page);
  await askToMove(page, ADDRESS.toUpperCase());
  await expect(page.getByRole('alert')).toHaveText('That is your address already.');
  await askToMove(page);
  await expect(heading(page, 'Check your e-mail')).toBeVisible();
  await page.goto((await mailAbout(server, 'Is this your address?', KING)).link);
  await button(page, 'Use this address').click();
  await expect(page.getByRole('alert')).toHaveText('Another account here has that address.');
});

test('a browser that signs in for the first time is told of by mail, and not again', async ({ page, server, anotherBrowser }) => {
  await signInByCode(server, page);
  await expectProfile(page, ADDRESS);
  const phone = await (await anotherBrowser({ userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1' })).newPage();
  await signInByCode(server, phone);
  await expectProfile(phone, ADDRESS);
  const told = await mailAbout(server, 'A new browser has signed in');
  expect(told.text).toContain('It was Safari on iPhone');
  await button(phone, 'Sign out').first().click();
  await expectLogin(phone);
  await signInByCode(server, phone);
  await expectProfile(phone, ADDRESS);
  await page.goto('/practice/mail');
  await expect(page.locator('.rows > li', { hasText: 'A new browser has signed in' })).toHaveCount(1);
});

test('another link is counted down to, and the server counts as well', async ({ page, expectConsole }) => {
  expectConsole(refused(429));
  await ask(page);
  await expect(page.locator('.soon')).toBeVisible();
  await expect(button(page, 'Send another link')).toBeHidden();
  await page.evaluate(() => document.getAnimations().forEach((animation) => animation.finish()));
  await expect(page.locator('.soon')).toBeHidden();
  const answer = page.waitForResponse((response) => response.url().endsWith('/again'));
  await button(page, 'Send another link').click();
  expect(Number((await answer).headers()['retry-after'])).toBeGreaterThan(0);
  await expect(page.locator('.soon')).toHaveText(/^Another link can be sent in \d+ seconds\.$/);
});

test('a user who tries passwords too often has to wait', async ({ page, anotherBrowser, expectConsole, server }) => {
  expectConsole(refused(429), ...some(refused(422)));
  await signInByCode(server, page);
  await page.goto('/profile/password');
  await setPassword(page, PASSWORD);
  const thief = await (await anotherBrowser()).newPage();
  await thief.goto('/login');
  const tries = await thief.evaluate(async ([address, email]) => {
    const body = new URLSearchParams({ email, password: 'guessed' });
    const statuses = [];
    for (let tried = 0; tried < 20; tried += 1) statuses.push((await fetch(address, { method: 'POST', body })).status);
    return statuses;
  }, [at('/login'), ADDRESS]);
  expect(new Set(tries)).toEqual(new Set([422]));
  await signIn(thief, { email: ADDRESS, password: PASSWORD });
  await expect(thief.getByRole('alert')).toHaveText(/^Too many attempts\. Try again in \d+ seconds\.$/);
});

controlled('a disabled user is signed out and stays out until they are enabled', async ({ page, server, expectConsole }) => {
  expectConsole(refused(422));
  const user = { email: ADDRESS, name: 'Grace', password: PASSWORD };
  await server.addUser(user);
  await signIn(page, user);
  await expectProfile(page, 'Grace');
  expect((await server.command(['user', 'disable', '--email', ADDRESS])).code).toBe(0);
  await expectStranger(page);
  await signIn(page, user);
  await expect(page.getByRole('alert')).toHaveText('The e-mail address or the password is wrong.');
  expect((await server.command(['user', 'enable', '--email', ADDRESS])).code).toBe(0);
  await signIn(page, user);
  await expectProfile(page, 'Grace');
});
