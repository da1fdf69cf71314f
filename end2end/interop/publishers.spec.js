// The HTTP API of the embedded broker with the protocol makers' own libraries, which publish and ask.

import { expect } from '@playwright/test';
import { APP, api, embedded as test, hearing } from '../support/broker.js';
import { LIBRARIES, PYTHON } from '../support/publishers.js';

test.describe.configure({ mode: 'default' });

for (const [name, library] of Object.entries(LIBRARIES)) {
  test.describe(name, () => {
    test.skip(name.startsWith('PyPI') && !PYTHON, 'there is no Python with pusher');

    /** Makes these calls in the application's name, or with another setting, or with a wrong clock. */
    const ask = (broker, calls, settings = {}, skew = 0) => {
      const { host, port } = api(broker.server);
      return library({ app_id: APP.id, key: APP.key, secret: APP.secret, host, port: Number(port), ...settings }, calls, skew);
    };
    const trigger = (channels, name, data, more) => ['trigger', { channels, event_name: name, data, ...more }];

    test('publishes to several channels at once, and to all but one socket', async ({ broker }) => {
      const [client, other] = [await broker.connect(), await broker.connect()];
      const [one, two, three] = [
        await broker.subscribe(client, 'private-one'),
        await broker.subscribe(client, 'private-two_=@,.;2'),
        await broker.subscribe(other, 'private-one'),
      ].map(hearing);
      const data = { to: 'Grace “Amazing” Hopper ☂', 'a/b': ['&', '%', '\u0000'] };
      const answers = await ask(broker, [
        trigger(['private-one', 'private-two_=@,.;2'], 'both', data),
        trigger(['private-one'], 'others', 'plain text', { socket_id: client.connection.socket_id }),
        trigger(['private-one', 'private-two_=@,.;2'], 'last', []),
      ]);
      expect(answers).toEqual(Array(3).fill({ status: 200, body: {} }));
      await expect.poll(() => [one, two, three].map((heard) => heard.at(-1)?.[0])).toEqual(['last', 'last', 'last']);
      expect(one).toEqual([['both', data], ['last', []]]);
      expect(two).toEqual([['both', data], ['last', []]]);
      expect(three).toEqual([['both', data], ['others', 'plain text'], ['last', []]]);
    });

    test('publishes a batch, in its order and whole or not at all', async ({ broker }) => {
      const client = await broker.connect();
      const heard = hearing(await broker.subscribe(client, 'private-one'));
      const batch = Array.from({ length: 10 }, (_, n) => ({ channel: n % 2 ? 'private-one' : 'private-two', name: `event-${n}`, data: { n } }));
      const [whole, tooMany, wrong] = await ask(broker, [
        ['trigger_batch', { batch }],
        ['trigger_batch', { batch: [...batch, { channel: 'private-one', name: 'eleventh', data: {} }] }],
        ['trigger_batch', { batch: [batch[1], { channel: 'private-one', name: 'pusher:ping', data: {} }] }],
      ]);
      await ask(broker, [trigger(['private-one'], 'last', {})]);
      expect(whole).toEqual({ status: 200, body: {} });
      expect(tooMany).toEqual({ status: 400, body: 'a batch has 1 to 10 events' });
      expect(wrong).toMatchObject({ status: 400, body: expect.stringContaining('does not begin with pusher:') });
      await expect.poll(() => heard.at(-1)?.[0]).toBe('last');
      expect(heard.map(([event]) => event)).toEqual(['event-1', 'event-3', 'event-5', 'event-7', 'event-9', 'last']);
    });

    test('asks which channels there are, and about one', async ({ broker }) => {
      const [client, other] = [await broker.connect(), await broker.connect()];
      await broker.subscribe(client, 'private-room-1');
      await broker.subscribe(other, 'private-room-1');
      await broker.subscribe(client, 'private-room-2');
      const count = { attributes: ['subscription_count'] };
      const answers = await ask(broker, [
        ['channels_info', {}],
        ['channels_info', { prefix_filter: 'private-room-2', ...count }],
        ['channels_info', { prefix_filter: 'none-' }],
        ['channel_info', { channel: 'private-room-1', ...count }],
        ['channel_info', { channel: 'private-room-2' }],
        ['channel_info', { channel: 'empty', ...count }],
      ]);
      expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
      expect(answers.map(({ body }) => body)).toEqual([
        { channels: { 'private-room-1': {}, 'private-room-2': {} } },
        { channels: { 'private-room-2': { subscription_count: 1 } } },
        { channels: {} },
        { occupied: true, subscription_count: 2 },
        { occupied: true },
        { occupied: false, subscription_count: 0 },
      ]);
    });

    test('under another name, key or secret is refused', async ({ broker }) => {
      const heard = hearing(await broker.subscribe(await broker.connect(), 'private-one'));
      const calls = Array(5).fill([trigger(['private-one'], 'forged', {}), ['channels_info', {}], ['trigger_batch', { batch: [] }]]).flat();
      for (const [settings, status, why] of [
        [{ secret: 'another' }, 401, 'auth_signature is wrong'],
        [{ key: 'another' }, 401, 'unknown auth_key'],
        [{ app_id: '4712' }, 404, 'unknown application'],
      ]) {
        const refused = { status, body: expect.stringContaining(why) };
        // PyPI's library keeps its connection, so it is not to be closed by a refusal.
        expect(await ask(broker, calls, settings)).toEqual(calls.map(() => refused));
      }
      await ask(broker, [trigger(['private-one'], 'last', {})]);
      await expect.poll(() => heard).toEqual([['last', {}]]);
    });

    test('with a clock that is wrong is refused after ten minutes', async ({ broker }) => {
      for (const skew of [-590, 590]) {
        expect(await ask(broker, [['channels_info', {}]], {}, skew)).toMatchObject([{ status: 200 }]);
      }
      for (const skew of [-610, 610]) {
        const body = "auth_timestamp is not within 600 seconds of the server's time";
        expect(await ask(broker, [['channels_info', {}], trigger(['private-one'], 'late', {})], {}, skew)).toEqual([
          { status: 401, body },
          { status: 401, body },
        ]);
      }
    });

    test('with more than 10 KB of data is refused', async ({ broker }) => {
      const heard = hearing(await broker.subscribe(await broker.connect(), 'private-one'));
      // Each character is two bytes, and six where JSON writes it without Unicode.
      const largest = 'ü'.repeat(5 * 1024);
      const answers = await ask(broker, [trigger(['private-one'], 'largest', largest), trigger(['private-one'], 'larger', `${largest}.`)]);
      expect(answers).toEqual([
        { status: 200, body: {} },
        { status: 413, body: 'the data of an event is larger than 10 KB' },
      ]);
      await ask(broker, [trigger(['private-one'], 'last', {})]);
      await expect.poll(() => heard).toEqual([['largest', largest], ['last', {}]]);
    });

    test('is told clearly what this broker does not have', async ({ broker }) => {
      const answers = await ask(broker, [
        trigger(['presence-room'], 'news', {}),
        trigger(['private-cache-room'], 'news', {}),
        ['channel_info', { channel: 'room', attributes: ['user_count'] }],
        ['users_info', { channel: 'presence-room' }],
      ]);
      expect(answers).toEqual([
        { status: 400, body: 'presence, encrypted and cache channels are not supported' },
        { status: 400, body: 'presence, encrypted and cache channels are not supported' },
        { status: 400, body: 'the only info there is here is subscription_count' },
        { status: 400, body: expect.any(String) },
      ]);
    });
  });
}
