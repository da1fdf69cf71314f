// Soketi, a third-party Pusher server.

import { randomBytes } from 'node:crypto';
import { Program, freePorts } from '@vestibule/playwright/program';

/** Where it is installed; without it, its tests are skipped. */
export const SOKETI = process.env.VESTIBULE_TEST_SOKETI;

class Soketi {
  app = { id: 'vestibule', key: 'the-key', secret: `secret-${randomBytes(16).toString('hex')}` };

  static async start() {
    const soketi = new Soketi();
    [soketi.port, soketi.metrics] = await freePorts(2);
    await soketi.run();
    return soketi;
  }

  /** Starts or restarts it. */
  async run() {
    const env = {
      SOKETI_HOST: '127.0.0.1',
      SOKETI_PORT: this.port,
      // It listens there even with its metrics off.
      SOKETI_METRICS_HOST: '127.0.0.1',
      SOKETI_METRICS_SERVER_PORT: this.metrics,
      SOKETI_SHUTDOWN_GRACE_PERIOD: 0,
      SOKETI_DEFAULT_APP_ID: this.app.id,
      SOKETI_DEFAULT_APP_KEY: this.app.key,
      SOKETI_DEFAULT_APP_SECRET: this.app.secret,
    };
    this.program = await Program.start(process.execPath, [SOKETI, 'start'], { env, ready: 'Server is up and running' });
  }

  end(signal = 'SIGKILL') {
    return this.program.end(signal);
  }

  /** The settings of our server. */
  get settings() {
    return {
      PUSHER_HOST: '127.0.0.1',
      PUSHER_PORT: String(this.port),
      PUSHER_SCHEME: 'http',
      PUSHER_APP_ID: this.app.id,
      PUSHER_KEY: this.app.key,
      PUSHER_SECRET: this.app.secret,
    };
  }

  /** Where browsers connect. */
  get origin() {
    return `ws://127.0.0.1:${this.port}`;
  }
}

/** The fixture: one for all tests of a worker. */
export const soketi = [
  async ({}, use) => {
    const running = await Soketi.start();
    await use(running);
    await running.end();
  },
  { scope: 'worker' },
];
