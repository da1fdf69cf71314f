// What other people's libraries make of our assertions, and of what only looks like one.

import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLocalJWKSet, createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { Program } from '@vestibule/playwright/program';
import { send } from '../support/raw.js';
import { PRACTICE, expectProfile, signIn } from '../support/pages.js';
import { practice as test, expect } from '../support/test.js';

const PYTHON = process.env.VESTIBULE_TEST_DJANGO;

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const parts = (jws) => jws.split('.');
const header = (jws) => JSON.parse(Buffer.from(parts(jws)[0], 'base64url'));

/** An assertion of a user who is signed in here, and what verifies it. */
async function asserted(page, context, server) {
  await signIn(page, PRACTICE);
  await expectProfile(page);
  const cookies = Object.fromEntries((await context.cookies()).map(({ name, value }) => [name, value]));
  const ask = async () => (await send(`${server.url}/v1/authorize`, { cookies })).headers['vestibule-assertion'];
  const jws = await ask();
  const jwks = JSON.parse((await send(`${server.url}/.well-known/jwks.json`)).text);
  return { ask, jws, jwks, issuer: server.url, audience: new URL(server.url).origin };
}

/** What a program that takes anything for an assertion would take: each a lie of its own. */
function forgeries({ jws, jwks }) {
  const [head, claims, signature] = parts(jws);
  const { kid } = header(jws);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signed = (text, key) => `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  const other = encode({ ...decodeJwt(jws), sub: '0'.repeat(32) });
  const jwk = jwks.keys.find((key) => key.kid === kid);
  const hmac = (text, secret) => `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  const flipped = Buffer.from(signature, 'base64url');
  flipped[7] ^= 1;
  return {
    'another user': `${head}.${other}.${signature}`,
    'a bit of the signature': `${head}.${claims}.${flipped.toString('base64url')}`,
    'another key under the same id': signed(`${head}.${other}`, privateKey),
    'a key that is not published': signed(`${encode({ alg: 'ES256', kid: 'x', typ: 'JWT' })}.${other}`, privateKey),
    'no signature': `${encode({ alg: 'none', kid, typ: 'JWT' })}.${other}.`,
    'the public key as a password': hmac(`${encode({ alg: 'HS256', kid, typ: 'JWT' })}.${other}`, JSON.stringify(jwk)),
    'the point as a password': hmac(`${encode({ alg: 'HS256', kid, typ: 'JWT' })}.${other}`, Buffer.from(jwk.x + jwk.y, 'base64url')),
    nothing: '',
  };
}

test('jose takes an assertion, for a minute and for whom it is', async ({ page, context, server }) => {
  const given = await asserted(page, context, server);
  const { jws, jwks, issuer, audience } = given;
  const keys = createLocalJWKSet(jwks);
  const expected = { issuer, audience, algorithms: ['ES256'] };
  const { payload } = await jwtVerify(jws, keys, expected);
  expect(payload.exp - payload.iat).toBe(60);
  const refused = async (text, changes = {}) => expect(jwtVerify(text, keys, { ...expected, ...changes })).rejects.toThrow();
  await refused(jws, { audience: 'https://other.example' });
  await refused(jws, { issuer: 'https://other.example/auth' });
  await refused(jws, { currentDate: new Date((payload.exp + 1) * 1000) });
  for (const forged of Object.values(forgeries(given))) await refused(forged);
});

test('PyJWT takes an assertion for whom it is', async ({ page, context, server }) => {
  test.skip(!PYTHON, 'there is no PyJWT');
  const given = await asserted(page, context, server);
  const file = fileURLToPath(new URL('verify.py', import.meta.url));
  const verify = async (changes = {}) => {
    const program = await Program.start(PYTHON, [file], { input: JSON.stringify({ ...given, ask: undefined, ...changes }) });
    expect(await program.ended).toBe(0);
    return JSON.parse(program.log);
  };
  expect(await verify()).toEqual({ sub: decodeJwt(given.jws).sub });
  expect(await verify({ audience: 'https://other.example' })).toEqual({ refused: 'InvalidAudienceError' });
  expect(await verify({ issuer: 'https://other.example/auth' })).toEqual({ refused: 'InvalidIssuerError' });
  for (const [lie, jws] of Object.entries(forgeries(given))) {
    expect(await verify({ jws }), lie).toEqual({ refused: expect.any(String) });
  }
});

test('a rotation of the keys fails no verification', async ({ page, context, server }) => {
  test.skip(!PYTHON, 'there is no Python');
  test.slow();
  const { ask, jws, issuer, audience } = await asserted(page, context, server);
  const keys = createRemoteJWKSet(new URL(`${server.url}/.well-known/jwks.json`));
  let verified = 0;
  const verify = async () => {
    const asked = await ask();
    await jwtVerify(asked, keys, { issuer, audience, algorithms: ['ES256'] });
    verified += 1;
    return header(asked).kid;
  };
  await verify();
  // As if a quarter of an hour had passed since the keys were made.
  const earlier = `update settings set value = (cast(substr(value, 1, instr(value, ' ') - 1) as integer) - 3600000)
    || substr(value, instr(value, ' ')) where name = 'signing_keys'`;
  const script = 'import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute(sys.argv[2]); d.commit()';
  const program = await Program.start(PYTHON, ['-c', script, path.join(server.folder, 'vestibule.db'), earlier], {});
  expect(await program.ended).toBe(0);
  const { code, stdout } = await server.command(['key', 'rotate', '--json']);
  expect(code).toBe(0);
  const { key } = JSON.parse(stdout);
  expect(key).not.toBe(header(jws).kid);
  await expect(async () => expect(await verify()).toBe(key)).toPass({ intervals: [20] });
  for (let more = 0; more < 50; more += 1) expect(await verify()).toBe(key);
  expect(verified).toBeGreaterThan(50);
});
