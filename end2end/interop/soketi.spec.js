// Our publisher and our page with Soketi between them.

import { controlled, expect } from '../support/test.js';
import { perhaps, some } from '../support/console.js';
import { SOKETI, soketi } from '../support/soketi.js';
import { ADA } from '../support/validator.js';
import {
  countedAtSubscription, expectLogin, expectProfile, expectWaiting, link, nothingIsDue, requestsTo, say, status,
} from '../support/pages.js';

const test = controlled.extend({
  soketi,
  own: [{}, { option: true }],
  settings: async ({ soketi, own }, use) => use({ ...soketi.settings, ...own }),
});

test.skip(!SOKETI, 'there is no Soketi');
// One after the other, with the same Soketi.
test.describe.configure({ mode: 'default' });

/** What the page's sockets have heard, each frame with its socket's address. */
function frames(page) {
  const heard = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => heard.push({ url: socket.url(), ...JSON.parse(payload) })),
  );
  const named = (name) => heard.filter(({ event }) => event === name);
  const until = (name, count = 1) => expect.poll(() => named(name).length, name).toBe(count);
  return { named, until };
}

/** Opens a link and waits until nothing is left that the page would ask by itself; returns the validator's question. */
async function opened(page, validator, token) {
  const heard = frames(page);
  const asked = requestsTo(page, '/api/status');
  const askedBefore = countedAtSubscription(page, asked);
  await page.goto(link(token));
  const question = await validator.asked(token);
  await heard.until('pusher_internal:subscription_succeeded');
  await nothingIsDue(asked, await askedBefore);
  return { question, heard, asked, before: asked.length };
}

test('an outcome is pushed, and the page leaves without asking', async ({ page, soketi, validator }) => {
  const { question, heard, asked, before } = await opened(page, validator, 'pushed');
  question.valid();
  await expectProfile(page, ADA.name);
  expect(asked).toHaveLength(before);
  const [outcome, ...more] = heard.named('outcome');
  expect(JSON.parse(outcome.data)).toEqual({ outcome: 'confirmed', redirect: '/profile' });
  expect(outcome.url).toMatch(`${soketi.origin}/app/${soketi.app.key}?protocol=7`);
  expect(more).toEqual([]);
});

test('a rejection is pushed', async ({ page, validator }) => {
  const { question, asked, before } = await opened(page, validator, 'bad');
  question.invalid('expired');
  await expectLogin(page, 'expired');
  expect(asked).toHaveLength(before);
});

test('each further attempt is pushed', async ({ page, validator }) => {
  const { question, asked, before } = await opened(page, validator, 'halting');
  question.busy(0);
  await expect(status(page)).toHaveText(say.retrying(2));
  (await validator.asked('halting', 2)).drop();
  await expect(status(page)).toHaveText(say.retrying(3));
  (await validator.asked('halting', 3)).valid();
  await expectProfile(page, ADA.name);
  expect(asked).toHaveLength(before);
});

test('two pages hear their own outcome alone', async ({ page, validator, anotherBrowser }) => {
  const other = await (await anotherBrowser()).newPage();
  const first = await opened(page, validator, 'hers');
  const second = await opened(other, validator, 'theirs');
  first.question.valid();
  await expectProfile(page, ADA.name);
  await expectWaiting(other);
  second.question.invalid('used');
  await expectLogin(other, 'used');
  expect(first.heard.named('outcome')).toHaveLength(1);
  expect(second.heard.named('outcome')).toHaveLength(1);
});

test.describe('under a wrong secret', () => {
  test.use({ own: { PUSHER_SECRET: 'another', CONFIRM_POLL: '1s' } });

  test('the subscription is refused, and the sign-in completes by polling', async ({ page, validator }) => {
    const heard = frames(page);
    await page.goto(link('unsigned'));
    const question = await validator.asked('unsigned');
    await heard.until('pusher:subscription_error');
    await expectWaiting(page);
    question.valid();
    await expectProfile(page, ADA.name);
    expect(heard.named('pusher_internal:subscription_succeeded')).toEqual([]);
  });
});

const disconnected = /^error: WebSocket connection to 'ws:.*' failed: .*ERR_CONNECTION_(REFUSED|RESET)/;

for (const [signal, how] of [['SIGKILL', 'is killed'], ['SIGTERM', 'is told to end']]) {
  test.describe(`while Soketi ${how} and comes back`, () => {
    test.beforeEach(({ expectConsole }) => expectConsole(...some(disconnected)));

    test('the page subscribes again, and the outcome is pushed', async ({ page, soketi, validator }) => {
      const { question, heard, asked } = await opened(page, validator, 'restarted');
      const askedBefore = countedAtSubscription(page, asked);
      await soketi.end(signal);
      await soketi.run();
      await heard.until('pusher_internal:subscription_succeeded', 2);
      // It asks what it has missed.
      await nothingIsDue(asked, await askedBefore);
      const before = asked.length;
      question.valid();
      await expectProfile(page, ADA.name);
      expect(asked).toHaveLength(before);
    });

    test('an outcome that could not be pushed meanwhile reaches the page', async ({ page, soketi, server, validator }) => {
      const { question } = await opened(page, validator, 'meanwhile');
      await soketi.end(signal);
      question.valid();
      await expect.poll(() => server.log, 'the operator is told').toContain('the Pusher server cannot be reached');
      await expectWaiting(page);
      await soketi.run();
      // It asks as soon as it has subscribed, and the queue pushes once more; either may come first.
      await expectProfile(page, ADA.name);
    });
  });
}

test.describe('under a public name', () => {
  test.use({ own: { PUSHER_PUBLIC_HOST: 'localhost' } });

  test('browsers connect to that, and the policy lets them', async ({ page, soketi, validator }) => {
    const { question, heard } = await opened(page, validator, 'public');
    question.valid();
    await expectProfile(page, ADA.name);
    expect(heard.named('outcome')[0].url).toContain(`ws://localhost:${soketi.port}/app/`);
  });
});

test('the policy lets the page connect to Soketi and to nothing else', async ({ page, soketi, validator, expectConsole }) => {
  const violates = /^error: Connecting to .* violates the following Content Security Policy/;
  expectConsole(violates, violates, violates, perhaps(/^error: Fetch API cannot load/));
  const document = page.waitForResponse((response) => response.request().isNavigationRequest());
  const { question } = await opened(page, validator, 'policy');
  const policy = (await document).headers()['content-security-policy'];
  expect(/connect-src ([^;]*);/.exec(policy)[1]).toBe(`'self' ${soketi.origin}`);
  const tried = await page.evaluate(async (port) => {
    const refusal = () =>
      new Promise((resolve) => {
        document.addEventListener('securitypolicyviolation', ({ blockedURI }) => resolve(`refused ${blockedURI}`), { once: true });
      });
    const socket = (url) => Promise.race([refusal(), new Promise((resolve) => (new WebSocket(url).onopen = () => resolve('open')))]);
    return [
      await socket(`ws://127.0.0.1:${port}/app/another`),
      await socket(`ws://127.0.0.1:${port + 1}/`),
      await socket(`ws://localhost:${port}/`),
      await Promise.race([refusal(), fetch(`http://127.0.0.1:${port + 1}/`).catch(refusal)]),
    ];
  }, soketi.port);
  expect(tried).toEqual([
    'open',
    `refused ws://127.0.0.1:${soketi.port + 1}/`,
    `refused ws://localhost:${soketi.port}/`,
    `refused http://127.0.0.1:${soketi.port + 1}/`,
  ]);
  question.valid();
  await expectProfile(page, ADA.name);
});
