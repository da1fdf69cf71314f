// What bad input gets: a page in style, and nothing else.

import { controlled as test, practice, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import { send } from '../support/raw.js';
import {
  expectProfile, expectWaiting, heading, holdBefore, link, pendingCookies, sessionCookie, subscription,
} from '../support/pages.js';

const OURS = { 'sec-fetch-site': 'same-origin' };

const tokens = {
  'empty': '',
  'of 513 characters': 'a'.repeat(513),
  'with a space': 'a%20b',
  'with a slash': 'a%2Fb',
  'with a quote': '%22%3E%3Cscript%3E',
  'with a letter beyond ASCII': 'caf%C3%A9',
  'with a NUL': 'a%00b',
  'that is not UTF-8': '%FF',
  'with a line end': 'a%0D%0Aset-cookie:b=c',
};
for (const [name, token] of Object.entries(tokens)) {
  test(`a token ${name} is not found, and nothing is stored`, async ({ page, context, validator, server, expectConsole }) => {
    expectConsole(/^error: Failed to load resource: the server responded with a status of 404 \(Not Found\)/);
    const answer = await page.goto(link(token));
    expect(answer.status()).toBe(404);
    await expect(heading(page, 'Page not found')).toBeVisible();
    await expect(page.locator('main')).toHaveCSS('max-width', /\d/);
    expect(await context.cookies()).toEqual([]);
    const form = await send(`${server.url}${link(token)}`, { method: 'POST', headers: OURS, form: { a: '' } });
    expect([404, 405]).toContain(form.status);
    const call = await send(`${server.url}/api/begin`, {
      method: 'POST',
      headers: OURS,
      form: { token: unescapeBytes(token), again: 'false' },
    });
    expect(call.status).toBeGreaterThanOrEqual(400);
    expect(call.status).toBeLessThan(500);
    for (const { setCookies } of [form, call]) expect(setCookies).toEqual([]);
    expect(validator.count()).toBe(0);
  });
}

test('a token of 512 characters, and every character that is allowed, is taken', async ({ page, validator }) => {
  validator.answer = (question) => question.valid();
  const token = `Az09._~-${'x'.repeat(504)}`;
  await page.goto(link(token));
  await expectProfile(page, ADA.name);
  expect(validator.count(token)).toBe(1);
});

test('an address that does not exist is not found', async ({ page, expectConsole }) => {
  expectConsole(/^error: Failed to load resource: the server responded with a status of 404 \(Not Found\)/);
  expect((await page.goto('/nowhere')).status()).toBe(404);
  await expect(heading(page, 'Page not found')).toBeVisible();
});

test('a forged pending cookie, and one of another token, is ignored and replaced', async ({ page, context, validator, server }) => {
  const land = async (token, cookies) => {
    const { setCookies } = await send(`${server.url}${link(token)}`, { headers: OURS, cookies });
    return setCookies.find(({ name }) => name.startsWith('vestibule-pending-'));
  };
  const [mine, other] = [await land('mine'), await land('other')];
  expect(other.name).not.toBe(mine.name);
  expect(await land('mine', { [mine.name]: mine.value }), 'a good one is kept').toBeUndefined();
  const forged = [other.value, mine.value.replace(/^..../, 'AAAA'), `${mine.value.slice(0, -4)}AAAA`, 'x', mine.value.slice(1)];
  for (const value of forged) {
    const fresh = await land('mine', { [mine.name]: value });
    expect(fresh.name).toBe(mine.name);
    expect([...forged, mine.value]).not.toContain(fresh.value);
  }
  await context.addCookies([{ name: mine.name, value: other.value, url: server.url }]);
  await page.goto(link('mine'));
  (await validator.asked('mine')).valid();
  await expectProfile(page, ADA.name);
});

test('a planted pending cookie does not carry its planter’s sign-in into the browser', async ({ page, context, validator, anotherBrowser }) => {
  // The planter begins with a link of their own, and plants its cookie under the name of the victim's link.
  const planter = await anotherBrowser();
  const tab = await planter.newPage();
  await holdBefore(tab, '**/profile');
  await tab.goto(link('planters'));
  (await validator.asked('planters')).valid(ADA);
  await expect(tab.getByText('held')).toBeVisible();
  const [planted] = await pendingCookies(planter);

  const listening = subscription(page);
  await page.goto(link('victims'));
  const question = await validator.asked('victims');
  await listening;
  const [own] = await pendingCookies(context);
  await context.addCookies([{ ...own, value: planted.value }]);
  await page.goto(link('victims'));
  const [fresh] = await pendingCookies(context);
  expect(fresh.value).not.toBe(planted.value);
  question.invalid('invalid');
  (await validator.asked('victims', 2)).invalid('invalid');
  await expect(page).toHaveURL('/login?reason=invalid');
  expect(await sessionCookie(context)).toBeUndefined();
});

/** A browser that waits on a link, with what a script needs to know of it. */
async function waiting(page, validator, token) {
  const begun = page.waitForResponse('**/api/begin');
  await page.goto(link(token));
  const { channel } = await (await begun).json();
  const question = await validator.asked(token);
  const cookies = Object.fromEntries((await pendingCookies(page.context())).map(({ name, value }) => [name, value]));
  return { channel, question, cookies, token };
}

const authorise = (server, { cookies, token }, form, headers = OURS) =>
  send(`${server.url}/pusher/auth`, { method: 'POST', headers, cookies, form: { token, ...form } });

test('a subscription is signed for the browser’s own channel and nothing else', async ({ page, validator, server, anotherBrowser }) => {
  const own = await waiting(page, validator, 'own');
  const other = await waiting(await (await anotherBrowser()).newPage(), validator, 'others');
  const socket_id = '12.34';

  const good = await authorise(server, own, { socket_id, channel_name: own.channel });
  expect(good.status).toBe(200);
  expect(JSON.parse(good.text).auth).toMatch(/^[^:]+:[0-9a-f]{64}$/);

  const channels = [
    other.channel, '', 'private-confirm-', own.channel.slice(0, -1), `${own.channel}0`, own.channel.toUpperCase(),
    own.channel.replace('private', 'presence'), `${own.channel},${other.channel}`, `${own.channel}:x`, 'public',
  ];
  for (const channel_name of channels) {
    const answer = await authorise(server, own, { socket_id, channel_name });
    expect(answer.status, `channel ${channel_name}`).toBe(403);
    expect(answer.text).not.toContain('"auth"');
  }
  for (const bad of ['', '12', '12.', '.34', '12.34.56', '1:2', `12.34:${other.channel}`, '12.34\n', ' 12.34', '１２.３４', '-1.2', '1e3.4']) {
    const answer = await authorise(server, own, { socket_id: bad, channel_name: own.channel });
    expect(answer.status, `socket id ${JSON.stringify(bad)}`).toBe(403);
  }
  for (const stranger of [{ ...own, cookies: {} }, { ...own, cookies: other.cookies }, { ...own, token: 'others' }, { ...own, token: '' }]) {
    expect((await authorise(server, stranger, { socket_id, channel_name: own.channel })).status).toBe(403);
  }
});

test('the question who a request comes from has one answer', async ({ page, validator, server }) => {
  const own = await waiting(page, validator, 'own');
  const posts = {
    '/api/begin': { token: 'own', again: 'true' },
    '/api/status': { token: 'own' },
    '/api/cancel': { token: 'own' },
    '/pusher/auth': { token: 'own', socket_id: '12.34', channel_name: own.channel },
    '/confirm/own': { again: '1' },
    '/confirm/own/cancel': {},
    '/login': { email: 'a@example.com', password: 'b' },
    '/logout': { everywhere: '1' },
    '/continue': { choice: 'stay' },
    '/profile/sessions/end': { choice: 'others' },
  };
  const foreign = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'cross-site', origin: server.url },
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `${server.url}0` },
    { origin: server.url.replace('http:', 'https:') },
    { referer: `${server.url}/confirm/own` },
    {},
  ];
  for (const [path, form] of Object.entries(posts)) {
    for (const headers of foreign) {
      const answer = await send(`${server.url}${path}`, { method: 'POST', headers, form, cookies: own.cookies });
      expect(answer.status, `${path} with ${JSON.stringify(headers)}`).toBe(403);
      expect(answer.setCookies, path).toEqual([]);
    }
  }
  await expectWaiting(page);
  expect(validator.count()).toBe(1);
  own.question.valid();
  await expectProfile(page, ADA.name);
});

practice('practice mode refuses a foreign Host and forwarding headers', async ({ server }) => {
  expect((await send(`${server.url}/`)).status).toBe(200);
  const headers = [
    { host: 'vestibule.example' },
    { host: '127.0.0.1' },
    { forwarded: 'for=192.0.2.1' },
    { 'x-forwarded-for': '192.0.2.1' },
    { 'x-forwarded-host': 'vestibule.example' },
    { 'x-forwarded-proto': 'https' },
  ];
  for (const foreign of headers) {
    const answer = await send(`${server.url}/confirm/valid`, { headers: foreign });
    expect(answer.status, JSON.stringify(foreign)).toBe(403);
    expect(answer.setCookies).toEqual([]);
  }
});

practice('the home page exists in practice mode', async ({ page }) => {
  await page.goto('/');
  await expect(heading(page, 'Vestibule practice')).toBeVisible();
});

test('the home page leads to the login page outside practice mode', async ({ page }) => {
  await page.goto('/');
  await expect(page).toHaveURL('/login');
  await expect(page.getByText('Practice mode')).toHaveCount(0);
});

/** A token as a form's value: what percent-encoding meant, as far as that is text. */
function unescapeBytes(token) {
  try {
    return decodeURIComponent(token);
  } catch {
    return token;
  }
}
