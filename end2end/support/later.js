// The published validators that answer later, and what tests put between one of them and our server.

import { EventEmitter, once } from 'node:events';
import { copyFile, mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Program, freePorts } from '@vestibule/playwright/program';
import { send } from './raw.js';
import { expect } from './test.js';

/** The Python that has `standardwebhooks`; without it, its tests are skipped. */
export const PYTHON = process.env.VESTIBULE_TEST_PYTHON;

const example = (file) => fileURLToPath(new URL(`../../examples/validators/${file}`, import.meta.url));
const packages = fileURLToPath(new URL('../node_modules', import.meta.url));

/** What runs each of the examples: a program and its arguments. */
export const VALIDATORS = {
  'later.py': () => [PYTHON, '-I', example('later.py')],
  // As it lies beside its packages where somebody has installed them.
  'later.mjs': async (folder) => {
    const file = path.join(folder, 'later.mjs');
    await copyFile(example('later.mjs'), file);
    await symlink(packages, path.join(folder, 'node_modules'));
    return [process.execPath, file];
  },
};

/** Whether something listens there. */
const listens = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('close', () => socket.destroy()).end();
  });

/**
 * One of the examples, asked through this. Its first call is answered as if our server could not store it; the others
 * wait until the test lets them through.
 */
export class Later {
  /** How the example has answered each question. */
  answers = [];
  /** Each call of it, and how that was answered. */
  calls = [];
  #events = new EventEmitter();

  static async start(name, env) {
    const later = new Later();
    later.folder = await mkdtemp(path.join(tmpdir(), 'vestibule-later-'));
    [later.port] = await freePorts(1);
    const [program, ...words] = await VALIDATORS[name](later.folder);
    later.program = await Program.start(program, words, { env: { PORT: String(later.port), ...env } });
    await expect.poll(() => listens(later.port), { message: `${name} listens`, timeout: 30_000 }).toBe(true);
    later.server = createServer((request, response) => later.#hear(request, response).catch(() => response.destroy()));
    later.server.listen(0, '127.0.0.1');
    await once(later.server, 'listening');
    later.origin = `http://127.0.0.1:${later.server.address().port}`;
    return later;
  }

  /** Waits for the call with this number. */
  async call(nth) {
    const signal = AbortSignal.timeout(20_000);
    while (this.calls.length < nth) await once(this.#events, 'call', { signal });
    return this.calls[nth - 1];
  }

  async #hear(request, response) {
    const body = await buffer(request);
    if (request.url === '/validate') return this.#ask(JSON.parse(body), request.headers, response);
    const call = { headers: request.headers, body };
    const isFirst = this.calls.push(call) === 1;
    const letThrough = new Promise((resolve) => (call.letThrough = resolve));
    this.#events.emit('call');
    if (!isFirst) await letThrough;
    call.status = isFirst ? 503 : (await this.send(call)).status;
    return response.writeHead(call.status).end();
  }

  async #ask(question, { authorization }, response) {
    this.callback = question.callback;
    const body = JSON.stringify({ ...question, callback: `${this.origin}/call` });
    const answer = await send(`http://127.0.0.1:${this.port}`, { method: 'POST', headers: { authorization }, body });
    this.answers.push(answer.status);
    response.writeHead(answer.status, { 'retry-after': answer.headers['retry-after'] }).end(answer.text);
  }

  /** Sends a call to our server. */
  send({ headers, body }) {
    const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
    return send(this.callback, { method: 'POST', headers: Object.fromEntries(names.map((name) => [name, headers[name]])), body });
  }

  async stop() {
    for (const { letThrough } of this.calls) letThrough();
    this.server.closeAllConnections();
    await once(this.server.close(), 'close');
    await this.program.end('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
  }
}
