// Push is a hint and the database is the truth: whatever happens to the socket, the sign-in completes.

import { some } from '../support/console.js';
import { freePorts } from '@vestibule/playwright/program';
import { controlled as test, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import { expectProfile, expectWaiting, link, nothingIsDue, outcomeIsStored, requestsTo, say, status, stopClock } from '../support/pages.js';

const SOCKET = /\/app\//;
const eventOf = (frame) => JSON.parse(frame).event;

/** Passes the page's sockets on to the server; `heard` sees each frame on its way to the page, and the socket. */
async function tap(page, heard) {
  const sockets = [];
  await page.routeWebSocket(SOCKET, (socket) => {
    sockets.push(socket);
    const server = socket.connectToServer();
    server.onMessage((frame) => {
      socket.send(frame);
      heard?.(eventOf(frame), socket, JSON.parse(frame));
    });
  });
  return sockets;
}

test.describe('by polling alone', () => {
  test.use({ settings: { CONFIRM_POLL: '1s' } });

  test('a sign-in completes where the socket is refused from the start', async ({ page, validator }) => {
    await page.addInitScript(() => {
      window.WebSocket = class extends EventTarget {
        static CONNECTING = 0;
        readyState = 0;
        constructor() {
          super();
          queueMicrotask(() => {
            this.readyState = 3;
            this.dispatchEvent(new Event('error'));
            this.dispatchEvent(new CloseEvent('close', { code: 1006 }));
          });
        }
        close() {}
      };
    });
    await page.goto(link('refused'));
    const question = await validator.asked('refused');
    await expectWaiting(page);
    question.valid();
    await expectProfile(page, ADA.name);
  });

  test('a sign-in completes where the browser forbids sockets', async ({ page, validator }) => {
    await page.addInitScript(() => {
      window.WebSocket = class {
        constructor() {
          throw new DOMException('not here', 'SecurityError');
        }
      };
    });
    await page.goto(link('forbidden'));
    (await validator.asked('forbidden')).valid();
    await expectProfile(page, ADA.name);
  });

  test('a sign-in completes where the socket opens and the server stays silent', async ({ page, validator }) => {
    await page.routeWebSocket(SOCKET, () => {});
    await page.goto(link('silent'));
    const question = await validator.asked('silent');
    await expectWaiting(page);
    question.valid();
    await expectProfile(page, ADA.name);
  });

  test('a sign-in completes where the socket is cut in the middle and stays so', async ({ page, validator }) => {
    let opened = 0;
    let subscribed;
    const subscription = new Promise((resolve) => (subscribed = resolve));
    await page.routeWebSocket(SOCKET, (socket) => {
      opened += 1;
      if (opened > 1) return socket.close({ code: 1001 });
      socket.connectToServer().onMessage((frame) => {
        socket.send(frame);
        if (eventOf(frame) === 'pusher_internal:subscription_succeeded') subscribed(socket);
      });
    });
    await page.goto(link('cut'));
    const question = await validator.asked('cut');
    await (await subscription).close({ code: 1001 });
    await expect.poll(() => opened, 'it tries to connect again').toBeGreaterThan(1);
    await expectWaiting(page);
    question.valid();
    await expectProfile(page, ADA.name);
  });

  test('a sign-in completes where the subscription is never authorised', async ({ page, validator, expectConsole }) => {
    expectConsole(/^error: Failed to load resource: the server responded with a status of 403 \(Forbidden\) \(\/pusher\/auth\)$/);
    await page.route('**/pusher/auth', (route) => route.fulfill({ status: 403, body: '' }));
    await page.goto(link('unauthorised'));
    (await validator.asked('unauthorised')).valid();
    await expectProfile(page, ADA.name);
  });
});

test.describe('with a Pusher server that is away', () => {
  const POLL = 2_000;
  test.use({
    settings: async ({}, use) => {
      const [PUSHER_PORT] = (await freePorts(1)).map(String);
      const app = { PUSHER_APP_ID: '1', PUSHER_KEY: 'key', PUSHER_SECRET: 'secret' };
      await use({ ...app, PUSHER_HOST: '127.0.0.1', PUSHER_PORT, PUSHER_SCHEME: 'http', CONFIRM_POLL: `${POLL}ms` });
    },
  });

  const refused = /^error: WebSocket connection to '.*' failed: .*ERR_CONNECTION_REFUSED/;

  test('a page asks again within a poll and a second', async ({ page, validator, expectConsole }) => {
    expectConsole(...some(refused));
    await stopClock(page);
    await page.goto(link('away'));
    const question = await validator.asked('away');
    // It asks now and then whether its link is being checked; from then on, it waits for as long as it ever does.
    await expect(async () => {
      await page.clock.runFor(500);
      await expect(status(page)).toHaveText(say.contacting, { timeout: 500 });
    }).toPass();
    question.valid();
    await outcomeIsStored(page, 'away');
    await expect(page).toHaveURL(link('away'));
    await page.clock.runFor(POLL + 1_000);
    await expectProfile(page, ADA.name);
  });

  test('a page is told within a poll and a second, where the machine is not busy', async ({ validator, anotherBrowser, expectConsole }) => {
    expectConsole(refused, refused, refused, ...some(refused));
    const times = [];
    for (const number of [1, 2, 3]) {
      const page = await (await anotherBrowser()).newPage();
      const navigating = page.waitForRequest((request) => request.isNavigationRequest() && request.url().endsWith('/profile'));
      await page.goto(link(`away-${number}`));
      const question = await validator.asked(`away-${number}`);
      // It has just been told that there is nothing new yet, so it waits for as long as it ever does.
      await expect(status(page)).toHaveText(say.contacting);
      const answered = performance.now();
      question.valid();
      await navigating;
      times.push(performance.now() - answered);
      await expectProfile(page, ADA.name);
    }
    const longest = Math.max(...times);
    console.log(`figure: without a Pusher server, a page was told ${longest.toFixed(0)} ms after the validator answered, with a poll of ${POLL} ms`);
    // The figure is the measure. This only notices a page that was told by something slower than its poll.
    expect(longest).toBeLessThan(POLL + 10_000);
  });
});

test('an outcome is pushed: the page asks nothing more before it leaves', async ({ page, validator }) => {
  const questions = requestsTo(page, '/api/status');
  let askedBefore;
  await tap(page, (event) => {
    if (event === 'pusher_internal:subscription_succeeded') askedBefore = questions.length;
  });
  await page.goto(link('pushed'));
  const question = await validator.asked('pushed');
  await expect.poll(() => askedBefore).toBeDefined();
  // It asks for what it may have missed before the subscription, and until it knows that the validator is being asked.
  await nothingIsDue(questions, askedBefore);
  const before = questions.length;
  question.valid();
  await expectProfile(page, ADA.name);
  expect(questions).toHaveLength(before);
});

test('a verdict before the socket is open is not missed', async ({ page, validator }) => {
  let connect;
  await page.routeWebSocket(SOCKET, (socket) => {
    // What the page sends before this is kept for the server; what the server says comes only after it.
    connect = () => socket.connectToServer();
  });
  await page.goto(link('early'));
  const question = await validator.asked('early');
  // It was told so in an answer, so it asks nothing more by itself within a poll.
  await expect(status(page)).toHaveText(say.contacting);
  question.valid();
  await outcomeIsStored(page, 'early');
  await expect(page).toHaveURL(link('early'));
  connect();
  await expectProfile(page, ADA.name);
});

test('a verdict between the socket and its subscription is not missed', async ({ page, validator }) => {
  let authorise;
  const asked = new Promise((resolve) => {
    authorise = resolve;
  });
  await page.route('**/pusher/auth', (route) => authorise(route));
  await page.goto(link('between'));
  const question = await validator.asked('between');
  const route = await asked;
  await expect(status(page)).toHaveText(say.contacting);
  question.valid();
  await outcomeIsStored(page, 'between');
  await expect(page).toHaveURL(link('between'));
  await route.continue();
  await expectProfile(page, ADA.name);
});

test('a verdict while the socket was cut is not missed', async ({ page, validator }) => {
  const questions = requestsTo(page, '/api/status');
  const subscriptions = [];
  let reconnect, askedBefore;
  let opened = 0;
  await page.routeWebSocket(SOCKET, (socket) => {
    opened += 1;
    const connect = () =>
      socket.connectToServer().onMessage((frame) => {
        socket.send(frame);
        if (eventOf(frame) !== 'pusher_internal:subscription_succeeded') return;
        subscriptions.push(socket);
        askedBefore ??= questions.length;
      });
    if (opened === 1) connect();
    else reconnect = connect;
  });
  await page.goto(link('meanwhile'));
  const question = await validator.asked('meanwhile');
  await expect.poll(() => subscriptions.length).toBe(1);
  await nothingIsDue(questions, askedBefore);
  await subscriptions[0].close({ code: 1001 });
  await expect.poll(() => reconnect !== undefined).toBe(true);
  question.valid();
  await outcomeIsStored(page, 'meanwhile');
  await expect(page).toHaveURL(link('meanwhile'));
  reconnect();
  await expectProfile(page, ADA.name);
  expect(subscriptions).toHaveLength(2);
});

const forged = [
  'https://evil.example/',
  '//evil.example/profile',
  '/\\evil.example/profile',
  '/\t/evil.example/profile',
  'javascript:document.body.remove()',
  'profile',
  '',
];
for (const redirect of forged) {
  test(`a pushed redirect to ${JSON.stringify(redirect)} is ignored, and the server asked`, async ({ page, validator }) => {
    const questions = requestsTo(page, '/api/status');
    let channel, askedBefore;
    const sockets = await tap(page, (event, socket, frame) => {
      if (event === 'pusher_internal:subscription_succeeded') [channel, askedBefore] = [frame.channel, questions.length];
    });
    await page.goto(link('forged'));
    const question = await validator.asked('forged');
    await expect.poll(() => channel).toMatch(/^private-confirm-/);
    await nothingIsDue(questions, askedBefore);
    const before = questions.length;
    sockets[0].send(JSON.stringify({ event: 'outcome', channel, data: JSON.stringify({ outcome: 'confirmed', redirect }) }));
    await expect.poll(() => questions.length, 'the server is asked').toBe(before + 1);
    await (await questions.at(-1).response()).finished();
    await expect(page).toHaveURL(link('forged'));
    await expectWaiting(page);
    question.valid();
    await expectProfile(page, ADA.name);
  });
}

test('an outcome on another channel, and frames that make no sense, are ignored', async ({ page, validator }) => {
  let channel;
  const sockets = await tap(page, (event, socket, frame) => {
    if (event === 'pusher_internal:subscription_succeeded') channel = frame.channel;
  });
  await page.goto(link('noise'));
  const question = await validator.asked('noise');
  await expect.poll(() => channel).toMatch(/^private-confirm-/);
  const rejected = JSON.stringify({ outcome: 'rejected', reason: 'used', redirect: '/login?reason=used' });
  sockets[0].send(JSON.stringify({ event: 'outcome', channel: 'private-confirm-0', data: rejected }));
  for (const frame of ['', '{', 'null', '[]', '{"event":7}', '{"event":"outcome"}', JSON.stringify({ event: 'outcome', channel, data: 'x' })]) {
    sockets[0].send(frame);
  }
  sockets[0].send(JSON.stringify({ event: 'progress', channel, data: JSON.stringify({ step: 'retrying', attempt: 41 }) }));
  await expect(status(page)).toHaveText(/attempt 41|We are checking/);
  await expect(page).toHaveURL(link('noise'));
  question.valid();
  await expectProfile(page, ADA.name);
});
