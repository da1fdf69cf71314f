// Browsers as they really behave: they sleep, keep pages for later, lose their network, and find other people's networks.
// The page always ends in the right place, and says what it is doing.

import { controlled, expect } from '../support/test.js';
import { chromium } from '../support/chromium.js';
import { some } from '../support/console.js';
import { Network } from '../support/network.js';
import { ADA } from '../support/validator.js';
import { expectLogin, expectProfile, expectWaiting, hold, link, outcomeIsStored, say, status, subscription } from '../support/pages.js';

const test = controlled.extend({
  network: async ({ server }, use) => {
    const network = await Network.to(server);
    await use(network);
    await network.cut();
  },
  /** The browser finds the server through the network. */
  baseURL: async ({ network }, use) => use(network.url),
});

// Playwright switches off what every browser has.
test.use({ launchOptions: { ...chromium, ignoreDefaultArgs: ['--disable-back-forward-cache'] } });

const lost = some(/^error: (Failed to load resource: net::ERR_|WebSocket connection to )/);

/** Opens a link and waits until its page has everything that it wants. */
async function openAndListen(page, validator, token) {
  const subscribed = subscription(page);
  await page.goto(link(token));
  const question = await validator.asked(token);
  await subscribed;
  await expect(status(page)).toHaveText(say.contacting);
  return question;
}

test('a network that goes and comes back: the page says so, and finishes', async ({ page, context, validator, network, expectConsole }) => {
  expectConsole(...lost);
  const question = await openAndListen(page, validator, 'tunnel');
  await network.cut();
  await context.setOffline(true);
  question.valid();
  await context.setOffline(false);
  await expect(status(page)).toHaveText(say.interrupted);
  await network.mend();
  await expectProfile(page, ADA.name);
});

test('a page opened without a network begins once there is one', async ({ page, validator, network, expectConsole }) => {
  expectConsole(...lost);
  const { held } = await hold(page, '**/api/begin');
  await page.goto(link('lift'));
  const begin = await held;
  await network.cut();
  await begin.continue();
  await expect(status(page)).toHaveText(say.interrupted);
  expect(validator.count()).toBe(0);
  await network.mend();
  (await validator.asked('lift')).valid();
  await expectProfile(page, ADA.name);
});

test('a captive portal that answers everything is taken for no answer', async ({ page, context, validator, network, expectConsole }) => {
  expectConsole(...lost);
  const question = await openAndListen(page, validator, 'hotel');
  await network.cut();
  network.portal = true;
  await network.mend();
  question.valid();
  // What a phone does when it changes its network.
  await context.setOffline(true);
  await context.setOffline(false);
  await expect(status(page)).toHaveText(say.interrupted);
  await expect(page).toHaveURL(link('hotel'));
  network.portal = false;
  await expectProfile(page, ADA.name);
});

test.describe('behind a proxy that lets no socket through', () => {
  test.use({ settings: { CONFIRM_POLL: '1s' } });

  test('a sign-in completes by asking', async ({ page, validator, network, expectConsole }) => {
    expectConsole(...lost);
    network.refusesSockets = true;
    await page.goto(link('office'));
    const question = await validator.asked('office');
    await expectWaiting(page);
    question.valid();
    await expectProfile(page, ADA.name);
  });
});

test('a laptop that slept for hours beside a socket that died unheard finishes', async ({ page, validator }) => {
  await page.clock.install();
  let dead = false;
  const opened = [];
  await page.routeWebSocket(/\/app\//, (socket) => {
    opened.push(socket);
    const server = socket.connectToServer();
    const silent = opened.length === 1;
    server.onMessage((frame) => (silent && dead ? undefined : socket.send(frame)));
    socket.onMessage((frame) => (silent && dead ? undefined : server.send(frame)));
  });
  const question = await openAndListen(page, validator, 'asleep');
  dead = true;
  question.valid();
  await outcomeIsStored(page, 'asleep');
  await page.clock.fastForward('08:00:00');
  await expectProfile(page, ADA.name);
});

test('a server that is restarted finds its pages again, and they their outcome', async ({ page, validator, server, expectConsole }) => {
  expectConsole(...lost);
  const question = await openAndListen(page, validator, 'restarted');
  question.busy(2);
  await expect(status(page)).toHaveText(say.retrying(2));
  const again = subscription(page);
  await server.restart();
  await again;
  await expectWaiting(page);
  (await validator.asked('restarted', 2)).valid();
  await expectProfile(page, ADA.name);
});

test('a tab that the browser has frozen finishes when it is thawed', async ({ page, context, validator, network, expectConsole }) => {
  expectConsole(...lost);
  const question = await openAndListen(page, validator, 'frozen');
  const browser = await context.newCDPSession(page);
  await browser.send('Page.setWebLifecycleState', { state: 'frozen' });
  // Nothing of the page runs now, so it hears neither the end of its socket nor its outcome.
  await network.cut();
  await network.mend();
  question.valid();
  await browser.send('Page.setWebLifecycleState', { state: 'active' });
  await expectProfile(page, ADA.name);
});

test('a page that is taken out of the back-forward cache asks what it has missed', async ({ page, network, validator }) => {
  // Chromium keeps no page that says `no-store`; Safari does.
  network.dropsHeader = 'cache-control';
  const question = await openAndListen(page, validator, 'kept');
  await page.evaluate(() => {
    window.addEventListener('pageshow', ({ persisted }) => sessionStorage.setItem('persisted', persisted));
  });
  await page.getByRole('link', { name: 'Sign in with a password instead' }).click();
  await expectLogin(page);
  question.valid();
  await page.goBack();
  await expectProfile(page, ADA.name);
  expect(await page.evaluate(() => sessionStorage.getItem('persisted')), 'the browser had kept it').toBe('true');
});
