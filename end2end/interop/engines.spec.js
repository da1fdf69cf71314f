// The same journeys in the engines of Firefox and of Safari. Neither is iOS: how sockets sleep there stays untested.

import { some } from '../support/console.js';
import { eventually, fixtures, isAt, press, shows } from '../support/engines.js';
import { FIREFOX, Firefox } from '../support/firefox.js';
import { ADDRESS, OPEN_IT } from '../support/links.js';
import { Network } from '../support/network.js';
import { PRACTICE, link, reasons, say } from '../support/pages.js';
import { controlled, expect, practice } from '../support/test.js';
import { ADA } from '../support/validator.js';
import { WEBKIT, WebKit } from '../support/webkit.js';

const STATUS = '[role=status]';

/** What Firefox says of a socket that was not let through. */
const refused = some(/^uncaught: Firefox can’t establish a connection to the server at ws:/);

/** Opens a link, and waits until the page says that the validator is being asked; returns that question. */
async function open(tab, validator, token) {
  await tab.goto(link(token));
  const question = await validator.asked(token);
  await shows(tab, STATUS, say.contacting);
  return question;
}

async function isSignedIn(tab, name) {
  await isAt(tab, '/profile');
  await shows(tab, '.facts', name);
}

async function isSignedOut(tab, reason) {
  await isAt(tab, `/login?reason=${reason}`);
  await shows(tab, 'main', reasons[reason]);
  await tab.goto('/profile');
  await shows(tab, 'h1', 'Sign in');
}

function journeys(name, program, Engine) {
  const inEngine = fixtures(Engine);
  const test = controlled.extend({
    ...inEngine,

    network: async ({ server }, use) => {
      const network = await Network.to(server);
      await use(network);
      await network.cut();
    },

    /** The browser finds the server through the network. */
    baseURL: async ({ network }, use) => use(network.url),
  });
  const atPractice = practice.extend(inEngine);

  test.describe(name, () => {
    test.skip(!program, `there is no ${name}`);
    // One engine, which all of them share.
    test.describe.configure({ mode: 'default' });

    test('a valid link signs in, until the user signs out', async ({ tab, validator }) => {
      (await open(tab, validator, 'valid')).valid();
      await isSignedIn(tab, ADA.name);
      await press(tab, 'Sign out');
      await shows(tab, 'h1', 'Sign in');
      await tab.goto('/profile');
      await isAt(tab, '/login?next=%2Fprofile');
    });

    test('a link that is refused leads to the login page, which says why', async ({ tab, validator }) => {
      (await open(tab, validator, 'refused')).invalid('expired');
      await isSignedOut(tab, 'expired');
    });

    test('Cancel ends the sign-in, whatever the validator says afterwards', async ({ tab, validator }) => {
      const question = await open(tab, validator, 'unwanted');
      await press(tab, 'Cancel');
      await isAt(tab, '/login?reason=cancelled');
      question.valid();
      await isSignedOut(tab, 'cancelled');
    });

    test('a page that is reloaded while it waits is still the same confirmation', async ({ tab, validator }) => {
      const question = await open(tab, validator, 'reloaded');
      await tab.reload();
      await shows(tab, STATUS, say.contacting);
      question.valid();
      await isSignedIn(tab, ADA.name);
      expect(validator.count()).toBe(1);
    });

    test('the same link in a second tab is one sign-in, and both tabs end at the profile', async ({ tab, validator }) => {
      const question = await open(tab, validator, 'twice');
      const other = await tab.browser.newTab();
      await other.goto(link('twice'));
      await shows(other, STATUS, say.contacting);
      question.valid();
      await isSignedIn(other, ADA.name);
      await isSignedIn(tab, ADA.name);
      expect(validator.count()).toBe(1);
    });

    test('a page that is left and found again by the back button asks what it has missed', async ({ tab, server, validator }) => {
      const question = await open(tab, validator, 'kept');
      await tab.run("addEventListener('pageshow', ({ persisted }) => sessionStorage.setItem('kept', persisted))");
      await tab.goto('/login');
      await shows(tab, 'h1', 'Sign in');
      question.valid();
      await eventually(() => expect(server.log).toContain('Confirmed('));
      await tab.back();
      await isSignedIn(tab, ADA.name);
      const kept = await tab.run("return sessionStorage.getItem('kept')");
      expect(kept, 'whether the page came from the back-forward cache').toBe(Engine.keepsPagesWithSockets ? 'true' : null);
    });

    test('a network that goes and comes back: the page says so, and finishes', async ({ tab, network, validator, expectConsole }) => {
      expectConsole(...refused);
      const question = await open(tab, validator, 'tunnel');
      await network.cut();
      await tab.run("dispatchEvent(new Event('online'))");
      await shows(tab, STATUS, say.interrupted);
      question.valid();
      await network.mend();
      await isSignedIn(tab, ADA.name);
    });

    atPractice('a mailed link signs in, and the tab that waits for it goes on by itself', async ({ tab, nextMail }) => {
      await tab.goto('/login');
      await tab.fill('input[name=email]', ADDRESS);
      await press(tab, 'Send me a link instead');
      await shows(tab, STATUS, OPEN_IT);
      const { link: mailed } = await nextMail(ADDRESS);
      const other = await tab.browser.newTab();
      await other.goto(mailed);
      await isSignedIn(other, ADDRESS);
      await isSignedIn(tab, ADDRESS);
    });

    atPractice('the code of a mail signs in', async ({ tab, nextMail }) => {
      await tab.goto('/login');
      await tab.fill('input[name=email]', ADDRESS);
      await press(tab, 'Send me a link instead');
      await shows(tab, STATUS, OPEN_IT);
      await tab.fill('input[name=code]', (await nextMail(ADDRESS)).code);
      await press(tab, 'Sign in with the code');
      await isSignedIn(tab, ADDRESS);
    });

    atPractice('a password signs in', async ({ tab }) => {
      await tab.goto('/login');
      await tab.fill('input[name=email]', PRACTICE.email);
      await tab.fill('input[name=password]', PRACTICE.password);
      await press(tab, 'Sign in');
      await isSignedIn(tab, PRACTICE.email);
    });

    test.describe('behind a proxy that lets no socket through', () => {
      test.use({ settings: { CONFIRM_POLL: '1s' } });

      test('a sign-in completes by asking', async ({ tab, network, validator, expectConsole }) => {
        expectConsole(...refused);
        network.refusesSockets = true;
        (await open(tab, validator, 'office')).valid();
        await isSignedIn(tab, ADA.name);
      });
    });

    test.describe('with a validator that gives no verdict', () => {
      test.use({ settings: { CONFIRM_DEADLINE: '4s', CONFIRM_ATTEMPT: '3s' } });

      test('the page says so, and Try again signs in once there is one', async ({ tab, validator }) => {
        validator.answer = (question) => question.busy();
        await tab.goto(link('later'));
        await shows(tab, STATUS, say.unavailable);
        validator.answer = (question) => question.valid();
        await press(tab, 'Try again');
        await isSignedIn(tab, ADA.name);
      });
    });

    test.describe('with CONFIRM_START=click', () => {
      test.use({ settings: { CONFIRM_START: 'click' } });

      test('the button begins', async ({ tab, validator }) => {
        await tab.goto(link('clicked'));
        await shows(tab, STATUS, say.ready);
        expect(validator.count()).toBe(0);
        await press(tab, 'Continue');
        (await validator.asked('clicked')).valid();
        await isSignedIn(tab, ADA.name);
      });
    });
  });
}

journeys('Firefox', FIREFOX, Firefox);
journeys('WebKit', WEBKIT, WebKit);
