// What browsers write to their consoles. A test lists the messages that its own faults cause; any other fails it.

import { below, expect } from './base.js';

const matches = (wanted, message) => (wanted instanceof RegExp ? wanted.test(message) : wanted === message);

/** A message that may or may not come: a browser that finds a preload in progress does not ask again. */
export const perhaps = (wanted) => ({ perhaps: wanted });

/** A message that may come any number of times. */
export const some = (wanted) => Array.from({ length: 50 }, () => perhaps(wanted));

/** What Chromium says after some seconds of a page without JavaScript, whose scripts are preloaded for nothing. */
export const unusedPreload = some(/^warning: The resource \S+ was preloaded using link preload but not used within a few seconds/);

export class ConsoleLog {
  seen = [];
  expected = [];

  watch(context) {
    context.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return;
      this.seen.push(`${message.type()}: ${message.text()} (${pathOf(message.location().url)})`);
    });
    context.on('weberror', (error) => this.seen.push(`uncaught: ${error.error()?.message ?? error.error()}`));
  }

  /** Exactly the expected messages, in any order, with or without the optional ones. */
  check() {
    const unexpected = [...this.seen];
    const missing = [];
    for (const wanted of this.expected) {
      const place = unexpected.findIndex((message) => matches(wanted.perhaps ?? wanted, message));
      if (place !== -1) unexpected.splice(place, 1);
      else if (!wanted.perhaps) missing.push(String(wanted));
    }
    expect({ unexpected, missing }, 'the messages on the console').toEqual({ unexpected: [], missing: [] });
  }
}

function pathOf(url) {
  try {
    const { pathname, search } = new URL(url);
    return below(pathname + search);
  } catch {
    return url;
  }
}
