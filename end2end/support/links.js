// Our own sign-in links: requested on the login page, read in the mailbox of practice mode.

import { expect } from './base.js';
import { perhaps } from './console.js';
import { button, heading, subscription } from './pages.js';

export const ADDRESS = 'grace@example.com';
/** Another address that she may change to. */
export const KING = 'king@example.com';
export const OPEN_IT = 'Open the link in the e-mail. This page then continues by itself.';

/** The message of a page whose cookie another page of the same browser has just exchanged. */
export const overtaken = perhaps(/^error: Failed to load resource: the server responded with a status of 403 \(Forbidden\) \(\/pusher\/auth\)$/);

/** Requests a link, and waits until the page waits for it. */
export async function ask(page, address = ADDRESS) {
  const subscribed = subscription(page);
  await page.goto('/login');
  await page.getByLabel('E-mail address').fill(address);
  await button(page, 'Send me a link instead').click();
  await expect(heading(page, 'Check your e-mail')).toBeVisible();
  await subscribed;
}

/** The newest mail with a link to sign in to the address. */
export const mail = (server, address = ADDRESS) => mailAbout(server, 'Your link to sign in', address);

/** The newest mail with this subject to the address. */
export async function mailAbout(server, subject, address = ADDRESS) {
  let newest;
  const look = async () => {
    newest = (await server.control.mails(address)).find((mail) => mail.subject === subject);
    return newest !== undefined;
  };
  await expect.poll(look, `whether there is a mail to ${address}: ${subject}`).toBe(true);
  return { ...newest, link: newest.link && new URL(newest.link).pathname };
}

/** Types a code into the page that waits for it, which signs in. */
export async function typeCode(page, code) {
  await page.getByLabel('Or enter the code from the e-mail').fill(code);
  await button(page, 'Sign in with the code').click();
}

/** Types the waiting page's number into the page where the link was opened elsewhere. */
export async function typeNumber(page, number) {
  await page.getByLabel('Two-digit number').fill(number);
  await button(page, 'Sign in there').click();
}

/** Requests a link to set a new password, on the login page. */
export async function forget(page, address = ADDRESS) {
  await page.goto('/login');
  await page.getByLabel('E-mail address').fill(address);
  await button(page, 'Send a link to set a new one').click();
  await expect(heading(page, 'Check your e-mail')).toBeVisible();
}

/** The number that the waiting page shows. */
export const number = (page) => page.locator('.number').innerText();
