// How soon a page has its outcome when the broker that should have told it comes back: a row of `cargo xtask bench`.

import { chromium } from '@playwright/test';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium as launch } from '../support/chromium.js';
import { Network } from '../support/network.js';
import { outcomeIsStored, subscription } from '../support/pages.js';
import { Server } from '../support/server.js';
import { Validator } from '../support/validator.js';
import { row } from './row.js';

const PAGES = 8;
const AWAY = 5_000;

const validator = await Validator.start('bench');
const server = await Server.start({
  VALIDATOR_URL: validator.url,
  VALIDATOR_SECRET: 'bench',
  CONFIRM_ATTEMPT: '50s',
  CONFIRM_LEASE: '55s',
  CONFIRM_DEADLINE: '60s',
  VESTIBULE_SECRET: randomBytes(32).toString('base64'),
});
const network = await Network.to(server);
const browser = await chromium.launch(launch);

/** Opens a page that waits and listens, and resolves to the moment at which it leaves. */
async function waiting(number) {
  const page = await (await browser.newContext()).newPage();
  const subscribed = subscription(page);
  await page.goto(`${network.url}/confirm/t${number}`);
  const question = await validator.asked(`t${number}`);
  await subscribed;
  const left = new Promise((resolve) => {
    page.on('request', (request) => request.url().endsWith('/profile') && resolve(performance.now()));
  });
  return { page, question, left, token: `t${number}` };
}

try {
  const pages = [];
  for (let number = 0; number < PAGES; number += 1) pages.push(await waiting(number));
  network.refuseSockets(true);
  for (const { question } of pages) question.valid();
  for (const { page, token } of pages) await outcomeIsStored(page, token);
  await sleep(AWAY);
  network.refuseSockets(false);
  const back = performance.now();
  const times = (await Promise.all(pages.map(({ left }) => left))).map((left) => (left - back) / 1_000).sort((a, b) => a - b);
  await row(`broker away for ${AWAY / 1_000} s, settled after its return, median, s`, times[PAGES / 2], 1);
  await row(`  the last of ${PAGES} pages`, times.at(-1), 2);
} finally {
  await browser.close();
  validator.hangUp();
  await network.cut();
  await server.stop();
  await validator.stop();
}
