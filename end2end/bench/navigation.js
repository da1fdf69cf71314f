// From the validator's answer to the browser's navigation: a row of `cargo xtask bench`.

import { chromium } from '@playwright/test';
import { randomBytes } from 'node:crypto';
import { chromium as launch } from '../support/chromium.js';
import { Server } from '../support/server.js';
import { Validator } from '../support/validator.js';

const SIGN_INS = 30;

const validator = await Validator.start('bench');
const server = await Server.start({
  VALIDATOR_URL: validator.url,
  VALIDATOR_SECRET: 'bench',
  VESTIBULE_SECRET: randomBytes(32).toString('base64'),
});
const browser = await chromium.launch(launch);
const times = [];
try {
  for (let number = 0; number < SIGN_INS; number += 1) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const subscribed = new Promise((resolve) => {
      page.on('websocket', (socket) =>
        socket.on('framereceived', ({ payload }) => String(payload).includes('subscription_succeeded') && resolve()),
      );
    });
    const navigating = new Promise((resolve) => {
      page.on('request', (request) => request.isNavigationRequest() && request.url().endsWith('/profile') && resolve(performance.now()));
    });
    await page.goto(`${server.url}/confirm/t${number}`);
    const question = await validator.asked(`t${number}`);
    await subscribed;
    const answered = performance.now();
    question.valid();
    times.push((await navigating) - answered);
    await context.close();
  }
} finally {
  await browser.close();
  validator.hangUp();
  await server.stop();
  await validator.stop();
}
times.sort((one, other) => one - other);
const here = times[Math.floor(times.length / 2)].toFixed(1);
console.log(`${'answer of the validator to navigation, median, ms'.padEnd(58)} ${here.padStart(12)} ${'50'.padStart(12)}`);
