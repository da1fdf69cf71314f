// The real server, one for each test: a fresh data folder, a port of its own, and a shutdown that must be clean.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BASE } from './base.js';
import { freePorts } from './program.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const binary = path.resolve(process.env.VESTIBULE_BIN || path.join(root, 'target/debug/vestibule'));
const site = path.resolve(process.env.LEPTOS_SITE_ROOT || path.join(root, 'target/site'));

const LISTENING = /^listening on (http:\/\/\S+)$/m;
const STARTS_WITHIN = 30_000;
const ENDS_WITHIN = 30_000;

// The page polls rarely, so that an outcome which is on time was pushed. An attempt lasts until the test answers: on a
// busy machine, the usual ten seconds may pass before that, and the validator would be asked once more.
const DEFAULTS = {
  CONFIRM_DEADLINE: '90s',
  CONFIRM_ATTEMPT: '80s',
  CONFIRM_LEASE: '90s',
  CONFIRM_POLL: '120s',
  RUST_LOG: 'info',
};

/** The variables that the server inherits: none that a developer has set for a server of their own. */
function environment(settings) {
  const kept = ['PATH', 'HOME', 'LANG', 'LEPTOS_SITE_PKG_DIR', 'LEPTOS_OUTPUT_NAME', 'LD_LIBRARY_PATH'];
  const known = Object.fromEntries(kept.filter((name) => process.env[name]).map((name) => [name, process.env[name]]));
  return { ...known, ...DEFAULTS, ...settings };
}

export class Server {
  log = '';

  constructor(folder, settings) {
    this.folder = folder;
    this.environment = environment({
      LEPTOS_SITE_ADDR: '127.0.0.1:0',
      LEPTOS_SITE_ROOT: site,
      VESTIBULE_DATA: folder,
      ...settings,
    });
  }

  /** Starts a server in a folder of its own and waits until it listens. */
  static async start(settings = {}) {
    const server = new Server(await mkdtemp(path.join(tmpdir(), 'vestibule-')), settings);
    try {
      await server.run();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async run() {
    if (BASE && !this.environment.PUBLIC_URL) {
      // The address has to be known before.
      const { hostname, port } = new URL(`http://${this.environment.LEPTOS_SITE_ADDR}`);
      const address = `${hostname}:${port === '0' ? await freePorts(1) : port}`;
      Object.assign(this.environment, { LEPTOS_SITE_ADDR: address, PUBLIC_URL: `http://${address}${BASE}` });
    }
    const child = spawn(binary, [], { cwd: this.folder, env: this.environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? code));
    });
    const before = this.log.length;
    this.url = await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`the server ${why}; its log:\n${this.log}`));
      const patience = setTimeout(() => fail('did not listen in time'), STARTS_WITHIN);
      const hear = (chunk) => {
        this.log += chunk;
        const url = LISTENING.exec(this.log.slice(before))?.[1];
        if (url) {
          clearTimeout(patience);
          resolve(url);
        }
      };
      child.stdout.setEncoding('utf8').on('data', hear);
      child.stderr.setEncoding('utf8').on('data', hear);
      this.ended.then((how) => {
        clearTimeout(patience);
        fail(`ended (${how}) before it listened`);
      });
    });
  }

  /** Stops it, as an operator would or by another signal, and starts it again at the same address. */
  async restart(signal = 'SIGTERM', between) {
    await this.#end(signal);
    await between?.();
    this.environment.LEPTOS_SITE_ADDR = new URL(this.url).host;
    await this.run();
  }

  /** Runs one of the server's own commands beside it; returns its exit and its output by stream. */
  async command(words, stdin = '') {
    // Without the test's log settings, as an operator runs it.
    const { RUST_LOG, ...env } = this.environment;
    const child = spawn(binary, words, { cwd: this.folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const stream of Object.keys(said)) child[stream].setEncoding('utf8').on('data', (chunk) => (said[stream] += chunk));
    // A command that reads nothing may have ended before it is written to.
    child.stdin.on('error', () => {}).end(stdin);
    const [code] = await once(child, 'close');
    return { code, ...said };
  }

  /** Adds a user who signs in with a password, or gives an existing one a new password; returns the printed line. */
  async addUser({ email, name, password }) {
    const { code, stdout, stderr } = await this.command(['user', 'add', '--email', email, '--name', name], `${password}\n`);
    if (code !== 0) throw new Error(`the user was not added: ${stderr}`);
    return stdout.trim();
  }

  /** Stops the server as an operator would, and returns how it ended; a server that does not stop is killed. */
  async stop() {
    await this.#end();
    await rm(this.folder, { recursive: true, force: true });
    return this.ended;
  }

  async #end(signal = 'SIGTERM') {
    const child = this.child;
    if (child?.pid && child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      const patience = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN);
      await this.ended;
      clearTimeout(patience);
    }
  }
}
