// A third-party mail server, PyPI's `aiosmtpd`, and the two kinds of tests with it.

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Program, freePorts } from '@vestibule/playwright/program';
import { controlled, expect, practice } from './test.js';

/** The Python that has `aiosmtpd`; without it, its tests are skipped. */
export const PYTHON = process.env.VESTIBULE_TEST_PYTHON;

export const FROM = 'Vestibule <no-reply@example.com>';

const script = fileURLToPath(new URL('../interop/mail_server.py', import.meta.url));

class MailServer {
  log = '';
  /** Its answers to recipients before it accepts one; `ADDRESS` stands for the recipient's. */
  refusals = [];
  user = 'vestibule@example.com';
  password = 'hush/hush #1';

  constructor(port) {
    this.port = port;
  }

  /** Its address, as our server's setting. */
  get url() {
    if (!this.certificate) return `smtp://127.0.0.1:${this.port}`;
    const [user, password] = [this.user, this.password].map(encodeURIComponent);
    return `smtp://${user}:${password}@localhost:${this.port}?tls=required`;
  }

  /** Starts or restarts it. */
  async run() {
    const { port, refusals, certificate, password } = this;
    const input = `${JSON.stringify({ port, refusals, certificate, password })}\n`;
    this.program = await Program.start(PYTHON, ['-I', script], { ready: '"listening"', input });
  }

  async end() {
    this.log = this.#said();
    await this.program?.end('SIGKILL');
    this.program = undefined;
    if (this.certificate) await rm(this.certificate, { recursive: true, force: true });
  }

  /** Gives it STARTTLS, with a self-signed certificate, and a login. */
  async certify() {
    const folder = await mkdtemp(path.join(tmpdir(), 'vestibule-mail-'));
    this.certificate = folder;
    const [key, certificate] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name));
    const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const names = ['-subj', '/CN=a mail server of a test', '-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE'];
    await promisify(execFile)('openssl', [...words, ...names, '-keyout', key, '-out', certificate]);
    this.authority = certificate;
  }

  /** The mails that it has accepted, in order. */
  get mails() {
    return this.#heard('mail').map(({ headers, types, bodies, ...rest }) => {
      const [text, html] = bodies;
      const link = /^http\S+$/m.exec(text)?.[0];
      const code = /^ {4}(\d{6})$/m.exec(text)?.[1];
      return { ...rest, headers, header: Object.fromEntries(headers), types, text, html, link, code };
    });
  }

  /** The recipients that it has refused, in order. */
  get refused() {
    return this.#heard('refused');
  }

  /** Waits for the mail with this number, and returns it. */
  async mail(nth = 1) {
    // A mail that was deferred comes seconds later.
    await expect.poll(() => this.mails.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(nth);
    return this.mails[nth - 1];
  }

  #said() {
    return this.log + (this.program?.log ?? '');
  }

  #heard(what) {
    const lines = this.#said().split('\n').filter((line) => line.startsWith(`{"${what}"`));
    return lines.map((line) => JSON.parse(line)[what]);
  }
}

const withMail = (base, mode = {}) =>
  base.extend({
    /** Whether it has STARTTLS and a login. */
    secure: [false, { option: true }],

    /** The mail server's answers to the first recipients. */
    refusals: [[], { option: true }],

    /** Whether it runs when the test begins. */
    runs: [true, { option: true }],

    port: async ({}, use) => use((await freePorts(1))[0]),

    mail: async ({ refusals, runs, secure }, use) => {
      const mail = new MailServer((await freePorts(1))[0]);
      mail.refusals = refusals;
      if (secure) await mail.certify();
      if (runs) await mail.run();
      await use(mail);
      await mail.end();
    },

    // Browsers use a name that it does not listen on.
    settings: async ({ mail, port }, use) => {
      const address = { LEPTOS_SITE_ADDR: `127.0.0.1:${port}`, PUBLIC_URL: `http://localhost:${port}` };
      await use({ ...mode, ...address, SMTP_URL: mail.url, MAIL_FROM: FROM, NO_COLOR: '1' });
    },

    baseURL: async ({ port, server: _ }, use) => use(`http://localhost:${port}`),

    /** Nothing of a mail is ever in the server's log. */
    discretion: [
      async ({ server, mail }, use) => {
        await use();
        const secrets = mail.mails.flatMap(({ to, link, code }) => [...to, code, link.split('/').at(-1)]);
        for (const secret of [...secrets, ...mail.refused, mail.password, mail.user]) {
          expect(server.log.includes(secret), 'whether the log has an address, a code, a token or a password').toBe(false);
        }
      },
      { auto: true },
    ],
  });

// A mail server suggests a production server, where practice mode must be asked for.
export const practiceMail = withMail(practice, { PRACTICE: 'on' });
export const controlledMail = withMail(controlled);
