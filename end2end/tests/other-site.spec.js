// Forms that another site sends to ours: refused, and nothing has changed.

import { controlled as test, expect } from '../support/test.js';
import { HOSTS } from '../support/elsewhere.js';
import { ADA } from '../support/validator.js';
import {
  PASSWORD, button, expectProfile, expectStranger, expectWaiting, heading, link, sessionCookie, signIn,
} from '../support/pages.js';

const BOB = { email: 'bob@example.com', name: 'Bob', password: PASSWORD };

const refused = (path) =>
  new RegExp(`^error: Failed to load resource: the server responded with a status of 403 \\(Forbidden\\) \\(${path}\\)$`);

for (const host of HOSTS) {
  test.describe(`from ${host}, another port`, () => {
    test('no one is signed out', async ({ page, context, server, elsewhere, expectConsole }) => {
      expectConsole(refused('/logout'));
      await server.addUser(BOB);
      await signIn(page, BOB);
      await expectProfile(page, BOB.name);
      const { value } = await sessionCookie(context);
      expect(await elsewhere.post(page, host, `${server.url}/logout`, { everywhere: '1' })).toBe(403);
      await expect(heading(page, 'Request refused')).toBeVisible();
      await page.goto('/profile');
      await expectProfile(page, BOB.name);
      expect((await sessionCookie(context)).value).toBe(value);
    });

    test('no one is signed in', async ({ page, context, server, elsewhere, expectConsole }) => {
      expectConsole(refused('/login'));
      await server.addUser(BOB);
      expect(await elsewhere.post(page, host, `${server.url}/login`, BOB)).toBe(403);
      await expect(heading(page, 'Request refused')).toBeVisible();
      expect(await sessionCookie(context)).toBeUndefined();
      await expectStranger(page);
    });

    test('no link is begun', async ({ page, server, elsewhere, validator, expectConsole }) => {
      expectConsole(refused('/confirm/theirs'), refused('/api/begin'), refused('/api/status'));
      expect(await elsewhere.post(page, host, `${server.url}/confirm/theirs`, {})).toBe(403);
      expect(await elsewhere.post(page, host, `${server.url}/api/begin`, { token: 'theirs', again: 'false' })).toBe(403);
      expect(await elsewhere.post(page, host, `${server.url}/api/status`, { token: 'theirs' })).toBe(403);
      expect(validator.count()).toBe(0);
    });

    test('no link is cancelled, and no subscription signed', async ({ page, context, server, elsewhere, validator, expectConsole }) => {
      expectConsole(refused('/api/cancel'), refused('/confirm/mine/cancel'), refused('/pusher/auth'));
      const begun = page.waitForResponse('**/api/begin');
      await page.goto(link('mine'));
      const { channel } = await (await begun).json();
      const question = await validator.asked('mine');
      const tab = await context.newPage();
      expect(await elsewhere.post(tab, host, `${server.url}/api/cancel`, { token: 'mine' })).toBe(403);
      expect(await elsewhere.post(tab, host, `${server.url}/confirm/mine/cancel`, {})).toBe(403);
      const subscription = { token: 'mine', socket_id: '12.34', channel_name: channel };
      expect(await elsewhere.post(tab, host, `${server.url}/pusher/auth`, subscription)).toBe(403);
      await expectWaiting(page);
      question.valid();
      await expectProfile(page, ADA.name);
    });

    test('no one becomes another user', async ({ page, server, elsewhere, validator, expectConsole }) => {
      expectConsole(refused('/continue'));
      await server.addUser(BOB);
      await signIn(page, BOB);
      validator.answer = (question) => question.valid();
      await page.goto(link('hers'));
      await button(page, 'Continue').click();
      await expect(heading(page, `Continue as ${ADA.name}?`)).toBeVisible();
      const choice = await button(page, `Continue as ${ADA.name}`).getAttribute('value');
      expect(await elsewhere.post(page, host, `${server.url}/continue`, { choice })).toBe(403);
      await page.goto('/profile');
      await expect(heading(page, `Continue as ${ADA.name}?`)).toBeVisible();
      await button(page, 'Stay signed in as Bob').click();
      await expectProfile(page, BOB.name);
    });
  });
}
