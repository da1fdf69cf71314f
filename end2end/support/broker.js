// Our server with its embedded broker, and the protocol makers' own libraries on both sides of it.

import { test as base, expect } from '@playwright/test';
import Publisher from 'pusher';
import Pusher from 'pusher-js';
import { freePorts } from '@vestibule/playwright/program';
import { Server } from './server.js';

export const APP = { id: '4711', key: 'the-key', secret: 'the-secret' };

/** Settings that give a server's broker a known application, and make the server log where it takes events. */
export const SETTINGS = {
  PUSHER_APP_ID: APP.id,
  PUSHER_KEY: APP.key,
  PUSHER_SECRET: APP.secret,
  RUST_LOG: 'info,vestibule_server::startup::push=debug',
};

const TAKES_EVENTS = /the embedded broker takes events at http:\/\/(\S+):(\d+)/g;

/** Where the broker of a server takes events. */
export function api(server) {
  const [, host, port] = [...server.log.matchAll(TAKES_EVENTS)].at(-1);
  return { host, port };
}

// The `Origin` of our pages; null: none, like programs.
let origin = null;
// The sockets that pusher-js has opened, the latest at the end.
const sockets = [];
Pusher.Runtime.createWebSocket = function createWebSocket(url) {
  const socket = new (this.getWebSocketAPI())(url, [], { headers: origin ? { Origin: origin } : {} });
  sockets.push(socket);
  return socket;
};

/** The next event of this name; must be called before the event can come. */
export const next = (target, name) =>
  new Promise((resolve) => {
    const take = (data) => {
      target.unbind(name, take);
      resolve(data);
    };
    target.bind(name, take);
  });

class Broker {
  clients = [];

  static async start() {
    const broker = new Broker();
    const [port] = await freePorts(1);
    broker.server = await Server.start({ ...SETTINGS, LEPTOS_SITE_ADDR: `127.0.0.1:${port}` });
    return broker;
  }

  async stop() {
    return this.server.stop();
  }

  /** npm's `pusher`, which publishes. */
  publisher(options) {
    const { host, port } = api(this.server);
    return new Publisher({ appId: APP.id, key: APP.key, secret: APP.secret, host, port, timeout: 10_000, ...options });
  }

  /** How many are subscribed to a channel. */
  async subscribers(channel) {
    const answer = await this.publisher().get({ path: `/channels/${channel}`, params: { info: 'subscription_count' } });
    return (await answer.json()).subscription_count;
  }

  /** Opens a socket by `pusher-js`, as a page of ours would. */
  open({ key = APP.key, ...options } = {}) {
    ({ origin = this.server.url } = options);
    const { hostname, port } = new URL(this.server.url);
    const client = new Pusher(key, {
      cluster: 'none',
      wsHost: hostname,
      wsPort: port,
      forceTLS: false,
      enabledTransports: ['ws'],
      channelAuthorization: {
        customHandler: ({ socketId, channelName }, done) => done(null, this.publisher().authorizeChannel(socketId, channelName)),
      },
      ...options,
    });
    this.clients.push(client);
    return client;
  }

  /** The same, and waits until it is connected. */
  async connect(options) {
    const client = this.open(options);
    await next(client.connection, 'connected');
    return client;
  }

  /** Subscribes, and waits until the subscription succeeded. */
  async subscribe(client, channel) {
    const subscription = client.subscribe(channel);
    await next(subscription, 'pusher:subscription_succeeded');
    return subscription;
  }

  /** The connection below the latest socket. */
  get stream() {
    return sockets.at(-1)._stream;
  }

  /** How many sockets have been opened so far. */
  get opened() {
    return sockets.length;
  }

  /** Closes what a test has opened, and waits until the broker has seen it. */
  async hangUp() {
    for (const client of this.clients.splice(0)) client.disconnect();
    const channels = async () => (await this.publisher().get({ path: '/channels' })).json();
    await expect.poll(channels, 'no one is left').toEqual({ channels: {} });
  }
}

/** For tests with a broker, one after the other with the same server. */
export const embedded = base.extend({
  running: [
    async ({}, use) => {
      const broker = await Broker.start();
      await use(broker);
      expect(await broker.stop(), 'how the server ended').toBe(0);
      expect(broker.server.log, "the server's log").not.toContain('panicked at');
    },
    { scope: 'worker' },
  ],
  broker: async ({ running }, use) => {
    await use(running);
    await running.hangUp();
  },
});

/** Everything that this channel or connection hears from now on, as pairs of name and data. */
export function hearing(target) {
  const heard = [];
  target.bind_global((name, data) => heard.push([name, data]));
  return heard;
}
