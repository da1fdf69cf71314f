// An application behind a proxy, on one host with us: the published recipes, with the programs that they are for.

import { chromium } from '../support/chromium.js';
import { EXAMPLES, Echo, Example } from '../support/applications.js';
import { freePorts } from '@vestibule/playwright/program';
import { NAME, PROXIES, Proxy } from '../support/proxies.js';
import { send } from '../support/raw.js';
import { controlled, expect } from '../support/test.js';
import { ADA, GRACE } from '../support/validator.js';
import { some } from '../support/console.js';

const base = controlled.extend({
  /** Which proxy. */
  kind: ['nginx', { option: true }],

  ports: async ({}, use) => {
    const [port, behind, app] = await freePorts(3);
    await use({ port, behind, app });
  },

  settings: async ({ ports }, use) => {
    const issuer = `https://${NAME}:${ports.port}/auth`;
    await use({ LEPTOS_SITE_ADDR: `127.0.0.1:${ports.behind}`, PUBLIC_URL: issuer, TRUSTED_PROXIES: '127.0.0.1' });
  },

  front: [
    async ({ kind, ports, server }, use) => {
      const proxy = await Proxy.start(kind, { port: ports.port, url: server.url, app: `127.0.0.1:${ports.app}` });
      await use(proxy);
      expect(await proxy.stop(), `how ${kind} ended`).toBe(0);
    },
    { auto: true },
  ],

  baseURL: async ({ ports }, use) => use(`https://${NAME}:${ports.port}`),
});

base.use({
  ignoreHTTPSErrors: true,
  launchOptions: { ...chromium, args: [...chromium.args, `--host-resolver-rules=MAP ${NAME} 127.0.0.1`] },
});

/** Opens a link that leads to the application's orders, and has the validator say whose it is. */
async function openLink(page, validator, token, identity) {
  await page.goto(`/auth/confirm/${token}?next=${encodeURIComponent('/orders?a=1&b=2')}`);
  const question = await validator.asked(token);
  question.valid(identity);
  await expect(page).toHaveURL('/orders?a=1&b=2');
}

/** The headers that name the user, and our cookies, as a client might forge them. */
const FORGED = [
  ['Remote-User', 'mallory'],
  ['Remote_User', 'mallory'],
  ['Remote-Email', 'mallory@example.com'],
  ['Vestibule-Assertion', 'forged'],
  ['Vestibule_Assertion', 'forged'],
];

for (const kind of Object.keys(PROXIES)) {
  base.describe(kind, () => {
    base.use({ kind });

    for (const name of Object.keys(EXAMPLES)) {
      const test = base.extend({
        application: [
          async ({ ports, server, settings }, use) => {
            const application = await Example.start(name, { port: ports.app, issuer: settings.PUBLIC_URL, url: server.url });
            await use(application);
            await application.stop();
          },
          { auto: true },
        ],
      });

      test(`a link leads into the ${name} application, signed in`, async ({ page, context, validator, expectConsole }) => {
        expectConsole(...some(/^error: Failed to load resource: the server responded with a status of 40[14]/));
        await openLink(page, validator, 'hers', ADA);
        await expect(page.getByRole('heading')).toHaveText('Orders of Ada Lovelace');
        await expect(page.locator('#address')).toHaveText('/orders?a=1&b=2');
        const user = await page.locator('#user').innerText();
        expect(user).toMatch(/^[0-9a-f]{32}$/);
        await page.getByLabel('Note').fill('three & a half = 3½');
        await page.getByRole('button', { name: 'Order' }).click();
        await expect(page.locator('#note')).toHaveText('three & a half = 3½');
        const own = async () => (await context.cookies()).find(({ name: cookie }) => ['connect.sid', 'sessionid', '_app_session'].includes(cookie)).value;
        const before = await own();
        await page.getByRole('button', { name: 'Sign out' }).click();
        await expect(page).toHaveURL('/auth/login?next=%2Forders');
        await openLink(page, validator, 'theirs', GRACE);
        await expect(page.getByRole('heading')).toHaveText('Orders of Grace Hopper');
        expect(await page.locator('#user').innerText()).not.toBe(user);
        expect(await own(), 'the application has a new session').not.toBe(before);
      });
    }

    const test = base.extend({
      echo: [
        async ({ ports }, use) => {
          const echo = await Echo.start(ports.app);
          await use(echo);
          await echo.stop();
        },
        { auto: true },
      ],
    });

    test('the application sees who it is, and nothing that a client forges', async ({ page, context, validator, front, ports, echo, server, expectConsole }) => {
      expectConsole(...some(/^error: Failed to load resource: the server responded with a status of 40[14]/));
      const tls = { ca: front.certificate, lookup: (_, { all }, found) => (all ? found(null, [{ address: '127.0.0.1', family: 4 }]) : found(null, '127.0.0.1', 4)) };
      const url = `https://${NAME}:${ports.port}`;
      // A stranger, who claims to be a user.
      const headers = { ...Object.fromEntries(FORGED), accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
      const stranger = await send(`${url}/orders?a=1&b=2`, { ...tls, headers });
      expect([stranger.status, stranger.headers.location]).toEqual([303, `${url}/auth/enter?next=%2Forders%3Fa%3D1%26b%3D2`]);
      const script = await send(`${url}/orders`, { ...tls, headers: { ...headers, accept: '*/*', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } });
      expect(script.status).toBe(401);
      expect(script.headers.location).toBeUndefined();
      expect(script.text).not.toContain('Vestibule');
      // The longest way back fits into every proxy's buffers.
      const long = `/orders?q=${'%2F'.repeat(600)}`;
      const led = await send(`${url}${long}`, { ...tls, headers });
      expect([led.status, new URL(led.headers.location).searchParams.get('next')]).toEqual([303, long]);
      expect((await send(`${url}/auth/v1/authorize`, tls)).status).toBe(404);
      expect(echo.requests).toEqual([]);

      await openLink(page, validator, 'hers', ADA);
      const told = await send(`${server.url}/v1/session`, { cookies: await jar(context) });
      const { id } = JSON.parse(told.text).user;
      const cookies = { ...(await jar(context)), 'connect.sid': 'its-own', 'vestibule-session': 'x', '__Host-vestibule-pending-00': 'x' };
      const forged = { ...headers, Cookie: Object.entries(cookies).map((pair) => pair.join('=')).join('; ') };
      const form = { a: '1', b: '2 & \u00bd' };
      const answer = await send(`${url}/forged`, { ...tls, method: 'POST', headers: forged, form });
      expect(answer.status).toBe(200);
      expect(echo.seen('/forged', 'remote-user')).toEqual([id]);
      expect(echo.seen('/forged', 'vestibule-assertion')).toEqual([expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)]);
      expect(echo.seen('/forged', 'remote-email').filter(Boolean)).toEqual([]);
      const cookie = echo.seen('/forged', 'cookie').join('; ');
      expect(cookie).not.toContain('vestibule');
      expect(cookie).toContain('connect.sid=its-own');
      const [{ body }] = echo.requests.filter(({ url: asked }) => asked === '/forged');
      expect(Object.fromEntries(new URLSearchParams(body))).toEqual(form);
      expect(JSON.stringify(echo.requests)).not.toMatch(/mallory|vestibule-(session|known|pending|form|entered)/);

      const heard = await page.evaluate(() => new Promise((resolve) => {
        const socket = new WebSocket(`wss://${location.host}/socket`);
        socket.onmessage = ({ data }) => resolve(data);
        socket.onclose = () => resolve('closed');
      }));
      expect(heard).toBe('hello');
      expect(echo.seen('/socket', 'remote-user')).toEqual([id]);

      // Signed out elsewhere: the next request is a stranger's.
      const out = await page.evaluate(() => fetch('/auth/logout', { method: 'POST', redirect: 'manual', headers: { 'content-type': 'application/x-www-form-urlencoded' } }).then(({ type }) => type));
      expect(out).toBe('opaqueredirect');
      const status = await page.evaluate(() => fetch('/orders').then((reply) => reply.status));
      expect(status).toBe(401);
      expect(server.log).not.toContain('X-Forwarded-For');
    });
  });
}

const jar = async (context) => Object.fromEntries((await context.cookies()).map(({ name, value }) => [name, value]));
