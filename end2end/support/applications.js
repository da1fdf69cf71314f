// Applications behind a proxy, whose users our server signs in.

import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program } from '@vestibule/playwright/program';

const example = (file) => fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
const PYTHON = process.env.VESTIBULE_TEST_DJANGO;
const RUBY = process.env.VESTIBULE_TEST_RAILS;

/** The examples that can be run here, and how. */
export const EXAMPLES = {
  Express: [process.execPath, example('express/app.js')],
  ...(PYTHON ? { Django: [PYTHON, example('django/app.py')] } : {}),
  ...(RUBY ? { Rails: [RUBY, example('rails/app.rb')] } : {}),
};

/** One of the examples. */
export class Example {
  static async start(name, { port, issuer, url }) {
    const application = new Example();
    application.folder = await mkdtemp(path.join(tmpdir(), 'vestibule-app-'));
    const [program, file] = EXAMPLES[name];
    const env = {
      PORT: String(port),
      VESTIBULE: issuer,
      VESTIBULE_KEYS: `${url}/.well-known/jwks.json`,
      RAILS_ENV: 'production',
      DATABASE: path.join(application.folder, 'app.db'),
    };
    application.program = await Program.start(program, [file], { ready: 'listening', env });
    return application;
  }

  async stop() {
    await this.program.end('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** An application that remembers what reaches it, and says it back; its socket says back what it hears. */
export class Echo {
  requests = [];

  static async start(port) {
    const echo = new Echo();
    echo.server = createServer((request, response) => echo.#answer(request, response));
    echo.server.on('upgrade', (request, socket) => {
      echo.requests.push({ url: request.url, headers: request.rawHeaders });
      // RFC 6455, section 1.3.
      const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
      socket.write(Buffer.from([0x81, 5, ...Buffer.from('hello')]));
      socket.on('error', () => {});
      socket.on('data', () => socket.end(Buffer.from([0x88, 0])));
    });
    echo.server.listen(port, '127.0.0.1');
    await once(echo.server, 'listening');
    return echo;
  }

  async #answer(request, response) {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    this.requests.push({ url: request.url, method: request.method, headers: request.rawHeaders, body });
    response.setHeader('content-type', 'text/html');
    response.end(`<!DOCTYPE html><title>Echo</title><h1>${request.method} ${request.url.replace(/&/g, '&amp;')}</h1>`);
  }

  /** The values of this header, however it is spelled, in the requests for this path. */
  seen(url, name) {
    const spelled = (given) => given.toLowerCase().replace(/_/g, '-') === name;
    return this.requests
      .filter((request) => request.url.split('?')[0] === url)
      .flatMap(({ headers }) => headers.filter((_, place) => place % 2 === 1 && spelled(headers[place - 1])));
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
