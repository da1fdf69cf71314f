// Half a page is a page too: a part that does not arrive leaves the plain form, which works.

import { perhaps, some } from '../support/console.js';
import { controlled as test, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import { button, expectProfile, expectWaiting, link, say, status } from '../support/pages.js';

async function signInByForm(page, validator, token) {
  await expect(status(page)).toHaveText(say.ready);
  await button(page, 'Continue').click();
  await expect(page).toHaveURL(`${link(token)}/wait`);
  (await validator.asked(token)).valid();
  await expectProfile(page, ADA.name);
}

test('a page whose wasm is blocked signs in by its form', async ({ page, validator, expectConsole }) => {
  expectConsole(/^error: Failed to load resource: net::ERR_FAILED \(\/pkg\/.*\.wasm\)$/, /^uncaught: Failed to fetch$/);
  const blocked = page.waitForEvent('requestfailed', (request) => request.url().endsWith('.wasm'));
  await page.route('**/pkg/*.wasm', (route) => route.abort());
  await page.goto(link('no-wasm'));
  await blocked;
  await signInByForm(page, validator, 'no-wasm');
});

test('a page whose wasm is broken signs in by its form', async ({ page, validator, expectConsole }) => {
  expectConsole(/^uncaught: WebAssembly\..*$/);
  const uncaught = page.waitForEvent('pageerror');
  await page.route('**/pkg/*.wasm', (route) => route.fulfill({ contentType: 'application/wasm', body: 'not wasm' }));
  await page.goto(link('bad-wasm'));
  await uncaught;
  await signInByForm(page, validator, 'bad-wasm');
});

test('a page whose scripts are blocked signs in by its form', async ({ page, validator, expectConsole }) => {
  // For the preload, and for the import if it does not find the preload still under way.
  const failed = /^error: Failed to load resource: net::ERR_FAILED \(\/pkg\/.*\.js\)$/;
  expectConsole(
    failed,
    perhaps(failed),
    /^uncaught: Failed to fetch dynamically imported module: .*$/,
  );
  const blocked = page.waitForEvent('requestfailed', (request) => request.url().endsWith('.js'));
  await page.route('**/pkg/*.js', (route) => route.abort());
  await page.goto(link('no-script'));
  await blocked;
  await signInByForm(page, validator, 'no-script');
});

test('a page whose style sheet is blocked signs in by itself', async ({ page, validator, expectConsole }) => {
  // On the profile as well: a route that ends on the way may take the page's other requests with it.
  const failed = /^error: Failed to load resource: net::ERR_FAILED \(\/pkg\/.*\.css\)$/;
  expectConsole(failed, ...some(failed));
  await page.route('**/pkg/*.css', (route) => route.abort());
  await page.goto(link('no-style'));
  const question = await validator.asked('no-style');
  await expectWaiting(page);
  question.valid();
  await expectProfile(page, ADA.name);
});

test('the form may be sent while the island is still on its way', async ({ page, validator }) => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route('**/pkg/*.wasm', async (route) => {
    await held;
    // The page that asked has gone by now.
    await route.abort().catch(() => {});
  });
  await page.goto(link('impatient'), { waitUntil: 'commit' });
  await signInByForm(page, validator, 'impatient');
  release();
});
