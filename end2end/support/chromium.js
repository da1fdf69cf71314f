// Which Chromium the tests use: the named one, else the system's, else Playwright's own.

import { existsSync } from 'node:fs';

const DEBIAN = '/usr/bin/chromium';
const executablePath = process.env.CHROMIUM_PATH || (existsSync(DEBIAN) ? DEBIAN : undefined);

export const chromium = {
  executablePath,
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};
