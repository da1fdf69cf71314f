// Proxies in front of an application and our server, with the published configurations in examples/.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NGINX, around } from './nginx.js';
import { Program } from '@vestibule/playwright/program';
import { adapt, certify } from './published.js';

/** The name in the configurations, which tests resolve to loopback themselves. */
export const NAME = 'app.example';

const example = (file) => fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
const CERTIFICATES = '/etc/ssl/app.example/';

/** How each is configured and started in a folder of its own. */
const KINDS = {
  nginx: async (program, folder, { port, url, app }) => {
    const places = { 'listen 443': 1, [CERTIFICATES]: 2, '127.0.0.1:3000': 2, '127.0.0.1:4000': 1 };
    const site = await adapt(example('nginx.conf'), places, {
      'listen 443': `listen 127.0.0.1:${port}`, [CERTIFICATES]: `${folder}/`, '127.0.0.1:3000': url.host, '127.0.0.1:4000': app,
    });
    const file = path.join(folder, 'nginx.conf');
    await writeFile(file, around(folder, site));
    return Program.start(program, ['-e', 'stderr', '-p', folder, '-c', file], { ready: 'getrlimit' });
  },

  caddy: async (program, folder, { port, url, app }) => {
    const places = { '\n{\n': 1, '\napp.example {': 1, [CERTIFICATES]: 2, '127.0.0.1:3000': 2, '127.0.0.1:4000': 1 };
    const site = await adapt(example('Caddyfile'), places, {
      '\n{\n': '\n{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n',
      '\napp.example {': `\nhttps://${NAME}:${port} {`, [CERTIFICATES]: `${folder}/`, '127.0.0.1:3000': url.host, '127.0.0.1:4000': app,
    });
    const file = path.join(folder, 'Caddyfile');
    await writeFile(file, site);
    const env = { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    return Program.start(program, ['run', '--config', file, '--adapter', 'caddyfile'], { ready: 'serving initial configuration', env });
  },

  envoy: async (program, folder, { port, url, app }) => {
    const places = { 'port_value: 443': 1, [CERTIFICATES]: 2, 'http://127.0.0.1:3000': 1, 'port_value: 3000': 1, 'port_value: 4000': 1 };
    const site = await adapt(example('envoy.yaml'), places, {
      'port_value: 443': `port_value: ${port}`, [CERTIFICATES]: `${folder}/`, 'http://127.0.0.1:3000': url.origin,
      'port_value: 3000': `port_value: ${url.port}`, 'port_value: 4000': `port_value: ${app.split(':')[1]}`,
    });
    const file = path.join(folder, 'envoy.yaml');
    await writeFile(file, site);
    const words = ['-c', file, '--disable-hot-restart', '--concurrency', '1', '--log-level', 'info'];
    return Program.start(program, words, { ready: 'starting main dispatch loop' });
  },
};

/** The proxies that are there, by what they are and in which version: `caddy 2.10.2` and its program. */
export const PROXIES = Object.fromEntries([
  ...(NGINX ? [['nginx', NGINX]] : []),
  ...(process.env.VESTIBULE_TEST_PROXIES ?? '').split(',').filter(Boolean).map((proxy) => proxy.split('=')),
]);

export class Proxy {
  /** Starts one on this port, in front of the server at `url` and the application at `app`. */
  static async start(name, { port, url, app }) {
    const proxy = new Proxy();
    proxy.folder = await mkdtemp(path.join(tmpdir(), 'vestibule-proxy-'));
    proxy.certificate = await certify(proxy.folder, NAME);
    proxy.program = await KINDS[name.split(' ')[0]](PROXIES[name], proxy.folder, { port, url: new URL(url), app });
    return proxy;
  }

  async stop() {
    const how = await this.program.end('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
    return how;
  }
}
