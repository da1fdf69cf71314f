// Firefox, as the system has it, driven by WebDriver BiDi.

import puppeteer from 'puppeteer-core';
import { textOf } from './engines.js';

/** The program; without it, its tests are skipped. */
export const FIREFOX = process.env.VESTIBULE_TEST_FIREFOX;

export class Firefox {
  static keepsPagesWithSockets = false;

  static async start() {
    const engine = new Firefox();
    engine.program = await puppeteer.launch({ browser: 'firefox', executablePath: FIREFOX, headless: true });
    return engine;
  }

  stop() {
    return this.program.close();
  }

  async open(base) {
    return new Browser(await this.program.createBrowserContext(), base);
  }
}

/** Runs in every page before its own scripts: the driver reports no violation of the policy by itself. */
function reportViolations() {
  document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    console.error(`the policy's ${violatedDirective} forbids ${blockedURI}`),
  );
}

class Browser {
  errors = [];

  constructor(context, base) {
    Object.assign(this, { context, base });
  }

  close() {
    return this.context.close();
  }

  async newTab() {
    const page = await this.context.newPage();
    await page.evaluateOnNewDocument(reportViolations);
    page.on('console', (message) => message.type() === 'error' && this.errors.push(message.text()));
    page.on('pageerror', (error) => this.errors.push(`uncaught: ${error.message}`));
    return new Tab(this, page);
  }
}

class Tab {
  constructor(browser, page) {
    Object.assign(this, { browser, page });
  }

  goto(path) {
    return this.page.goto(new URL(path, this.browser.base).href);
  }

  reload() {
    return this.page.reload();
  }

  back() {
    return this.page.goBack();
  }

  url() {
    return this.run('return location.href');
  }

  text(css) {
    return this.run(textOf(css));
  }

  async click(xpath) {
    await (await this.page.$(`::-p-xpath(${xpath})`)).click();
  }

  async fill(css, text) {
    await (await this.page.$(css)).type(text);
  }

  run(script) {
    return this.page.evaluate(`(() => { ${script} })()`);
  }
}
