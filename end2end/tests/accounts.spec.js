// Signing in with a password, and signing out.

import { at } from '../support/base.js';
import { practice as test, expect } from '../support/test.js';
import {
  PASSWORD, PRACTICE, button, expectLogin, expectProfile, expectStranger, heading, reasons, sessionCookie, sessionRows,
  signIn,
} from '../support/pages.js';

const WRONG = 'The e-mail address or the password is wrong.';

test('the login page of practice mode names its user', async ({ page }) => {
  await page.goto('/login');
  await expect(page.getByText(PRACTICE.email)).toBeVisible();
  await expect(page.getByText(PRACTICE.password)).toBeVisible();
  await signIn(page, PRACTICE);
  await expectProfile(page);
  await expect(page.locator('.facts')).toContainText(PRACTICE.email);
});

test('a wrong password and an unknown address get the same answer', async ({ page, expectConsole }) => {
  expectConsole(...refusals(2));
  for (const wrong of [{ ...PRACTICE, password: 'wrong' }, { email: 'stranger@example.com', password: PRACTICE.password }]) {
    await signIn(page, wrong);
    await expect(page.getByRole('alert')).toHaveText(WRONG);
    await expect(page.getByLabel('E-mail address')).toHaveValue(wrong.email);
    await expect(page.getByLabel('Password')).toHaveValue('');
  }
  await expectStranger(page);
});

test('a password that was wrong once can be put right', async ({ page, expectConsole }) => {
  expectConsole(...refusals(1));
  await signIn(page, { ...PRACTICE, password: 'wrong' });
  await expect(page.getByRole('alert')).toHaveText(WRONG);
  await page.getByLabel('Password').fill(PRACTICE.password);
  await button(page, 'Sign in').click();
  await expectProfile(page);
});

test('a user added by the operator signs in by the address in any case', async ({ page, server }) => {
  await server.addUser({ email: 'grace@example.com', name: 'Grace Hopper', password: PASSWORD });
  await signIn(page, { email: 'Grace@Example.com', password: PASSWORD });
  await expectProfile(page, 'Grace Hopper');
});

test('signing out signs this browser out', async ({ page, context }) => {
  await signIn(page, PRACTICE);
  await button(page, 'Sign out').click();
  await expectLogin(page);
  expect(await sessionCookie(context)).toBeUndefined();
  await expectStranger(page);
});

test('signing out leaves the other browsers signed in, and signing out everywhere does not', async ({ page, anotherBrowser }) => {
  const others = [];
  for (const context of [await anotherBrowser(), await anotherBrowser()]) {
    const other = await context.newPage();
    await signIn(other, PRACTICE);
    await expectProfile(other);
    others.push(other);
  }
  await signIn(page, PRACTICE);
  await expect(sessionRows(page)).toHaveCount(3);
  await expect(page.getByText(', this browser')).toHaveCount(1);
  await button(page, 'Sign out').click();
  await others[0].goto('/profile');
  await expect(sessionRows(others[0])).toHaveCount(2);
  await button(others[0], 'Sign out everywhere').click();
  await expectLogin(others[0]);
  await expectStranger(others[1]);
});

test('the login page sends those who are signed in on to their profile', async ({ page }) => {
  await signIn(page, PRACTICE);
  await expectProfile(page);
  await page.goto('/login');
  await expectProfile(page);
});

test('signing in leads where the visitor wanted to go, and never to another site', async ({ page }) => {
  for (const next of ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)', '/\t/evil.example']) {
    await page.goto(`/login?next=${encodeURIComponent(next)}`);
    await page.getByLabel('E-mail address').fill(PRACTICE.email);
    await page.getByLabel('Password').fill(PRACTICE.password);
    await button(page, 'Sign in').click();
    await expectProfile(page);
    await button(page, 'Sign out').click();
    await expectLogin(page);
  }
});

test('a way back to what is no page leads to the profile', async ({ page }) => {
  await page.goto(`/login?next=${at('/logout')}`);
  await page.getByLabel('E-mail address').fill(PRACTICE.email);
  await page.getByLabel('Password').fill(PRACTICE.password);
  await button(page, 'Sign in').click();
  await expectProfile(page);
});

test('a reason that does not exist is no message', async ({ page }) => {
  await page.goto('/login?reason=%3Cscript%3Ealert(1)%3C/script%3E');
  await expect(heading(page, 'Sign in')).toBeVisible();
  for (const sentence of Object.values(reasons)) await expect(page.getByText(sentence)).toHaveCount(0);
});

/** Chromium puts the refusal of a form's document on the console. */
function refusals(number) {
  const message = /^error: Failed to load resource: the server responded with a status of 4\d\d .*\(\/login.*\)$/;
  return Array(number).fill(message);
}
