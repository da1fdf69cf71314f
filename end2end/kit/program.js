// Another program that a test starts and ends.

/** @import { ChildProcess } from 'node:child_process' */
/** @import { AddressInfo, Server } from 'node:net' */

import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

const STARTS_WITHIN = 30_000;
const ENDS_WITHIN = 30_000;

export class Program {
  log = '';

  /**
   * @private
   * @param {ChildProcess} child
   */
  constructor(child) {
    this.child = child;
    /** @type {Promise<number | string>} */
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? code ?? 'neither a code nor a signal'));
    });
  }

  /**
   * Starts a program, and waits until its output matches `ready`, if that is given. Its environment is
   * what it is given, `PATH` and `HOME`.
   *
   * @param {string} path
   * @param {string[]} words
   * @param {{ ready?: string | RegExp, env?: Record<string, string>, cwd?: string, input?: string }} options
   */
  static async start(path, words, { ready, env = {}, cwd, input = '' }) {
    const { PATH, HOME } = process.env;
    const child = spawn(path, words, { cwd, env: { PATH, HOME, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    const program = new Program(child);
    // If it ends before it has read, its exit reports that.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const hearing = new Promise((resolve) => {
      /** @param {string} chunk */
      const hear = (chunk) => {
        program.log += chunk;
        if (ready !== undefined && program.log.search(ready) !== -1) resolve('ready');
      };
      if (ready === undefined) child.once('spawn', () => resolve('ready'));
      child.stdout.setEncoding('utf8').on('data', hear);
      child.stderr.setEncoding('utf8').on('data', hear);
    });
    let patience;
    const late = new Promise((resolve) => (patience = setTimeout(resolve, STARTS_WITHIN, 'late')));
    const how = await Promise.race([hearing, program.ended, late]);
    clearTimeout(patience);
    if (how === 'ready') return program;
    await program.end('SIGKILL');
    throw new Error(`${path} did not start (${how}); its log:\n${program.log}`);
  }

  /**
   * Ends it by this signal, or by force if that fails, and returns how it ended.
   *
   * @param {NodeJS.Signals} signal
   */
  async end(signal) {
    this.child.kill(signal);
    const patience = setTimeout(() => this.child.kill('SIGKILL'), ENDS_WITHIN);
    await this.ended;
    clearTimeout(patience);
    return this.ended;
  }
}

/**
 * Free ports of loopback, for programs that need a given port. They are below those that the system gives to
 * connections, one of which could take a port before the program does, or between its end and its restart.
 *
 * @param {number} count
 */
export async function freePorts(count) {
  /** @type {Server[]} */
  const servers = [];
  while (servers.length < count) {
    // Browsers, and Node's fetch, refuse 10080 on any host (https://fetch.spec.whatwg.org/#port-blocking).
    const server = createServer().listen(randomInt(10_081, 32_768), '127.0.0.1');
    // A port that is taken is an error; another one is tried.
    await once(server, 'listening').then(() => servers.push(server), () => {});
  }
  const ports = servers.map((server) => /** @type {AddressInfo} */ (server.address()).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
