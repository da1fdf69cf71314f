// Secrets and tokens stay where they belong: not in the log, not in the database, not in a push, not in a Referer.

import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { at } from '../support/base.js';
import { controlled as test, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import {
  PASSWORD, button, expectLogin, expectProfile, link, pendingCookies, sessionCookie, signIn,
} from '../support/pages.js';

const TOKEN = 'sesame-4711-Xyzzy-0815';
const BOB = { email: 'bob@example.com', name: 'Bob', password: PASSWORD };

/** The forms in which a secret could turn up: as the cookie's text, and as the bytes in it, plain and in hexadecimal. */
function guises(cookie) {
  const bytes = Buffer.from(cookie.value, 'base64url').subarray(0, 32);
  return { text: Buffer.from(cookie.value), bytes, hexadecimal: Buffer.from(bytes.toString('hex')) };
}

async function contentsOf(folder) {
  const files = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await contentsOf(place)));
    else files.push({ name: entry.name, bytes: await readFile(place) });
  }
  return files;
}

test.describe('with the most talkative log', () => {
  test.use({ settings: { RUST_LOG: 'trace' } });

  test('neither token nor secret is in the log, the database or a push', async ({ page, context, validator, server }) => {
    await server.addUser(BOB);
    const frames = [];
    page.on('websocket', (socket) => {
      for (const event of ['framereceived', 'framesent']) socket.on(event, ({ payload }) => frames.push(String(payload)));
    });
    await page.goto(link(TOKEN));
    const question = await validator.asked(TOKEN);
    const [pending] = await pendingCookies(context);
    const waiting = await contentsOf(server.folder);
    question.valid();
    await expectProfile(page, ADA.name);
    const session = await sessionCookie(context);
    await page.goto('/profile');
    const signedIn = await contentsOf(server.folder);
    await button(page, 'Sign out').click();
    await expectLogin(page);
    await signIn(page, BOB);
    await expectProfile(page, BOB.name);
    const second = await sessionCookie(context);

    const secrets = {
      'the token': Buffer.from(TOKEN),
      'the password': Buffer.from(PASSWORD),
      "the validator's secret": Buffer.from(validator.secret),
      "the server's secret": Buffer.from(server.environment.VESTIBULE_SECRET),
    };
    for (const [name, cookie] of Object.entries({ pending, session, second })) {
      for (const [guise, bytes] of Object.entries(guises(cookie))) secrets[`the ${name} secret as ${guise}`] = bytes;
    }
    const places = [{ name: 'the log', bytes: Buffer.from(server.log) }, { name: 'a push', bytes: Buffer.from(frames.join('\n')) }];
    expect(waiting.some(({ name }) => name.includes('.db'))).toBe(true);
    expect(frames.length).toBeGreaterThan(2);
    for (const [what, secret] of Object.entries(secrets)) {
      for (const place of [...places, ...waiting, ...signedIn]) {
        expect(place.bytes.includes(secret), `${what} in ${place.name}`).toBe(false);
      }
    }
  });
});

test('no request tells another page’s address', async ({ page, validator }) => {
  const referers = [];
  page.on('request', async (request) => referers.push((await request.allHeaders()).referer ?? ''));
  await page.goto(link(TOKEN));
  (await validator.asked(TOKEN)).valid();
  await expectProfile(page, ADA.name);
  expect(referers.length).toBeGreaterThan(4);
  expect(referers.filter((referer) => referer.includes(TOKEN))).toEqual([]);
});

test('pages with secrets are not stored, and run nothing but their own scripts', async ({ page, validator }) => {
  const landing = await page.goto(link(TOKEN));
  (await validator.asked(TOKEN)).valid();
  await expectProfile(page, ADA.name);
  const profile = await page.reload();
  const login = await page.goto('/confirm/another-one');
  for (const answer of [landing, profile, login]) {
    const headers = await answer.allHeaders();
    expect(headers['cache-control']).toContain('no-store');
    expect(headers['referrer-policy']).toBe('strict-origin');
    expect(headers['x-content-type-options']).toBe('nosniff');
    const policy = headers['content-security-policy'];
    for (const rule of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"]) expect(policy).toContain(rule);
    const scripts = answer === profile ? [] : ["'strict-dynamic'", "'wasm-unsafe-eval'"];
    for (const rule of scripts) expect(policy).toContain(rule);
    expect(policy).not.toMatch(scripts.length ? /unsafe-inline|'unsafe-eval'/ : /script-src|unsafe/);
  }
});

test('a landing asks no service and stores nothing', async ({ request, validator, server }) => {
  const before = await contentsOf(server.folder);
  for (let visit = 0; visit < 20; visit += 1) {
    const answer = await request.get(at(link(`scanned-${visit}`)));
    expect(answer.status()).toBe(200);
    await request.head(at(link(`scanned-${visit}`)));
  }
  const after = await contentsOf(server.folder);
  const sizes = (files) => Object.fromEntries(files.map(({ name, bytes }) => [name, bytes.length]));
  expect(sizes(after)).toEqual(sizes(before));
  expect(validator.count()).toBe(0);
});
