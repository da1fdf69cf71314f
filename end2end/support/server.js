// The kit's server, as our own tests start it: the built one, with time for a busy machine.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Server as KitServer } from '@vestibule/playwright';
import { BASE } from './base.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const binary = path.resolve(process.env.VESTIBULE_BIN || path.join(root, 'target/debug/vestibule'));
const site = path.resolve(process.env.LEPTOS_SITE_ROOT || path.join(root, 'target/site'));

// The page polls rarely, so that an outcome which is on time was pushed. An attempt lasts until the test answers: on a
// busy machine, the usual ten seconds may pass before that, and the validator would be asked once more.
const DEFAULTS = {
  CONFIRM_DEADLINE: '90s',
  CONFIRM_ATTEMPT: '80s',
  CONFIRM_LEASE: '90s',
  CONFIRM_POLL: '120s',
  LEPTOS_SITE_ROOT: site,
};

export class Server extends KitServer {
  static start(settings = {}) {
    return super.start({ ...DEFAULTS, ...settings }, { binary, base: BASE });
  }
}
