// The control of practice mode, over HTTP: docs/TESTING.md in Vestibule's repository has its addresses.

/** @import { Answer, Confirmation, Cookie, Identity, Mail, User } from './types/index.js' */

export class Control {
  /**
   * The control of the practice mode whose `OPS_ADDR` is at this address, such as `http://127.0.0.1:3080`.
   *
   * @param {string} url
   */
  constructor(url) {
    this.url = url;
  }

  /**
   * Has the validator give these answers for the token, one for each question, and the last one from then on.
   *
   * @param {string} token
   * @param {Answer[]} answers
   * @returns {Promise<void>}
   */
  async script(token, answers) {
    await this.#send('PUT', `/practice/tokens/${encodeURIComponent(token)}`, { answers });
  }

  /**
   * The mails to this address, or to everyone, the newest first.
   *
   * @param {string} [address]
   * @returns {Promise<Mail[]>}
   */
  mails(address) {
    return this.#send('GET', `/practice/mail${query({ to: address })}`);
  }

  /**
   * The undecided sign-ins, and those that the validator was asked about, the oldest first.
   *
   * @param {string} [token]
   * @returns {Promise<Confirmation[]>}
   */
  confirmations(token) {
    return this.#send('GET', `/practice/confirmations${query({ token })}`);
  }

  /**
   * Lets this much time pass, such as `20m`, and returns the time that it is then.
   *
   * @param {string} time
   */
  async advance(time) {
    const { now } = await this.#send('POST', '/practice/clock', { advance: time });
    return new Date(now);
  }

  /**
   * A new session of this user: its `cookies`, and the `user`.
   *
   * @param {Identity} identity
   * @returns {Promise<{ cookies: Cookie[], user: User }>}
   */
  signIn(identity) {
    return this.#send('POST', '/practice/sign-in', identity);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  async #send(method, path, body) {
    const json = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await fetch(this.url + path, { method, ...json });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}: ${text.trim()}`);
    return text ? JSON.parse(text) : undefined;
  }
}

/**
 * A query with those of these fields that are there.
 *
 * @param {Record<string, string | undefined>} fields
 */
function query(fields) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) query.set(name, value);
  }
  const text = String(query);
  return text && `?${text}`;
}
