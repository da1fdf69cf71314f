// Real mail: through a mail server that is not ours, and that sometimes fails.

import { AxeBuilder } from '@axe-core/playwright';
import { fileURLToPath } from 'node:url';
import { ADDRESS, KING, OPEN_IT, ask, overtaken, typeCode } from '../support/links.js';
import { PYTHON, controlledMail as controlled, practiceMail as test } from '../support/mail.js';
import { expect } from '../support/test.js';
import { PASSWORD, button, expectProfile, heading, status } from '../support/pages.js';

const SCREENS = fileURLToPath(new URL('../artefacts/screens/', import.meta.url));

test.skip(!PYTHON, 'there is no Python with aiosmtpd');
controlled.skip(!PYTHON, 'there is no Python with aiosmtpd');

/** Asks for a link without a page, and returns the answer to it. */
const post = (context, baseURL, address) =>
  context.request.post('/login/link', { form: { email: address }, headers: { origin: baseURL }, maxRedirects: 0 });

/** The page says what it always says, and nothing of a mail server. */
async function expectUnchanged(page) {
  await expect(heading(page, 'Check your e-mail')).toBeVisible();
  await expect(status(page)).toHaveText(OPEN_IT);
  await expect(page.getByRole('alert')).toHaveCount(0);
}

/** Types the code of a mail into the page that waits, which signs it in. */
async function signInByCode(page, { code }) {
  await typeCode(page, code);
  await expectProfile(page, ADDRESS);
}

test('a link that was asked for arrives, says what it should, and signs in', async ({ page, context, port, mail, expectConsole }) => {
  expectConsole(overtaken, overtaken, overtaken);
  const before = Date.now();
  await ask(page);
  const { link, code, text, html, types, headers, header, ...envelope } = await mail.mail();
  expect(envelope).toEqual({ from: 'no-reply@example.com', to: [ADDRESS], hello: 'localhost', tls: false, login: null });
  expect(header).toMatchObject({
    from: 'Vestibule <no-reply@example.com>',
    to: ADDRESS,
    subject: 'Your link to sign in',
    'message-id': expect.stringMatching(/^<[0-9a-f]{32}@localhost>$/),
    'auto-submitted': 'auto-generated',
    'mime-version': '1.0',
    'content-type': expect.stringMatching(/^multipart\/alternative/),
  });
  expect(Math.abs(Date.parse(header.date) - before)).toBeLessThan(30_000);
  expect(headers.map(([name]) => name).sort()).toEqual(
    ['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to'],
  );
  expect(types).toEqual(['text/plain', 'text/html']);
  expect(new URL(link).origin).toBe(`http://localhost:${port}`);
  for (const body of [text, html]) {
    for (const part of [link, code, 'Asked for from Chrome on Linux', 'within 10 minutes']) expect(body).toContain(part);
  }
  expect(header.subject).not.toContain(code);

  const tab = await context.newPage();
  await tab.goto(link);
  await expectProfile(tab, ADDRESS);
  await expectProfile(page, ADDRESS);
});

/** Opens a mail's HTML as a mail program does: legible in light and in dark, also on a small screen, and nothing is fetched. */
async function inspect(context, { html }, name) {
  const reader = await context.newPage();
  const fetched = [];
  reader.on('request', (request) => fetched.push(request.url()));
  await reader.setContent(html);
  // The ground is the mail program's own.
  await reader.addStyleTag({ content: ':root { background: Canvas; color: CanvasText }' });
  for (const colorScheme of ['light', 'dark']) {
    await reader.emulateMedia({ colorScheme });
    for (const width of [320, 800]) {
      await reader.setViewportSize({ width, height: 640 });
      await reader.screenshot({ path: `${SCREENS}${name}-${colorScheme}-${width}.png` });
      const overflow = await reader.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, `sideways scrolling of ${name} at ${width} px`).toBe(0);
      const { violations } = await new AxeBuilder({ page: reader }).analyze();
      const told = violations.map(({ id, nodes }) => ({ id, at: nodes.map((node) => node.html) }));
      expect(told, `${name}, ${colorScheme}, ${width} px`).toEqual([]);
    }
  }
  expect(fetched).toEqual([]);
  await expect(reader.getByRole('link')).toHaveCount(1);
  return reader;
}

test('its HTML is legible in light and in dark, also on a small screen, and its button signs in', async ({ page, context, mail, expectConsole }) => {
  expectConsole(overtaken, overtaken, overtaken);
  await ask(page);
  const sent = await mail.mail();
  const reader = await inspect(context, sent, 'mail');
  await expect(reader.getByRole('link', { name: 'Sign in' })).toHaveAttribute('href', sent.link);
  await reader.getByRole('link', { name: 'Sign in' }).click();
  await expectProfile(reader, ADDRESS);
  await expectProfile(page, ADDRESS);
});

test('what else is told by mail arrives and is as legible', async ({ page, context, mail, anotherBrowser }) => {
  await ask(page);
  await signInByCode(page, await mail.mail(1));
  const phone = await (await anotherBrowser()).newPage();
  await ask(phone);
  await signInByCode(phone, await mail.mail(2));
  await page.goto('/profile/password');
  await page.getByLabel('New password').fill(PASSWORD);
  // One at a time, so that they come in this order.
  await mail.mail(3);
  await button(page, 'Save password').click();
  await mail.mail(4);
  await page.goto('/profile/address');
  await page.getByLabel('Current password').fill(PASSWORD);
  await page.getByLabel('New e-mail address').fill(KING);
  await button(page, 'Send a link').click();
  const ticket = await mail.mail(5);
  await page.goto(ticket.link);
  await button(page, 'Use this address').click();
  await mail.mail(7);
  const [browser, password, address, ...moved] = mail.mails.slice(2);
  const subjects = [browser, password, address].map(({ to, header }) => [to[0], header.subject]);
  expect(subjects).toEqual([
    [ADDRESS, 'A new browser has signed in'],
    [ADDRESS, 'Your password was set'],
    [KING, 'Is this your address?'],
  ]);
  expect(moved.map(({ to, header }) => `${to[0]}: ${header.subject}`).sort()).toEqual([
    `${ADDRESS}: Your address was changed`,
    `${KING}: Your address was changed`,
  ]);
  for (const [sent, name] of [[browser, 'browser'], [password, 'password'], [address, 'address'], [moved[0], 'moved']]) {
    await (await inspect(context, sent, `mail-${name}`)).close();
  }
});

test.describe('a mail server that asks to be asked again', () => {
  test.use({ refusals: ['450 4.2.0 <ADDRESS>: Recipient address rejected: Greylisted'] });

  test('is, and the page says nothing of it and works', async ({ page, mail, server }) => {
    await ask(page);
    await expect.poll(() => mail.refused).toEqual([ADDRESS]);
    await expectUnchanged(page);
    const sent = await mail.mail();
    expect(server.log).toMatch(/WARN.* a mail was not taken; it is sent again mail=[0-9a-f]{32} what=the mail server answered 450 4\.2\.0/);
    await signInByCode(page, sent);
    expect(mail.mails).toHaveLength(1);
  });
});

test.describe('a mail server that does not know the mailbox', () => {
  test.use({ refusals: ['550 5.1.1 <ADDRESS>: Recipient address rejected: User unknown'] });

  test('is not asked again; the operator is told, and the page says nothing of it', async ({ page, context, baseURL, mail, server }) => {
    await ask(page);
    const told = /ERROR.* a mail cannot be sent mail=[0-9a-f]{32} what=the mail server answered 550 5\.1\.1/g;
    await expect.poll(() => server.log.match(told)?.length).toBe(1);
    await expectUnchanged(page);
    // What is asked for later is sent, and the first mail is not among it.
    await post(context, baseURL, 'last@example.com');
    expect((await mail.mail()).to).toEqual(['last@example.com']);
    expect(mail.refused).toEqual([ADDRESS]);
    expect(server.log.match(told)).toHaveLength(1);
  });
});

test.describe('a mail server that is not there', () => {
  test.use({ runs: false });

  test('is waited for', async ({ page, mail, server }) => {
    await ask(page);
    await expect.poll(() => server.log).toContain('the mail server cannot be reached: nothing listens there');
    await expectUnchanged(page);
    await mail.run();
    await signInByCode(page, await mail.mail());
  });
});

test.describe('with a certificate', () => {
  test.use({ secure: true });

  test('that is not trusted, a mail server gets neither password nor mail', async ({ page, mail, server }) => {
    await ask(page);
    await expect.poll(() => server.log).toContain('its certificate is not trusted: it is signed by no authority that this machine trusts');
    await expectUnchanged(page);
    expect(mail.mails).toEqual([]);
  });

  test('that the machine trusts, a mail server gets both', async ({ page, mail, server }) => {
    server.environment.SSL_CERT_FILE = mail.authority;
    await server.restart();
    await ask(page);
    const sent = await mail.mail();
    expect(sent).toMatchObject({ tls: true, login: mail.user });
    await signInByCode(page, sent);
  });
});

test('an address is sent three mails an hour for one network address, however often it is asked for', async ({ context, baseURL, mail, server: _ }) => {
  for (let n = 0; n < 30; n += 1) {
    // Each time as another browser: one alone is sent one in 30 seconds, and has only so many sign-ins in progress.
    await context.clearCookies();
    expect((await post(context, baseURL, ADDRESS)).status()).toBe(303);
  }
  // Mails go out eight at a time, and the next eight after them: the second of these comes after all that came before.
  await post(context, baseURL, 'first@example.com');
  await mail.mail(4);
  await post(context, baseURL, 'second@example.com');
  await mail.mail(5);
  expect(mail.mails.map(({ to: [to] }) => to).sort()).toEqual(['first@example.com', ...Array(3).fill(ADDRESS), 'second@example.com']);
  expect(new Set(mail.mails.map(({ link }) => link)).size).toBe(5);
});

controlled('where registration is closed, an unknown address gets the same answer, the same page, and no mail', async ({ page, context, baseURL, mail, server }) => {
  await server.addUser({ email: ADDRESS, name: 'Grace', password: PASSWORD });
  const seen = [];
  for (const address of ['stranger@example.com', ADDRESS]) {
    const answer = await post(context, baseURL, address);
    const { location } = answer.headers();
    const token = location.split('/').at(-1);
    const document = await context.request.get(location);
    const [nonce] = /(?<='nonce-)[^']+/.exec(document.headers()['content-security-policy']);
    await page.goto(location);
    await expectUnchanged(page);
    const own = [address, token, nonce, /(?<=class="number"[^>]*>)\d\d/g, /private-[\w-]+/g];
    const same = own.reduce((text, part) => text.replaceAll(part, '…'), await document.text());
    const headers = answer.headersArray().map(({ name }) => name.toLowerCase());
    seen.push({ status: answer.status(), headers, location: location.replace(token, '…'), same });
  }
  expect(seen[0].same.length).toBeGreaterThan(2_000);
  expect(seen[0]).toEqual(seen[1]);
  await mail.mail();
  // As another browser: one alone waits for the link that it has asked for just before.
  await context.clearCookies();
  await post(context, baseURL, ADDRESS);
  await mail.mail(2);
  expect(mail.mails.map(({ to }) => to)).toEqual([[ADDRESS], [ADDRESS]]);
});
