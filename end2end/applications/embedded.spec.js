// Applications in Rust that Vestibule is a part of: the examples as they are.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test as base } from '@playwright/test';
import { Program, freePorts } from '@vestibule/playwright/program';
import { ConsoleLog, some } from '../support/console.js';

const test = base.extend({
  /** The variable that says where the example is. */
  example: ['', { option: true }],

  /** Settings of the example's own. */
  settings: [{}, { option: true }],

  /** The port of an example that has it built in, with all of its settings. */
  fixed: ['', { option: true }],

  baseURL: async ({ example, settings, fixed }, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'vestibule-example-'));
    const [port] = fixed ? [fixed] : await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const own = {
      ADDRESS: address,
      LEPTOS_SITE_ADDR: address,
      PUBLIC_URL: `http://${address}/auth`,
      VESTIBULE_DATA: folder,
      VESTIBULE_SITE_ROOT: process.env.LEPTOS_SITE_ROOT,
      ...settings,
    };
    const env = fixed ? {} : own;
    const program = await Program.start(process.env[example], [], { ready: fixed ? undefined : 'listening', env, cwd: folder });
    await use(`http://${address}`);
    expect(await program.end('SIGTERM'), 'how it ended').toBe(0);
    expect(program.log, 'its log').not.toContain('panicked at');
    await rm(folder, { recursive: true, force: true });
  },

  consoleLog: [
    async ({ context }, use) => {
      const log = new ConsoleLog();
      // The examples have no icon.
      log.expected.push(...some(/^error: Failed to load resource: .* 404 .*favicon/));
      log.watch(context);
      await use(log);
      log.check();
    },
    { auto: true },
  ],
});

test.describe('server/examples/embed.rs', () => {
  test.use({ example: 'VESTIBULE_TEST_EMBED', settings: { CONFIRM_REDIRECT: '/orders' } });

  test('a link that the shop judges leads into it, signed in', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('link', { name: 'Use a coupon' }).click();
    await expect(page).toHaveURL('/orders');
    await expect(page.getByText('The orders of Ada')).toBeVisible();
    await page.goto('/');
    await expect(page.getByText('Welcome back.')).toBeVisible();
  });

  test('a stranger is led to sign in, and a bad link back to that', async ({ page }) => {
    await page.goto('/orders');
    await expect(page).toHaveURL('/auth/login?next=%2Forders');
    await page.goto('/auth/confirm/no-coupon');
    await expect(page).toHaveURL(/^[^?]+\/auth\/login\?reason=invalid/);
  });
});

test.describe('examples/axum-login', () => {
  test.use({ example: 'VESTIBULE_TEST_AXUM_LOGIN', settings: { CONFIRM_REDIRECT: '/arrive' } });

  test('who arrives is logged in to the shop, and out of it where they sign out', async ({ page }) => {
    await page.goto('/orders?page=2');
    await expect(page).toHaveURL(/\/auth\/login\?next=/);
    await page.goto('/auth/confirm/valid-1?next=%2Forders%3Fpage%3D2');
    await expect(page).toHaveURL('/orders?page=2');
    await expect(page.getByRole('heading')).toHaveText(/^Orders of ./);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page).toHaveURL(/\/auth\/login/);
    await page.goto('/orders');
    await expect(page).toHaveURL(/\/auth\/login\?next=/);
  });

  test('the next customer does not see the orders of the one before', async ({ page, context }) => {
    await page.goto('/auth/confirm/valid-3');
    await expect(page).toHaveURL('/orders');
    await expect(page.getByRole('heading')).toHaveText(/^Orders of ./);
    const before = await page.getByRole('heading').innerText();
    const cookies = await context.cookies();
    await page.goto('/auth/profile');
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect(page).toHaveURL(/\/auth\/login/);
    await page.goto('/auth/login?next=%2Forders');
    await page.getByLabel('E-mail address').fill('practice@example.com');
    await page.getByLabel('Password').fill('open-sesame-42');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page).toHaveURL('/orders');
    await expect(page.getByRole('heading')).not.toHaveText(before);
    // Nor does the cookie of the former login lead to the new one.
    const own = cookies.filter(({ name }) => !name.includes('vestibule'));
    expect(own).toHaveLength(1);
    await context.clearCookies();
    await context.addCookies(own);
    await page.goto('/orders');
    await expect(page).toHaveURL(/\/auth\/login\?next=/);
  });

  test('a link leads to no other host', async ({ page }) => {
    await page.goto('/auth/confirm/valid-2');
    await expect(page).toHaveURL('/orders');
    await page.goto('/arrive?next=//elsewhere.example/');
    await expect(page).toHaveURL('/orders');
  });
});

test.describe('examples/leptos-app', () => {
  test.use({
    example: 'VESTIBULE_TEST_SHOP',
    settings: {
      LEPTOS_OUTPUT_NAME: 'shop',
      LEPTOS_SITE_ROOT: process.env.VESTIBULE_TEST_SHOP_SITE,
    },
  });

  test('a coupon signs its customer in from a page of the shop, once', async ({ page, browser, baseURL }) => {
    const socket = page.waitForEvent('websocket');
    await page.goto('/welcome/coupon-of-ada');
    expect((await socket).url()).toMatch(/^ws:.*\/auth\/app\//);
    await expect(page).toHaveURL('/orders');
    await expect(page.getByRole('heading')).toHaveText('Orders of Ada');
    await expect(page.getByRole('listitem')).toHaveText('A difference engine, second hand');
    await page.goto('/welcome/coupon-of-ada');
    await expect(page, 'it leads where it has led').toHaveURL('/orders');
    const other = await browser.newPage({ baseURL });
    await other.goto('/welcome/coupon-of-ada');
    await expect(other).toHaveURL(/\/auth\/login\?reason=used/);
    await other.close();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await expect(page).toHaveURL(/\/auth\/login/);
    await page.goto('/orders');
    await expect(page.getByRole('link', { name: 'Sign in' })).toBeVisible();
  });

  test('the router of the shop comes to the page and leaves it', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('link', { name: "Eve's" }).click();
    await expect(page).toHaveURL(/\/auth\/login\?reason=invalid/);
    // Who leaves while the coupon is judged hears no more of it.
    await page.route('**/api/begin', () => {});
    const [socket] = await Promise.all([page.waitForEvent('websocket'), page.goto('/welcome/coupon-of-ada')]);
    await socket.waitForEvent('framereceived');
    await Promise.all([socket.waitForEvent('close'), page.getByRole('link', { name: 'Your orders' }).click()]);
    await expect(page).toHaveURL('/orders');
    await expect(page.getByRole('link', { name: 'Sign in' })).toBeVisible();
    // Who comes back finds the page as it is now.
    await page.unroute('**/api/begin');
    await page.goBack();
    await expect(page.getByRole('heading')).toHaveText('Orders of Ada');
  });

  test('without scripts a form of the page begins', async ({ browser, baseURL }) => {
    const page = await browser.newPage({ baseURL, javaScriptEnabled: false });
    await page.goto('/welcome/coupon-of-ada');
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(page).toHaveURL('/orders');
    await expect(page.getByRole('heading')).toHaveText('Orders of Ada');
    await page.close();
  });
});

test.describe('README.md', () => {
  test.use({ example: 'VESTIBULE_TEST_NEWCOMER', fixed: process.env.VESTIBULE_TEST_NEWCOMER_PORT });

  test('its program signs in with nothing but the packed crates', async ({ page, baseURL }) => {
    // It says nothing once it listens.
    await expect.poll(() => fetch(`${baseURL}/auth/healthz`).then(({ ok }) => ok, () => false), { timeout: 20_000 }).toBe(true);
    const client = page.waitForResponse(/\/auth\/pkg\/vestibule\.wasm/);
    await page.goto('/auth/confirm/coupon-of-ada?next=/orders');
    expect((await client).status(), 'its client is packed').toBe(200);
    await expect(page).toHaveURL('/orders');
    await expect(page.getByText('The orders of ada')).toBeVisible();
  });
});
