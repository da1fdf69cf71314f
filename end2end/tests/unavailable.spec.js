// A validator that gives no verdict never counts as one: the link is neither good nor bad, and may be tried again.

import { controlled, practice, expect } from '../support/test.js';
import { ADA } from '../support/validator.js';
import {
  button, expectProfile, expectStranger, link, pendingCookies, say, section, sessionCookie, status,
} from '../support/pages.js';

const identity = { issuer: ADA.issuer, subject: ADA.subject };

practice.describe('a service that is down in practice mode', () => {
  practice.use({ settings: { CONFIRM_DEADLINE: '4s', CONFIRM_ATTEMPT: '1s' } });

  practice('is told, and can be tried again', async ({ page }) => {
    await page.goto('/confirm/down');
    await expect(status(page)).toHaveText(say.unavailable);
    const before = await pendingCookies(page.context());
    await button(page, 'Try again').click();
    await expect(button(page, 'Cancel')).toBeVisible();
    await expect(status(page)).toHaveText(say.unavailable);
    await expect(section(page)).toHaveAttribute('data-state', 'unavailable');
    const after = await pendingCookies(page.context());
    expect(after).toHaveLength(1);
    expect(after[0].value, 'each attempt has a pending secret of its own').not.toBe(before[0].value);
    await expectStranger(page);
  });
});

controlled.describe('a validator without a verdict', () => {
  controlled.use({ settings: { CONFIRM_DEADLINE: '2s', CONFIRM_ATTEMPT: '700ms' } });

  const answers = {
    'garbage': (question) => question.reply(200, '<html>hello</html>'),
    'nothing at all': (question) => question.drop(),
    'nothing, for ever': () => {},
    'an empty answer': (question) => question.reply(200, ''),
    'ten megabytes': (question) =>
      question.reply(200, Buffer.concat([Buffer.from(JSON.stringify({ verdict: 'valid', identity })), Buffer.alloc(10_000_000, ' ')])),
    'an error of its own': (question) => question.reply(500, { verdict: 'invalid', reason: 'used' }),
    'a verdict that does not exist': (question) => question.reply(200, { verdict: 'perhaps' }),
    'a reason that does not exist': (question) => question.reply(200, { verdict: 'invalid', reason: 'dislike' }),
    'a good verdict without an identity': (question) => question.reply(200, { verdict: 'valid' }),
    'a verdict under the wrong status': (question) => question.reply(203, { verdict: 'valid', identity }),
    'a refusal': (question) => question.reply(401, { verdict: 'invalid', reason: 'invalid' }),
  };
  for (const [name, answer] of Object.entries(answers)) {
    controlled(`that answers with ${name} comes to Unavailable`, async ({ page, validator }) => {
      validator.answer = answer;
      await page.goto(link('unjudged'));
      await expect(status(page)).toHaveText(say.unavailable);
      await expect(page).toHaveURL(link('unjudged'));
      await expectStranger(page);
      expect(await sessionCookie(page.context())).toBeUndefined();
    });
  }
});

controlled.describe('a validator without a verdict, with time for a second attempt', () => {
  controlled.use({ settings: { CONFIRM_DEADLINE: '5s', CONFIRM_ATTEMPT: '4s' } });

  controlled('Try again signs in once the service is back', async ({ page, validator }) => {
    validator.answer = (question) => question.busy();
    await page.goto(link('later'));
    await expect(status(page)).toHaveText(say.unavailable);
    validator.answer = (question) => question.valid();
    await button(page, 'Try again').click();
    await expectProfile(page, ADA.name);
    const keys = new Set(validator.questions.map(({ key }) => key));
    expect(keys.size, 'the second confirmation is another one').toBe(2);
  });

  controlled('that redirects is not followed', async ({ page, validator }) => {
    let followed = 0;
    validator.elsewhere = (request, response) => {
      followed += 1;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ verdict: 'valid', identity }));
    };
    validator.answer = (question) => question.reply(307, '', { location: `${validator.origin}/elsewhere` });
    await page.goto(link('redirected'));
    await expect(status(page)).toHaveText(say.unavailable);
    expect(followed, 'the token went nowhere else').toBe(0);
    expect(validator.count(), 'it was asked again').toBeGreaterThan(1);
    await expectStranger(page);
  });
});

controlled('a validator that is busy is asked again when it wants to be, and its verdict counts', async ({ page, validator }) => {
  await page.goto(link('busy'));
  const first = await validator.asked('busy');
  const since = Date.now();
  first.busy(1);
  const second = await validator.asked('busy', 2);
  expect(Date.now() - since, 'Retry-After was honoured').toBeGreaterThanOrEqual(990);
  second.valid();
  await expectProfile(page, ADA.name);
});
