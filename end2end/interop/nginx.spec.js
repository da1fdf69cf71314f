// Behind a proxy that ends TLS: nginx, as docs/nginx.conf sets it up.

import { some } from '../support/console.js';
import { chromium } from '../support/chromium.js';
import { NAME, NGINX, Nginx } from '../support/nginx.js';
import { freePorts } from '@vestibule/playwright/program';
import { send } from '../support/raw.js';
import { SOKETI, soketi } from '../support/soketi.js';
import { controlled, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import {
  button, countedAtSubscription, expectProfile, link, nothingIsDue, requestsTo, say, status,
} from '../support/pages.js';

const test = controlled.extend({
  own: [{}, { option: true }],

  port: async ({}, use) => use((await freePorts(1))[0]),

  /** The Pusher server's port behind the proxy; nothing listens there, unless a test starts one. */
  push: async ({}, use) => use((await freePorts(1))[0]),

  settings: async ({ port, own }, use) => {
    const [behind] = await freePorts(1);
    const address = { LEPTOS_SITE_ADDR: `127.0.0.1:${behind}`, PUBLIC_URL: `https://${NAME}:${port}` };
    await use({ ...address, TRUSTED_PROXIES: '127.0.0.1', ...own });
  },

  nginx: [
    async ({ port, push, server }, use) => {
      const nginx = await Nginx.start({ port, push, url: server.url });
      await use(nginx);
      expect(await nginx.stop(), 'how nginx ended').toBe(0);
    },
    { auto: true },
  ],

  baseURL: async ({ port }, use) => use(`https://${NAME}:${port}`),
});

test.skip(!NGINX, 'there is no nginx');
test.use({
  ignoreHTTPSErrors: true,
  launchOptions: { ...chromium, args: [...chromium.args, `--host-resolver-rules=MAP ${NAME} 127.0.0.1`] },
});

/** The page's sockets, as their addresses, and the frames that they have heard. */
function listening(page) {
  const [addresses, frames] = [[], []];
  page.on('websocket', (socket) => {
    addresses.push(socket.url());
    socket.on('framereceived', ({ payload }) => frames.push(JSON.parse(payload)));
  });
  return { addresses, frames, events: () => frames.map(({ event }) => event) };
}

/** Signs in by a link, whose outcome is pushed; returns the policy of its page. */
async function signIn(page, validator, token) {
  const { addresses, events } = listening(page);
  const asked = requestsTo(page, '/api/status');
  const askedBefore = countedAtSubscription(page, asked);
  const document = page.waitForResponse((response) => response.request().isNavigationRequest());
  await page.goto(link(token));
  const question = await validator.asked(token);
  await expect.poll(events).toContain('pusher_internal:subscription_succeeded');
  await nothingIsDue(asked, await askedBefore);
  const before = asked.length;
  question.valid();
  await expectProfile(page, ADA.name);
  expect(asked, 'it was pushed').toHaveLength(before);
  expect(addresses).toHaveLength(1);
  const { 'content-security-policy': policy, 'strict-transport-security': hsts } = (await document).headers();
  expect(hsts).toMatch(/^max-age=31536000/);
  return { socket: new URL(addresses[0]), connects: /connect-src ([^;]*);/.exec(policy)[1] };
}

test('a whole sign-in, by wss and with cookies that no other host can set', async ({ page, context, port, validator, server }) => {
  const pending = page.waitForResponse('**/confirm/**');
  const { socket, connects } = await signIn(page, validator, 'whole');
  expect(socket.origin).toBe(`wss://${NAME}:${port}`);
  expect(socket.pathname).toMatch(/^\/app\/[0-9a-f]{32}$/);
  expect(connects).toBe("'self'");
  const set = await (await pending).headerValues('set-cookie');
  expect(set).toEqual([expect.stringMatching(/^__Host-vestibule-pending-[^=]+=[^;]+; HttpOnly; SameSite=Lax; Secure; Path=\/; Max-Age=\d+$/)]);
  const cookie = (name) => expect.objectContaining({ name, domain: NAME, path: '/', httpOnly: true, secure: true, sameSite: 'Lax' });
  const cookies = (await context.cookies()).sort((one, other) => one.name.localeCompare(other.name));
  expect(cookies).toEqual([cookie('__Host-vestibule-known'), cookie('__Host-vestibule-session')]);
  await button(page, 'Sign out').click();
  await expect(page).toHaveURL(/\/login/);
  expect(server.log).not.toContain('X-Forwarded-For');
});

test('a whole sign-in without JavaScript', async ({ anotherBrowser, validator }) => {
  const page = await (await anotherBrowser({ javaScriptEnabled: false, ignoreHTTPSErrors: true })).newPage();
  await page.goto(link('plain'));
  await button(page, 'Continue').click();
  (await validator.asked('plain')).valid();
  await expectProfile(page, ADA.name);
});

test('no token is in a log of the proxy, also when no server is behind it', async ({ page, context, nginx, validator, server, expectConsole }) => {
  // An icon may be on its way while the server ends.
  expectConsole(...some(/^error: Failed to load resource: (the server responded with a status of 502|net::ERR_HTTP2_PROTOCOL_ERROR)/));
  await signIn(page, validator, 'whispered');
  await context.clearCookies();
  await page.goto('/profile/address/whispered');
  await expect(page).toHaveURL('/login?next=%2Fprofile%2Faddress%2Fwhispered');
  await server.restart('SIGKILL', async () => {
    expect((await page.goto('/login/wait/whispered')).status()).toBe(502);
    expect((await page.goto(link('whispered'))).status()).toBe(502);
    // What the browser asks for on that page, such as its icon, names the page.
    await page.evaluate(() => fetch('/readyz'));
    expect((await page.goto('/profile')).status()).toBe(502);
  });
  const logs = await nginx.logs();
  expect(logs).toContain('GET /readyz');
  expect(logs).toContain('GET /profile');
  expect(logs).not.toContain('whispered');
});

test.describe('with a cap of one for each client', () => {
  const CAP = { CONFIRM_PER_CLIENT: '1' };
  test.use({ own: CAP });
  test.skip(process.platform === 'darwin', 'loopback has one address there');

  /** Begins by a link as a browser at this address would; returns the status. */
  async function begin(nginx, base, localAddress, token, headers = {}) {
    const lookup = (name, { all }, found) => (all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4));
    const connection = { ca: nginx.certificate, lookup, localAddress };
    const landed = await send(`${base}${link(token)}`, { ...connection, headers });
    const cookies = Object.fromEntries(landed.setCookies.map(({ name, value }) => [name, value]));
    const asked = { ...connection, method: 'POST', form: {}, cookies, headers: { origin: base, ...headers } };
    return (await send(`${base}${link(token)}`, asked)).status;
  }

  test('each has their own, whatever they say they are', async ({ nginx, baseURL, validator }) => {
    expect(await begin(nginx, baseURL, '127.0.0.2', 'first')).toBe(303);
    await validator.asked('first');
    expect(await begin(nginx, baseURL, '127.0.0.2', 'second')).toBe(429);
    for (const name of ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'CF-Connecting-IP']) {
      const spoofed = { [name]: name === 'Forwarded' ? 'for=203.0.113.9' : '203.0.113.9' };
      expect(await begin(nginx, baseURL, '127.0.0.2', 'second', spoofed), name).toBe(429);
    }
    expect(await begin(nginx, baseURL, '127.0.0.3', 'third')).toBe(303);
    // A forged address is not counted either: this client has its own cap.
    expect(await begin(nginx, baseURL, '127.0.0.4', 'fourth', { 'X-Forwarded-For': '127.0.0.2' })).toBe(303);
  });

  test.describe('and a proxy that the server does not trust', () => {
    test.use({ own: { ...CAP, TRUSTED_PROXIES: '192.0.2.7' } });

    test('all behind it are one, and the log says so', async ({ nginx, baseURL, server, validator }) => {
      expect(await begin(nginx, baseURL, '127.0.0.2', 'first')).toBe(303);
      await validator.asked('first');
      expect(await begin(nginx, baseURL, '127.0.0.3', 'second')).toBe(429);
      expect(server.log).toContain('X-Forwarded-For of an unknown proxy is passed over');
    });
  });
});

const beforeSoketi = test.extend({
  soketi,
  push: async ({ soketi }, use) => use(soketi.port),
  settings: async ({ settings, soketi, port }, use) => {
    const seen = { PUSHER_PUBLIC_HOST: NAME, PUSHER_PUBLIC_PORT: String(port), PUSHER_PUBLIC_SCHEME: 'https', PUSHER_PUBLIC_PATH: '/push' };
    await use({ ...settings, ...soketi.settings, ...seen });
  },
});

beforeSoketi.describe('with Soketi behind it too', () => {
  beforeSoketi.skip(!SOKETI, 'there is no Soketi');
  beforeSoketi.describe.configure({ mode: 'default' });

  beforeSoketi('a whole sign-in, whose socket leads to Soketi', async ({ page, port, soketi, validator }) => {
    const { socket, connects } = await signIn(page, validator, 'forwarded');
    expect(socket.origin).toBe(`wss://${NAME}:${port}`);
    expect(socket.pathname).toBe(`/push/app/${soketi.app.key}`);
    expect(connects).toBe(`'self' wss://${NAME}:${port}`);
  });

  beforeSoketi("Soketi's HTTP API cannot be reached from outside", async ({ page, soketi, expectConsole }) => {
    expectConsole(/^error: Failed to load resource: the server responded with a status of 404/);
    expect((await page.goto(`/push/apps/${soketi.app.id}/channels`)).status()).toBe(404);
  });
});
