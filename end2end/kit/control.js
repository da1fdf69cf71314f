// The control of practice mode, over HTTP: docs/TESTING.md in Vestibule's repository has its addresses.

export class Control {
  /** The control of the practice mode whose `OPS_ADDR` is at this address, such as `http://127.0.0.1:3080`. */
  constructor(url) {
    this.url = url;
  }

  /** Has the validator give these answers for the token, one for each question, and the last one from then on. */
  async script(token, answers) {
    await this.#send('PUT', `/practice/tokens/${encodeURIComponent(token)}`, { answers });
  }

  /** The mails to this address, or to everyone, the newest first. */
  mails(address) {
    return this.#send('GET', `/practice/mail${query({ to: address })}`);
  }

  /** The undecided sign-ins, and those that the validator was asked about, the oldest first. */
  confirmations(token) {
    return this.#send('GET', `/practice/confirmations${query({ token })}`);
  }

  /** Lets this much time pass, such as `20m`, and returns the time that it is then. */
  async advance(time) {
    const { now } = await this.#send('POST', '/practice/clock', { advance: time });
    return new Date(now);
  }

  /** A new session of this user: its `cookies`, and the `user`. */
  signIn(identity) {
    return this.#send('POST', '/practice/sign-in', identity);
  }

  async #send(method, path, body) {
    const headers = body ? { 'content-type': 'application/json' } : {};
    const answer = await fetch(this.url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}: ${text.trim()}`);
    return text ? JSON.parse(text) : undefined;
  }
}

/** A query with those of these fields that are there. */
function query(fields) {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length ? `?${new URLSearchParams(given)}` : '';
}
