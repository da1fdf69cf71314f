// What browsers write on their consoles. A test says which messages its own fault causes; any other fails it.

import { expect } from '@playwright/test';

const matches = (wanted, message) => (wanted instanceof RegExp ? wanted.test(message) : wanted === message);

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

  /** Exactly the expected messages, in any order. */
  check() {
    const unexpected = [...this.seen];
    const missing = [];
    for (const wanted of this.expected) {
      const place = unexpected.findIndex((message) => matches(wanted, message));
      if (place === -1) missing.push(String(wanted));
      else unexpected.splice(place, 1);
    }
    expect({ unexpected, missing }, 'the messages on the console').toEqual({ unexpected: [], missing: [] });
  }
}

function pathOf(url) {
  try {
    const { pathname, search } = new URL(url);
    return pathname + search;
  } catch {
    return url;
  }
}
