// Validators that answer later and call back: the published ones of docs/PROTOCOL.md, and the libraries that they sign with.

import { randomBytes } from 'node:crypto';
import { Later, PYTHON, VALIDATORS } from '../support/later.js';
import { expectProfile, link, say, status } from '../support/pages.js';
import { freePorts } from '@vestibule/playwright/program';
import { send } from '../support/raw.js';
import { SIGNERS } from '../support/signers.js';
import { controlled, expect, practice } from '../support/test.js';
import { ADA } from '../support/validator.js';

const newKey = () => `whsec_${randomBytes(32).toString('base64')}`;

/** The same with one bit that is another. */
function flipped(bytes, place) {
  const copy = Buffer.from(bytes);
  copy[place] ^= 1;
  return copy;
}

const withExample = practice.extend({
  /** Which of the published validators. */
  example: ['', { option: true }],

  secrets: async ({}, use) => use({ VALIDATOR_SECRET: randomBytes(24).toString('hex'), VALIDATOR_CALLBACK_SECRET: newKey() }),

  later: async ({ example, secrets }, use) => {
    const later = await Later.start(example, { ...secrets, DELAY: '0' });
    await use(later);
    await later.stop();
  },

  settings: async ({ later, secrets }, use) => {
    const [port] = await freePorts(1);
    await use({
      ...secrets,
      VALIDATOR_URL: `${later.origin}/validate`,
      VESTIBULE_SECRET: randomBytes(32).toString('base64'),
      LEPTOS_SITE_ADDR: `127.0.0.1:${port}`,
      PUBLIC_URL: `http://127.0.0.1:${port}`,
    });
  },
});

for (const example of Object.keys(VALIDATORS)) {
  withExample.describe(example, () => {
    withExample.use({ example });
    withExample.skip(example.endsWith('.py') && !PYTHON, 'there is no Python with standardwebhooks');

    withExample('answers later, calls until its verdict is taken, and so signs in', async ({ page, later, server }) => {
      await page.goto(link('abc123'));
      await expect(status(page)).toHaveText(say.received);
      const [refused, call] = [await later.call(1), await later.call(2)];
      expect(later.callback).toBe(`${server.url}/v1/verdicts`);
      expect(call.body).toEqual(refused.body);
      for (let place = 0; place < call.body.length; place += 1) {
        if (place % 20 === 0) expect(await later.send({ ...call, body: flipped(call.body, place) })).toMatchObject({ status: 401, text: '' });
      }
      await expect(status(page)).toHaveText(say.received);
      call.letThrough();
      await expectProfile(page, 'Ada Lovelace');
      await expect.poll(() => later.calls.map((made) => made.status)).toEqual([503, 204]);
      expect(later.answers).toEqual([202]);
    });

    withExample('takes a token once, and tells only who has its secret', async ({ page, later, anotherBrowser }) => {
      await page.goto(link('abc123'));
      (await later.call(2)).letThrough();
      await expectProfile(page, 'Ada Lovelace');
      const other = await (await anotherBrowser()).newPage();
      await other.goto(link('abc123'));
      await expect(status(other)).toHaveText(say.received);
      (await later.call(3)).letThrough();
      await expect(other).toHaveURL('/login?reason=used');
      const body = JSON.stringify({ token: 'abc123', confirmation: '0f'.repeat(16), callback: later.callback });
      for (const authorization of ['', 'Bearer ', `Bearer ${randomBytes(24).toString('hex')}`, 'Bearer \u00fc']) {
        const asked = send(`http://127.0.0.1:${later.port}`, { method: 'POST', headers: { authorization }, body });
        expect(await asked).toMatchObject({ status: 401, text: '' });
      }
    });
  });
}

const withKey = controlled.extend({
  key: async ({}, use) => use(newKey()),
  settings: async ({ key }, use) => use({ VALIDATOR_CALLBACK_SECRET: `${newKey()},${key}` }),
});

for (const [name, sign] of Object.entries(SIGNERS)) {
  withKey.describe(name, () => {
    withKey.skip(name.startsWith('PyPI') && !PYTHON, 'there is no Python with standardwebhooks');

    withKey('signs what is taken, and nothing that has changed since', async ({ page, context, server, validator, key }) => {
      await page.goto(link('hers'));
      const question = await validator.asked('hers');
      question.later(3600);
      await expect(status(page)).toHaveText(say.later);
      const another = await context.newPage();
      await another.goto(link('another'));
      const other = await validator.asked('another');
      other.later(3600);

      const verdict = { confirmation: question.key, verdict: 'valid', identity: { ...ADA, name: 'Ada “Amazing” Lovelace ☂' } };
      const body = JSON.stringify(verdict);
      const used = JSON.stringify({ confirmation: question.key, verdict: 'invalid', reason: 'used' });
      const now = Math.floor(Date.now() / 1000);
      const signed = async (calls, by = key) => {
        const full = calls.map((call) => ({ id: 'msg-1', seconds: now, body, ...call }));
        const signatures = await sign(by, full);
        return full.map((call, place) => ({ ...call, signature: signatures[place] }));
      };
      const call = async ({ id, seconds, signature, body: sent }) => {
        const headers = { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signature };
        const answer = await send(`${server.url}/v1/verdicts`, { method: 'POST', headers, body: sent });
        return [answer.status, answer.text];
      };

      const [good, old, early, contrary] = await signed([{}, { seconds: now - 301 }, { seconds: now + 900 }, { body: used }]);
      const [stranger] = await signed([{}], newKey());
      const bytes = Buffer.from(good.signature.slice('v1,'.length), 'base64');
      const forged = {
        'a bit of the signature': { ...good, signature: `v1,${flipped(bytes, 7).toString('base64')}` },
        'a bit of the body': { ...good, body: flipped(Buffer.from(body), body.indexOf('Ada')) },
        "another confirmation's id": { ...good, body: body.replace(question.key, other.key) },
        'another spelling': { ...good, body: JSON.stringify(verdict, undefined, 1) },
        'another webhook-id': { ...good, id: 'msg-2' },
        'another time': { ...good, seconds: now - 1 },
        'an old time': old,
        'a time to come': early,
        'another key': stranger,
      };
      for (const [what, wrong] of Object.entries(forged)) expect(await call(wrong), what).toEqual([401, '']);
      for (const waiting of [page, another]) await expect(status(waiting)).toHaveText(say.later);

      // While keys change, a call may be signed with both.
      expect(await call({ ...good, signature: `${stranger.signature} ${good.signature}` })).toEqual([204, '']);
      await expectProfile(page, 'Ada “Amazing” Lovelace ☂');
      expect(await call(good), 'sent again').toEqual([204, '']);
      expect(await call(contrary), 'decided before').toMatchObject([409, expect.stringContaining('decided before')]);
    });
  });
}
