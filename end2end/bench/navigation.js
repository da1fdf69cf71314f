// From the validator's answer to the browser's navigation, and what was transferred until then: rows of
// `cargo xtask bench`.

import { chromium } from '@playwright/test';
import { randomBytes } from 'node:crypto';
import { chromium as launch } from '../support/chromium.js';
import { subscription } from '../support/pages.js';
import { Server } from '../support/server.js';
import { bytesOf, transfersUntilProfile } from '../support/transfers.js';
import { ADA, Validator } from '../support/validator.js';
import { row } from './row.js';

const SIGN_INS = 30;

/** How long a frame takes from the page to the broker and back, on a socket of its own, in milliseconds. */
const echo = (page) =>
  page.evaluate(async () => {
    const [, , key] = document.querySelector('[data-settings]').dataset.settings.split(' ');
    const socket = new WebSocket(`ws://${location.host}/app/${key}?protocol=7`);
    const frame = () => new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }));
    await frame();
    const sent = performance.now();
    socket.send('{"event":"pusher:ping","data":{}}');
    await frame();
    const took = performance.now() - sent;
    socket.close();
    return took;
  });

const validator = await Validator.start('bench');
const server = await Server.start({
  VALIDATOR_URL: validator.url,
  VALIDATOR_SECRET: 'bench',
  VALIDATOR_CALLBACK_SECRET: validator.callbackSecret,
  VESTIBULE_SECRET: randomBytes(32).toString('base64'),
});
const browser = await chromium.launch(launch);
const answered = [];
const called = [];
const echoes = [];

/** What one page transfers until it navigates, in KB. */
async function weight() {
  const page = await (await browser.newContext()).newPage();
  const transfers = await transfersUntilProfile(page);
  const subscribed = subscription(page);
  await page.goto(`${server.url}/confirm/weighed`);
  const question = await validator.asked('weighed');
  await subscribed;
  question.valid();
  await page.waitForURL('**/profile');
  await page.context().close();
  return bytesOf(transfers()) / 1_000;
}

/** How long it takes from what `decide` does to the page's navigation, in milliseconds. */
async function navigation(token, decide) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const subscribed = subscription(page);
  const navigating = new Promise((resolve) => {
    page.on('request', (request) => request.isNavigationRequest() && request.url().endsWith('/profile') && resolve(performance.now()));
  });
  await page.goto(`${server.url}/confirm/${token}`);
  const question = await validator.asked(token);
  await subscribed;
  echoes.push(await echo(page));
  const start = await decide(question, page);
  const took = (await navigating) - start;
  await context.close();
  return took;
}

let weighed;
try {
  weighed = await weight();
  for (let number = 0; number < SIGN_INS; number += 1) {
    answered.push(
      await navigation(`t${number}`, (question) => {
        const start = performance.now();
        question.valid();
        return start;
      }),
    );
    called.push(
      await navigation(`c${number}`, async (question, page) => {
        question.later(3600);
        await page.getByText('This check can take several minutes.').waitFor();
        const start = performance.now();
        question.call({ verdict: 'valid', identity: ADA });
        return start;
      }),
    );
  }
} finally {
  await browser.close();
  validator.hangUp();
  await server.stop();
  await validator.stop();
}
const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)];
await row('confirm page until it navigates, with headers, KB', weighed, 55);
await row('a frame from a page to the broker and back, median, ms', median(echoes), '');
await row('answer of the validator to navigation, median, ms', median(answered), 15);
await row('call of the validator to navigation, median, ms', median(called), 20);
