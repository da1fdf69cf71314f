// A Vestibule of its own for each test: a folder and a port that no other has, and a shutdown that must be clean.

/** @import { Settings } from './types/index.js' */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Control } from './control.js';
import { Program, freePorts } from './program.js';

const LISTENING = /^listening on (http:\/\/\S+)$/m;
const OPERATIONS = /^operations at (http:\/\/\S+)$/m;

// None that a developer has set for a server of their own, but where the programs and the site are.
const INHERITED = ['PATH', 'HOME', 'LANG', 'LD_LIBRARY_PATH'];

/** What the environment says of the site's folder; the server runs in another folder than the tests. */
const site = () => (process.env.LEPTOS_SITE_ROOT ? { LEPTOS_SITE_ROOT: path.resolve(process.env.LEPTOS_SITE_ROOT) } : {});

/** The program: the named one, which may be in the folder of the tests, or the one on the `PATH`. */
const program = () => (process.env.VESTIBULE_BIN ? path.resolve(process.env.VESTIBULE_BIN) : 'vestibule');

/**
 * The settings under which it has a control: practice mode alone has one.
 *
 * @param {Settings} settings
 * @returns {Settings}
 */
const controlled = (settings) => (settings.VALIDATOR_URL ? {} : { OPS_ADDR: '127.0.0.1:0' });

/**
 * The error of a start, with a way out if there is no such program.
 *
 * @param {Error} error
 */
function explain(error) {
  if (!error.message.includes('ENOENT')) return error;
  return new Error(`${error.message}\nName the program by VESTIBULE_BIN, or have it on the PATH.`, { cause: error });
}

export class Server {
  /** @type {Program[]} */
  #runs = [];

  /**
   * @private
   * @param {string} folder
   * @param {Settings} settings
   * @param {{ binary?: string, base?: string }} [options]
   */
  constructor(folder, settings, { binary = program(), base = '' } = {}) {
    this.folder = folder;
    this.binary = binary;
    this.base = base;
    const inherited = INHERITED.filter((name) => process.env[name]).map((name) => [name, process.env[name]]);
    /** @type {Settings} */
    this.environment = {
      ...Object.fromEntries(inherited),
      ...site(),
      RUST_LOG: 'info',
      LEPTOS_SITE_ADDR: '127.0.0.1:0',
      VESTIBULE_DATA: folder,
      ...controlled(settings),
      ...settings,
    };
  }

  /**
   * Starts a server in a folder of its own and waits until it listens. `settings` are environment variables; `base` is
   * the path under which its addresses lie, unless `PUBLIC_URL` says it.
   *
   * @param {Settings} [settings]
   * @param {{ binary?: string, base?: string }} [options]
   */
  static async start(settings = {}, options) {
    const server = new this(await mkdtemp(path.join(tmpdir(), 'vestibule-')), settings, options);
    try {
      await server.run();
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** All that it has written, also before a restart. */
  get log() {
    return this.#runs.map(({ log }) => log).join('');
  }

  /** Its address, as it prints it. */
  get url() {
    const url = this.#printed(LISTENING);
    if (!url) throw new Error('this server has not started');
    return url;
  }

  /** Its address as browsers see it. */
  get publicUrl() {
    return (this.environment.PUBLIC_URL ?? this.url).replace(/\/$/, '');
  }

  /** The control of practice mode. */
  get control() {
    const url = this.#printed(OPERATIONS);
    if (!url) throw new Error('this server has no control: only practice mode has one, without VALIDATOR_URL');
    return new Control(url);
  }

  async run() {
    if (this.base && !this.environment.PUBLIC_URL) {
      // The address has to be known before.
      const { hostname, port } = new URL(`http://${this.environment.LEPTOS_SITE_ADDR}`);
      const address = `${hostname}:${port === '0' ? await freePorts(1) : port}`;
      Object.assign(this.environment, { LEPTOS_SITE_ADDR: address, PUBLIC_URL: `http://${address}${this.base}` });
    }
    const { folder: cwd, environment: env } = this;
    const start = Program.start(this.binary, [], { cwd, env, ready: LISTENING });
    this.#runs.push(await start.catch((error) => Promise.reject(explain(error))));
  }

  /**
   * Stops it, as an operator would or by another signal, and starts it again at the same address.
   *
   * @param {NodeJS.Signals} [signal]
   * @param {() => void | Promise<void>} [between]
   */
  async restart(signal = 'SIGTERM', between) {
    await this.#end(signal);
    await between?.();
    this.environment.LEPTOS_SITE_ADDR = new URL(this.url).host;
    await this.run();
  }

  /**
   * Runs one of the server's own commands beside it; returns its exit and its output by stream.
   *
   * @param {string[]} words
   * @param {string} [stdin]
   */
  async command(words, stdin = '') {
    // Without the test's log settings, as an operator runs it.
    const { RUST_LOG, ...env } = this.environment;
    const child = spawn(this.binary, words, { cwd: this.folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    // A command that reads nothing may have ended before it is written to.
    child.stdin.on('error', () => {}).end(stdin);
    const [code] = await once(child, 'close');
    return { code, stdout, stderr };
  }

  /**
   * Adds a user who signs in with a password, or gives an existing one a new password; returns the printed line.
   *
   * @param {{ email: string, name: string, password: string }} user
   */
  async addUser({ email, name, password }) {
    const { code, stdout, stderr } = await this.command(['user', 'add', '--email', email, '--name', name], `${password}\n`);
    if (code !== 0) throw new Error(`the user was not added: ${stderr}`);
    return stdout.trim();
  }

  /** Stops the server as an operator would, and returns how it ended; a server that does not stop is killed. */
  async stop() {
    const how = await this.#end('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
    return how;
  }

  /**
   * The address that its newest run has printed.
   *
   * @param {RegExp} line
   */
  #printed(line) {
    return line.exec(this.#runs.at(-1)?.log ?? '')?.[1];
  }

  /** @param {NodeJS.Signals} signal */
  async #end(signal) {
    return this.#runs.at(-1)?.end(signal) ?? 'it has not started';
  }
}
