// The pages as a visitor sees them: their sentences, their buttons, and where they lead.

import { at, expect } from './base.js';

const GO_ON = 'You can close this page: open the link again in this browser to go on.';

export const say = {
  ready: 'Continue to sign in with this link.',
  queued: 'Your link is waiting to be checked.',
  contacting: 'We are checking your link.',
  retrying: (attempt) => `The checking service did not answer. Trying again, attempt ${attempt}.`,
  later: `This check can take several minutes. ${GO_ON}`,
  received: `Your request has been received. The check can take several minutes. ${GO_ON}`,
  reviewing: `Your request is being reviewed. This can take several minutes. ${GO_ON}`,
  almost: `The check is almost done. ${GO_ON}`,
  longer: 'This is taking longer than usual. You can keep this page open.',
  confirmed: 'Your link is valid. Signing you in.',
  rejected: 'This link cannot be used. Taking you to the login page.',
  unavailable: 'Your link could not be checked in time. It may still work.',
  cancelled: 'You cancelled this sign-in.',
  interrupted: 'Connection lost. Trying again.',
  busy: 'The server is busy. Trying again soon.',
  tooMany: 'Too many links are open on your network. Trying again in about a minute.',
};

export const reasons = {
  invalid: 'That link is not valid.',
  expired: 'That link has expired.',
  used: 'That link has already been used.',
  cancelled: 'You cancelled the sign-in.',
};

/** A good password for tests that add a user. */
export const PASSWORD = 'correct-horse-battery-9';

export const PRACTICE = { email: 'practice@example.com', password: 'open-sesame-42' };

export const link = (token) => `/confirm/${token}`;
export const status = (page) => page.getByRole('status');
export const section = (page) => page.locator('section.confirm');
export const step = (page, name) => page.locator(`.step[data-step=${name}]`);
export const button = (page, name) => page.getByRole('button', { name, exact: true });
export const heading = (page, name) => page.getByRole('heading', { level: 1, name, exact: true });

/** Stops the clock of a page that is opened later: it moves only when the test says so. */
export async function stopClock(page) {
  await page.clock.install({ time: 0 });
  await page.clock.pauseAt(60_000);
}

/** Waits until the island has hydrated the page, so that its buttons are no longer the plain form's. */
export const islandIsUp = (page) => page.waitForFunction(() => window.islandIsUp === true);

/** The page is the profile of a user with this name. */
export async function expectProfile(page, name) {
  await expect(page).toHaveURL('/profile');
  await expect(heading(page, 'Your profile')).toBeVisible();
  if (name) await expect(page.locator('.facts')).toContainText(name);
}

/** The page is the login page, with the message for this reason or with none. */
export async function expectLogin(page, reason) {
  await expect(page).toHaveURL(reason ? `/login?reason=${reason}` : /\/login(\?next=.*)?$/);
  await expect(heading(page, 'Sign in')).toBeVisible();
  for (const [known, sentence] of Object.entries(reasons)) {
    await expect(page.getByText(sentence)).toHaveCount(known === reason ? 1 : 0);
  }
}

/** The page waits for an outcome, whichever step it is at. */
export async function expectWaiting(page) {
  await expect(section(page)).toHaveAttribute('data-state', 'waiting');
  await expect(button(page, 'Cancel')).toBeVisible();
}

/** The browser is not signed in: its profile is the login page. */
export async function expectStranger(page) {
  await page.goto('/profile');
  await expectLogin(page);
}

/** Signs in on the login page. */
export async function signIn(page, { email, password }) {
  await page.goto('/login');
  await page.getByLabel('E-mail address').fill(email);
  await page.getByLabel('Password').fill(password);
  await button(page, 'Sign in').click();
}

/** How many browsers the profile lists as signed in. */
export const sessionRows = (page) => page.locator('.sessions > li');

export const pendingCookies = async (context) =>
  (await context.cookies()).filter(({ name }) => name.startsWith('vestibule-pending-'));

export const sessionCookie = async (context) =>
  (await context.cookies()).find(({ name }) => name === 'vestibule-session');

/** Resolves once the page, which is about to be opened, is subscribed to its channel. */
export const subscription = (page) =>
  new Promise((resolve) => {
    page.on('websocket', (socket) =>
      socket.on('framereceived', ({ payload }) => String(payload).includes('subscription_succeeded') && resolve()),
    );
  });

/** Resolves, once the page is subscribed, to how many of these requests it had made by then. */
export const countedAtSubscription = (page, requests) => subscription(page).then(() => requests.length);

/** Waits until the verdict is in the database, as another page of the same browser is told. */
export async function outcomeIsStored(page, token) {
  const ask = () =>
    page.evaluate(async ([address, value]) => {
      const reply = await fetch(address, { method: 'POST', body: new URLSearchParams({ token: value }) });
      return (await reply.json()).progress.state;
    }, [at('/api/status'), token]);
  await expect.poll(ask).toBe('done');
}

/**
 * Answers the page's first request for these addresses, and lets all others pass.
 *
 * The route stays: one with `times: 1` is removed while its request may be in the middle of a redirect, and that
 * navigation is sometimes lost.
 */
export async function routeFirst(page, addresses, answer) {
  let passes = false;
  await page.route(addresses, (route) => {
    if (passes) return route.continue();
    passes = true;
    return answer(route);
  });
}

/** Holds the page's first request for these addresses, and lets all others pass. */
export async function hold(page, addresses) {
  let hold;
  const held = new Promise((resolve) => (hold = resolve));
  await routeFirst(page, addresses, hold);
  return { held };
}

/**
 * Passes the first answer of `path` through `change`. What it returns resolves once the page has taken it: that only
 * the page knows, so it is done there.
 */
export async function changeFirstAnswer(page, path, change) {
  let take;
  const taken = new Promise((resolve) => (take = resolve));
  await page.exposeFunction(`change ${path}`, change);
  await page.exposeFunction(`taken ${path}`, take);
  await page.addInitScript((path) => {
    const { fetch } = window;
    let first = true;
    window.fetch = async (address, ...rest) => {
      const response = await fetch(address, ...rest);
      if (!first || !String(address).endsWith(path)) return response;
      first = false;
      const changed = Response.json(await window[`change ${path}`](await response.json()));
      const text = changed.text.bind(changed);
      changed.text = async () => {
        const read = await text();
        // After all that follows from the answer at once.
        setTimeout(window[`taken ${path}`]);
        return read;
      };
      return changed;
    };
  }, path);
  return { taken };
}

/**
 * Shows a page that says "held" in place of these addresses, which are not asked for. It names an icon: for a page
 * without one, Chromium sometimes asks for the host's own, which there is not where the server shares its host.
 */
export async function holdBefore(page, addresses) {
  const body = '<link rel="icon" href="data:,"><p>held</p>';
  await page.route(addresses, (route) => route.fulfill({ contentType: 'text/html', body }));
}

/** The requests that the page, or all of a context's pages, make to this path from now on. */
export function requestsTo(source, path) {
  const requests = [];
  source.on('request', (request) => {
    if (new URL(request.url()).pathname === at(path)) requests.push(request);
  });
  return requests;
}

/**
 * Waits until the page will ask nothing more by itself within a poll interval: to one of these `questions` for its
 * status, made after the first `earlier`, the server has answered that the validator is being asked.
 *
 * What the page shows is not enough: that may have been announced while a question is still due.
 */
export async function nothingIsDue(questions, earlier = 0) {
  const lastStep = async () => {
    if (questions.length <= earlier) return 'none was asked';
    const replies = await Promise.all(questions.map(async (question) => (await question.response())?.json()));
    return replies.at(-1)?.progress.step?.step;
  };
  await expect.poll(lastStep).toMatch(/^(contacting|retrying)$/);
}
