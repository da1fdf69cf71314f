// nginx in front of our server, with the published configuration docs/nginx.conf.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program } from '@vestibule/playwright/program';
import { adapt, certify } from './published.js';

/** The program; without it, its tests are skipped. */
export const NGINX = process.env.VESTIBULE_TEST_NGINX;

/** The name in the configuration, which tests resolve to loopback themselves. */
export const NAME = 'sign-in.example';

const published = fileURLToPath(new URL('../../docs/nginx.conf', import.meta.url));

/** What an operator replaces, and how often it occurs. */
const PLACES = { 'listen 443': 1, '/etc/ssl/sign-in.example/': 2, '127.0.0.1:3000': 3, '127.0.0.1:6001': 1 };

/** The rest of the configuration, as in Debian's package, but as one process with one folder. */
export const around = (folder, site) => `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr notice;
events {}
http {
  access_log ${folder}/access.log;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')}
  ${site}
}
`;

export class Nginx {
  /** Starts it on this port in front of the server at `url`, and of a Pusher server on the port `push`. */
  static async start({ port, url, push }) {
    const nginx = new Nginx();
    nginx.folder = await mkdtemp(path.join(tmpdir(), 'vestibule-nginx-'));
    nginx.certificate = await certify(nginx.folder, NAME);
    const own = {
      'listen 443': `listen 127.0.0.1:${port}`,
      '/etc/ssl/sign-in.example/': `${nginx.folder}/`,
      '127.0.0.1:3000': new URL(url).host,
      '127.0.0.1:6001': `127.0.0.1:${push}`,
    };
    const site = await adapt(published, PLACES, own);
    const file = path.join(nginx.folder, 'nginx.conf');
    await writeFile(file, around(nginx.folder, site));
    nginx.program = await Program.start(NGINX, ['-e', 'stderr', '-p', nginx.folder, '-c', file], { ready: 'getrlimit' });
    return nginx;
  }

  /** All of its logs. */
  async logs() {
    return this.program.log + (await readFile(path.join(this.folder, 'access.log'), 'utf8'));
  }

  async stop() {
    const how = await this.program.end('SIGTERM');
    await rm(this.folder, { recursive: true, force: true });
    return how;
  }
}
