// The embedded broker with pusher-js, the protocol makers' own client: its build for Node, and in Chromium.

import { createRequire } from 'node:module';
import { APP, SETTINGS, embedded as test, hearing, next } from '../support/broker.js';
import { controlled, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import { expectProfile, link } from '../support/pages.js';

const inBrowser = createRequire(import.meta.url).resolve('pusher-js/dist/web/pusher.js');

test.describe.configure({ mode: 'default' });

test.describe('in Node', () => {
  test('an event reaches only the subscribers', async ({ broker }) => {
    const [first, second] = [await broker.connect(), await broker.connect()];
    const [news, hers] = [await broker.subscribe(first, 'private-news'), await broker.subscribe(first, 'private-hers')];
    const all = [hearing(news), hearing(hers), hearing(await broker.subscribe(second, 'private-news'))];
    const publisher = broker.publisher();
    await publisher.trigger('private-hers', 'told', { to: 'Grace “Amazing” Hopper ☂' });
    await publisher.trigger('private-news', 'last', {});
    await expect.poll(() => all.map((heard) => heard.at(-1)?.[0])).toEqual(['last', 'told', 'last']);
    expect(all).toEqual([[['last', {}]], [['told', { to: 'Grace “Amazing” Hopper ☂' }]], [['last', {}]]]);
  });

  test('the publisher itself is left out if it says which socket is its own', async ({ broker }) => {
    const [first, second] = [await broker.connect(), await broker.connect()];
    const [own, other] = [await broker.subscribe(first, 'private-news'), await broker.subscribe(second, 'private-news')].map(hearing);
    const publisher = broker.publisher();
    await publisher.trigger('private-news', 'said', {}, { socket_id: first.connection.socket_id });
    await publisher.trigger('private-news', 'last', {});
    await expect.poll(() => [own, other].map((heard) => heard.map(([name]) => name))).toEqual([['last'], ['said', 'last']]);
  });

  test('nothing is kept for those who come later', async ({ broker }) => {
    const publisher = broker.publisher();
    await publisher.trigger('private-late', 'early', {});
    const client = await broker.connect();
    const heard = hearing(await broker.subscribe(client, 'private-late'));
    await publisher.trigger('private-late', 'last', {});
    await expect.poll(() => heard).toEqual([['last', {}]]);
  });

  test('a client that unsubscribes hears no more, and may come back', async ({ broker }) => {
    const client = await broker.connect();
    const [left, kept] = [await broker.subscribe(client, 'private-left'), await broker.subscribe(client, 'private-kept')];
    const [fromLeft, fromKept] = [hearing(left), hearing(kept)];
    const publisher = broker.publisher();
    client.unsubscribe('private-left');
    await expect.poll(() => broker.subscribers('private-left')).toBe(0);
    await publisher.trigger('private-left', 'missed', {});
    await publisher.trigger('private-kept', 'last', {});
    await expect.poll(() => fromKept).toEqual([['last', {}]]);
    expect(fromLeft).toEqual([]);
    const again = await broker.subscribe(client, 'private-left');
    const event = next(again, 'heard');
    await publisher.trigger('private-left', 'heard', 7);
    expect(await event).toBe(7);
  });

  test('a wrong signature is a subscription error, and the socket stays', async ({ broker }) => {
    const signatures = [`${APP.key}:${'0'.repeat(64)}`, 'another', ''];
    const customHandler = ({ socketId, channelName }, done) => {
      const right = broker.publisher().authorizeChannel(socketId, channelName).auth;
      done(null, { auth: signatures.length ? signatures.pop() : right });
    };
    const client = await broker.connect({ channelAuthorization: { customHandler } });
    for (const channel of ['private-a', 'private-b', 'private-c']) {
      const error = await next(client.subscribe(channel), 'pusher:subscription_error');
      expect(error).toMatchObject({ type: 'AuthError', status: 401, error: 'the auth value is missing or wrong' });
    }
    const event = next(await broker.subscribe(client, 'private-news'), 'heard');
    await broker.publisher().trigger('private-news', 'heard', {});
    await event;
  });

  test('for a program, our own address signs nothing', async ({ broker }) => {
    const channelAuthorization = { endpoint: `${broker.server.url}/pusher/auth`, params: { token: 'valid' } };
    const client = await broker.connect({ channelAuthorization });
    const error = await next(client.subscribe('private-confirm-0123456789abcdef'), 'pusher:subscription_error');
    expect(error).toMatchObject({ type: 'AuthError', status: 403 });
  });

  for (const channel of ['presence-room', 'private-encrypted-room', 'cache-news', 'private-cache-news']) {
    test(`${channel} is refused by an error that says why`, async ({ broker }) => {
      const customHandler = ({ socketId, channelName }, done) => {
        const { auth } = broker.publisher().authorizeChannel(socketId, channelName.replace('encrypted-', ''));
        done(null, { auth, channel_data: '{"user_id":"1"}', shared_secret: Buffer.alloc(32).toString('base64') });
      };
      const client = await broker.connect({ channelAuthorization: { customHandler } });
      const error = await next(client.subscribe(channel), 'pusher:subscription_error');
      const message = 'presence, encrypted and cache channels are not supported';
      expect(error).toMatchObject({ type: 'NotSupported', status: 501, error: message });
      expect(client.connection.state).toBe('connected');
    });
  }

  test('events of clients are refused by an error that says why', async ({ broker }) => {
    const client = await broker.connect();
    const other = hearing(await broker.subscribe(await broker.connect(), 'private-room'));
    const room = await broker.subscribe(client, 'private-room');
    const error = next(client.connection, 'error');
    room.trigger('client-typing', { who: 'Ada' });
    expect(await error).toEqual({ type: 'PusherError', data: { code: 4301, message: 'client events are not supported' } });
    await broker.publisher().trigger('private-room', 'last', {});
    await expect.poll(() => other).toEqual([['last', {}]]);
  });

  test('a message that is too large ends the socket, and pusher-js comes back after a second', async ({ broker }) => {
    const client = await broker.connect();
    const heard = hearing(await broker.subscribe(client, 'private-news'));
    const { socket_id: before } = client.connection;
    const [error, wait, back] = ['error', 'connecting_in', 'connected'].map((name) => next(client.connection, name));
    client.connection.send_event('pusher:subscribe', { channel: 'x'.repeat(20 * 1024) });
    expect(await error).toMatchObject({ type: 'PusherError', data: { code: 1009, message: 'message too large' } });
    expect(await wait).toBe(1);
    expect((await back).socket_id).not.toBe(before);
    await expect.poll(() => heard.map(([name]) => name)).toEqual(['pusher:subscription_succeeded']);
  });

  for (const [what, options, code, message] of [
    ['an unknown key', { key: 'unknown' }, 4001, 'application does not exist'],
    ['another site', { origin: 'https://evil.example' }, 4009, 'this origin may not connect'],
    ['a program that is no page', { origin: null }, 4009, 'this origin may not connect'],
  ]) {
    test(`${what} is turned away for good`, async ({ broker }) => {
      const before = broker.opened;
      const client = broker.open(options);
      const [error, end] = ['error', 'disconnected'].map((name) => next(client.connection, name));
      expect(await error).toEqual({ type: 'WebSocketError', error: { type: 'PusherError', data: { code, message } } });
      await end;
      // No timer that would open another is left in it.
      expect(client.connection.retryTimer ?? null).toBeNull();
      expect(client.connection).toMatchObject({ state: 'disconnected', connection: null, runner: null });
      expect(broker.opened - before).toBe(1);
    });
  }

  test('a reader that is too slow is told to come back after a while, and hears again', async ({ broker }) => {
    const client = await broker.connect();
    const { stream } = broker;
    const news = await broker.subscribe(client, 'private-news');
    const heard = hearing(news);
    const publisher = broker.publisher();
    const [error, wait, back] = ['error', 'connecting_in', 'connected'].map((name) => next(client.connection, name));
    stream.pause();
    const batch = Array.from({ length: 10 }, () => ({ channel: 'private-news', name: 'flood', data: 'x'.repeat(10_000) }));
    // More than the kernel's buffers take for both sides.
    while ((await broker.subscribers('private-news')) > 0) await publisher.triggerBatch(batch);
    stream.resume();
    expect(await error).toMatchObject({ data: { code: 4100 } });
    expect(await wait).toBe(1);
    await back;
    await expect.poll(() => heard.at(-1)[0]).toBe('pusher:subscription_succeeded');
    await publisher.trigger('private-news', 'last', {});
    await expect.poll(() => heard.at(-1)[0]).toBe('last');
  });

  test('a silent server is asked whether it is there, and says so', async ({ broker }) => {
    const client = await broker.connect({ activityTimeout: 100, pongTimeout: 5_000 });
    const pongs = [];
    client.connection.bind('message', ({ event }) => pongs.push(event));
    const { socket_id: id } = client.connection;
    await expect.poll(() => pongs.length).toBeGreaterThan(2);
    expect(new Set(pongs)).toEqual(new Set(['pusher:pong']));
    expect(client.connection.socket_id).toBe(id);
  });

  test('how long silence may last is what the server says', async ({ broker }) => {
    const client = await broker.connect({ activityTimeout: 3_600_000 });
    expect(client.connection.activityTimeout).toBe(120_000);
  });

  test('after a restart it is there again by itself', async ({ broker }, testInfo) => {
    const client = await broker.connect();
    const heard = hearing(await broker.subscribe(client, 'private-news'));
    const [error, again, back] = ['error', 'connecting', 'connected'].map((name) => next(client.connection, name));
    const start = performance.now();
    await broker.server.restart();
    const restarted = performance.now();
    expect(await error).toEqual({ type: 'PusherError', data: { code: 4200, message: 'reconnect immediately' } });
    await again;
    await back;
    // It tries at once, while nothing listens, and has its own timeout of 15 seconds for a server it cannot reach.
    const [took, away] = [performance.now() - start, restarted - start].map(Math.round);
    testInfo.annotations.push({ type: 'time', description: `the server was away for ${away} ms, pusher-js for ${took} ms` });
    await expect.poll(() => heard).toEqual([['pusher:subscription_succeeded', {}]]);
    await broker.publisher().trigger('private-news', 'last', {});
    await expect.poll(() => heard.at(-1)[0]).toBe('last');
  });
});

controlled.describe('in Chromium', () => {
  controlled.use({ settings: SETTINGS });

  /** Opens a page of ours with pusher-js in it, which asks our own address for signatures in the name of this link. */
  async function withPusherJs(context, token) {
    const page = await context.newPage();
    await page.addInitScript({ path: inBrowser });
    await page.goto('/login');
    await page.evaluate((params) => {
      window.connect = (key) =>
        new window.Pusher(key, {
          cluster: 'none',
          wsHost: location.hostname,
          wsPort: location.port,
          forceTLS: false,
          enabledTransports: ['ws'],
          channelAuthorization: { endpoint: '/pusher/auth', params },
        });
    }, { token });
    return page;
  }

  controlled('the outcome of a sign-in is heard where its cookie is', async ({ page, context, validator }) => {
    const begun = page.waitForResponse('**/api/begin');
    await page.goto(link('heard'));
    const { channel } = await (await begun).json();
    const question = await validator.asked('heard');
    const tab = await withPusherJs(context, 'heard');
    await tab.evaluate(([key, name]) => {
      const subscription = window.connect(key).subscribe(name);
      window.outcome = new Promise((resolve) => subscription.bind('outcome', resolve));
      return new Promise((resolve) => subscription.bind('pusher:subscription_succeeded', resolve));
    }, [APP.key, channel]);
    question.valid();
    expect(await tab.evaluate(() => window.outcome)).toEqual({ outcome: 'confirmed', redirect: '/profile' });
    await expectProfile(page, ADA.name);
  });

  controlled('no other browser is let on to its channel, with or without a cookie of its own', async ({ page, validator, anotherBrowser, expectConsole }) => {
    const refused = /^error: Failed to load resource: the server responded with a status of 403 \(Forbidden\) \(\/pusher\/auth\)$/;
    expectConsole(refused, refused);
    const begun = page.waitForResponse('**/api/begin');
    await page.goto(link('hers'));
    const { channel } = await (await begun).json();
    const question = await validator.asked('hers');
    const other = await anotherBrowser();
    await (await other.newPage()).goto(link('theirs'));
    for (const token of ['hers', 'theirs']) {
      const tab = await withPusherJs(other, token);
      const error = await tab.evaluate(([key, name]) => {
        const subscription = window.connect(key).subscribe(name);
        return new Promise((resolve) => subscription.bind('pusher:subscription_error', resolve));
      }, [APP.key, channel]);
      expect(error, token).toMatchObject({ type: 'AuthError', status: 403 });
    }
    question.valid();
    await expectProfile(page, ADA.name);
  });

  controlled('an unknown key is turned away for good', async ({ context }) => {
    const page = await withPusherJs(context, 'any');
    const ended = await page.evaluate(() => {
      const { connection } = window.connect('unknown');
      const errors = [];
      connection.bind('error', ({ error }) => errors.push(error.data));
      return new Promise((resolve) => connection.bind('disconnected', () => resolve(errors)));
    });
    expect(ended).toEqual([{ code: 4001, message: 'application does not exist' }]);
  });
});
