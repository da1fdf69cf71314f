// WebKit, Safari's engine, as WebKitGTK has it, driven by W3C WebDriver on a virtual screen.

import { eventually, textOf } from './engines.js';
import { Program, freePorts } from '@vestibule/playwright/program';

/** The driver, which knows its browser; without it, its tests are skipped. */
export const WEBKIT = process.env.VESTIBULE_TEST_WEBKIT;

/** The line in which a screen tells its number. */
const DISPLAY = /^(\d+)\n/m;

/** What names an element in the protocol. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';

export class WebKit {
  static keepsPagesWithSockets = true;

  static async start() {
    const engine = new WebKit();
    engine.screen = await Program.start('Xvfb', ['-displayfd', '1', '-nolisten', 'tcp'], { ready: DISPLAY });
    const [port] = await freePorts(1);
    const env = {
      DISPLAY: `:${DISPLAY.exec(engine.screen.log)[1]}`,
      // Its sandbox needs a user that is not root.
      ...(process.getuid?.() === 0 && { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' }),
    };
    engine.driver = await Program.start(WEBKIT, [`--port=${port}`], { env });
    engine.url = `http://127.0.0.1:${port}`;
    // It says nothing when it is ready.
    await eventually(() => fetch(`${engine.url}/status`));
    return engine;
  }

  async stop() {
    await this.driver.end('SIGTERM');
    await this.screen.end('SIGTERM');
  }

  async open(base) {
    const browser = new Browser(this.url, base);
    await browser.begin();
    return browser;
  }
}

class Browser {
  /** Always empty: the pages of a driven WebKitGTK are private, and those log nothing that could be read. */
  errors = [];

  constructor(driver, base) {
    Object.assign(this, { session: `${driver}/session`, base });
  }

  async begin() {
    const { sessionId } = await this.ask('POST', '', { capabilities: {} });
    this.session += `/${sessionId}`;
    [this.unused] = await this.ask('GET', '/window/handles');
  }

  close() {
    return this.ask('DELETE', '');
  }

  /** The first is there from the beginning. The others are windows: a tab would stay behind it and hidden. */
  async newTab() {
    const handle = this.unused ?? (await this.ask('POST', '/window/new', { type: 'window' })).handle;
    this.unused = undefined;
    return new Tab(this, handle);
  }

  async ask(method, path, body) {
    const reply = await fetch(this.session + path, { method, body: body && JSON.stringify(body) });
    const { value } = await reply.json();
    if (!reply.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  }
}

class Tab {
  constructor(browser, handle) {
    Object.assign(this, { browser, handle });
  }

  goto(path) {
    return this.#post('/url', { url: new URL(path, this.browser.base).href });
  }

  reload() {
    return this.#post('/refresh');
  }

  back() {
    return this.#post('/back');
  }

  url() {
    return this.run('return location.href');
  }

  text(css) {
    return this.run(textOf(css));
  }

  async click(xpath) {
    await this.#post(`${await this.#find('xpath', xpath)}/click`);
  }

  async fill(css, text) {
    await this.#post(`${await this.#find('css selector', css)}/value`, { text });
  }

  run(script) {
    return this.#post('/execute/sync', { script, args: [] });
  }

  async #find(using, value) {
    const { [ELEMENT]: id } = await this.#post('/element', { using, value });
    return `/element/${id}`;
  }

  /** Commands go to one tab, until another is chosen. */
  async #post(path, body = {}) {
    if (this.browser.chosen !== this.handle) await this.browser.ask('POST', '/window', { handle: this.handle });
    this.browser.chosen = this.handle;
    return this.browser.ask('POST', path, body);
  }
}
