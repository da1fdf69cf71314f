// Signing in by a link that we send ourselves: asked for on one device, opened there or on another.

import { controlled, practice as test, expect } from '../support/test.js';
import { ADDRESS, OPEN_IT, ask, mail, number, overtaken, typeNumber } from '../support/links.js';
import {
  PASSWORD, button, expectLogin, expectProfile, expectStranger, heading, requestsTo, sessionCookie, status,
} from '../support/pages.js';

test('the link opened in the browser that asked signs it in without a click, and the page that waits goes on', async ({ page, context, expectConsole, server }) => {
  expectConsole(overtaken, overtaken, overtaken);
  await ask(page);
  await expect(status(page)).toHaveText(OPEN_IT);
  const { link, text } = await mail(server);
  expect(text).toMatch(/Asked for from Chrome on Linux/);
  const tab = await context.newPage();
  await tab.goto(link);
  await expectProfile(tab, ADDRESS);
  await expectProfile(page, ADDRESS);
  await tab.goto(link);
  await expectProfile(tab, ADDRESS);
});

test('the code typed into the page that waits signs in, and a wrong one says how many tries are left, also after a reload', async ({ page, server }) => {
  await ask(page);
  const { code } = await mail(server);
  const wrong = code === '000000' ? '000001' : '000000';
  await page.getByLabel('Or enter the code from the e-mail').fill(wrong);
  await button(page, 'Sign in with the code').click();
  await expect(page.getByRole('alert')).toHaveText('That is not the code. You can try 4 more times.');
  await page.reload();
  await expect(page.getByRole('alert')).toHaveText('That is not the code. You can try 4 more times.');
  await page.getByLabel('Or enter the code from the e-mail').fill(`${code.slice(0, 3)} ${code.slice(3)}`);
  await button(page, 'Sign in with the code').click();
  await expectProfile(page, ADDRESS);
});

test('on another device, the number that the first one shows lets it in, live', async ({ page, server, anotherBrowser }) => {
  await ask(page);
  const shown = await number(page);
  const { link } = await mail(server);
  const phone = await (await anotherBrowser()).newPage();
  await phone.goto(link);
  await expect(heading(phone, `Sign in as ${ADDRESS}?`)).toBeVisible();
  await expect(phone.locator('.facts')).toContainText('Chrome on Linux');
  await typeNumber(phone, shown);
  await expect(heading(phone, 'You are signed in on the other device')).toBeVisible();
  await expectProfile(page, ADDRESS);
  await expectStranger(phone);
});

test('on another device, a wrong number takes the link back, and both are told', async ({ page, context, anotherBrowser, server }) => {
  await ask(page);
  const shown = await number(page);
  const { link } = await mail(server);
  const phone = await (await anotherBrowser()).newPage();
  await phone.goto(link);
  await typeNumber(phone, shown === '42' ? '43' : '42');
  await expect(heading(phone, 'This link no longer works')).toBeVisible();
  await expectLogin(page, 'expired');
  expect(await sessionCookie(context)).toBeUndefined();
});

test('on another device, what is no number is told, and the link stays good', async ({ page, server, anotherBrowser, expectConsole }) => {
  expectConsole(/^error: Failed to load resource: the server responded with a status of 422/);
  await ask(page);
  const shown = await number(page);
  const phone = await (await anotherBrowser()).newPage();
  await phone.goto((await mail(server)).link);
  await typeNumber(phone, `${shown}1`);
  await expect(phone.getByRole('alert')).toHaveText('Enter the two-digit number.');
  await typeNumber(phone, shown);
  await expect(heading(phone, 'You are signed in on the other device')).toBeVisible();
  await expectProfile(page, ADDRESS);
});

test('on another device, a user who wants to be signed in there is, and the first one is told', async ({ page, server, anotherBrowser }) => {
  await ask(page);
  const { link } = await mail(server);
  const phone = await (await anotherBrowser()).newPage();
  await phone.goto(link);
  await button(phone, 'Sign in on this device').click();
  await expectProfile(phone, ADDRESS);
  await expectLogin(page, 'used');
  await phone.goto(link);
  await expectProfile(phone, ADDRESS);
});

test('a scanner that opens the link and runs its scripts completes nothing', async ({ page, context, anotherBrowser, expectConsole, server }) => {
  expectConsole(overtaken, overtaken, overtaken);
  await ask(page);
  const { link } = await mail(server);
  const scanner = await (await anotherBrowser()).newPage();
  const calls = requestsTo(scanner, '/api/begin');
  await scanner.goto(link);
  await scanner.waitForLoadState('networkidle');
  expect(calls).toHaveLength(0);
  await expect(status(page)).toHaveText(OPEN_IT);
  const tab = await context.newPage();
  await tab.goto(link);
  await expectProfile(tab, ADDRESS);
});

test('a used link says so elsewhere without the whole address, and leads to a new one', async ({ page, context, anotherBrowser, expectConsole, server }) => {
  expectConsole(overtaken, overtaken, overtaken);
  await ask(page);
  const { link } = await mail(server);
  const tab = await context.newPage();
  await tab.goto(link);
  await expectProfile(tab, ADDRESS);
  await expectProfile(page, ADDRESS);
  const other = await anotherBrowser();
  const elsewhere = await other.newPage();
  await elsewhere.goto(link);
  await expect(heading(elsewhere, 'This link no longer works')).toBeVisible();
  await expect(elsewhere.locator('main')).toContainText('g…@example.com');
  await expect(elsewhere.locator('main')).not.toContainText(ADDRESS);
  await elsewhere.getByRole('link', { name: 'Sign in, or request a new link' }).click();
  await expectLogin(elsewhere);
  await ask(elsewhere);
  await expect(async () => expect((await mail(server)).link).not.toBe(link)).toPass();
  const next = await mail(server);
  const opened = await other.newPage();
  await opened.goto(next.link);
  await expectProfile(opened, ADDRESS);
});

test('asked for twice at once, a browser waits for one link, and keeps it when another user asks', async ({ page, context, anotherBrowser, expectConsole, server }) => {
  expectConsole(overtaken, overtaken, overtaken);
  await ask(page);
  const first = await mail(server);
  const waits = page.url();
  await ask(page);
  expect(page.url()).toBe(waits);
  await ask(await (await anotherBrowser()).newPage());
  await page.goto('/practice/mail');
  await expect(page.locator('.rows > li', { hasText: 'Your link to sign in' })).toHaveCount(2);
  await page.goto(waits);
  await expect(status(page)).toHaveText(OPEN_IT);
  const tab = await context.newPage();
  await tab.goto(first.link);
  await expectProfile(tab, ADDRESS);
  await expectProfile(page, ADDRESS);
});

test('a user who cancels waiting is led to the login page, and the link no longer works', async ({ page, context, server }) => {
  await ask(page);
  const { link } = await mail(server);
  await button(page, 'Cancel').click();
  await expectLogin(page, 'cancelled');
  await page.goto(link);
  await expect(status(page)).toHaveText('You cancelled this sign-in.');
  await button(page, 'Try again').click();
  await expectLogin(page, 'expired');
  expect(await sessionCookie(context)).toBeUndefined();
});

for (const [what, typed] of [
  ['nothing of an address', 'grace'],
  ['two addresses', 'grace@example.com, eve@example.com'],
  ['letters that only look like others', 'grасe@example.com'],
]) {
  test(`what is ${what} is told in a sentence`, async ({ page, expectConsole }) => {
    expectConsole(/^error: Failed to load resource: the server responded with a status of 422/);
    await page.goto('/login');
    await page.getByLabel('E-mail address').fill(typed);
    await button(page, 'Send me a link instead').click();
    await expect(page.getByRole('alert')).toHaveText('That is not an e-mail address. It should look like ada@example.com, in plain letters.');
    await expect(page.getByLabel('E-mail address')).toHaveValue(typed);
  });
}

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('the link signs in where it was asked for, and the code does', async ({ page, context, anotherBrowser, server }) => {
    await page.goto('/login');
    await page.getByLabel('E-mail address').fill(ADDRESS);
    await button(page, 'Send me a link instead').click();
    const { link } = await mail(server);
    const tab = await context.newPage();
    await tab.goto(link);
    await button(tab, 'Continue').click();
    await expectProfile(tab, ADDRESS);
    await page.reload();
    await expectProfile(page, ADDRESS);

    const other = await (await anotherBrowser({ javaScriptEnabled: false })).newPage();
    await other.goto('/login');
    await other.getByLabel('E-mail address').fill('other@example.com');
    await button(other, 'Send me a link instead').click();
    const { code } = await mail(server, 'other@example.com');
    await other.getByLabel('Or enter the code from the e-mail').fill(code);
    await button(other, 'Sign in with the code').click();
    await expectProfile(other, 'other@example.com');
  });
});

controlled('a link that the operator makes signs an unknown user in, once', async ({ page, server, validator, anotherBrowser }) => {
  const words = ['link', 'create', '--email', 'Ada@example.com', '--public-url', server.url];
  const { code, stdout, stderr } = await server.command(words);
  expect([code, stderr]).toEqual([0, '']);
  const link = stdout.trim();
  expect(link).toMatch(new RegExp(`^${server.url}/confirm/\\S+$`));
  await page.goto(link);
  await expect(page.locator('main')).toContainText('ada@example.com');
  await button(page, 'Sign in on this device').click();
  await expectProfile(page, 'ada@example.com');
  const later = await (await anotherBrowser()).newPage();
  await later.goto(link);
  await expect(later.locator('main')).toContainText('It has been used.');
  await expectStranger(later);
  expect(validator.count()).toBe(0);
});

controlled('a link from before its address was removed signs no one in', async ({ page, server }) => {
  await server.addUser({ email: ADDRESS, name: 'Grace', password: PASSWORD });
  const { stdout } = await server.command(['link', 'create', '--email', ADDRESS, '--public-url', server.url]);
  expect((await server.command(['user', 'remove', '--email', ADDRESS])).code).toBe(0);
  await page.goto(stdout.trim());
  await expect(page.locator('main')).toContainText('It has expired');
  await expectStranger(page);
});
