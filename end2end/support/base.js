// The base: where the server's addresses lie. Without one they lie at the root of the host.
//
// Paths in tests are those below the base, whatever it is: what goes to a page and what looks at an address adds it.

import { expect as plain } from '@playwright/test';

/** Empty, or such as `/auth`. */
export const BASE = process.env.VESTIBULE_TEST_BASE ?? '';

/** The path on the host of a path below the base; one that is whole, or a whole address, stays as it is. */
export const at = (path) => (path.startsWith('/') && !`${path}/`.startsWith(`${BASE}/`) ? BASE + path : path);

/** The path below the base of a path on the host. */
export const below = (path) => (BASE && path.startsWith(`${BASE}/`) ? path.slice(BASE.length) : path);

/** Has a page go to paths below the base. */
export function goBelowBase(page) {
  const goto = page.goto.bind(page);
  page.goto = (path, options) => goto(at(path), options);
}

/** Playwright's, where the address of a page may be a path below the base. */
export const expect = plain.extend({
  async toHaveURL(page, path, options) {
    const expectation = this.isNot ? plain(page).not : plain(page);
    try {
      await expectation.toHaveURL(typeof path === 'string' ? at(path) : path, options);
      return { pass: !this.isNot };
    } catch (error) {
      return { pass: this.isNot, message: () => error.message };
    }
  },
});
