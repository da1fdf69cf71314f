// A validator whose answers a test gives by hand. It follows the contract in docs/PROTOCOL.md.

import { createHmac, randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';

export const ADA = { issuer: 'https://id.example', subject: 'ada', name: 'Ada Lovelace', email: 'ada@example.com' };
export const GRACE = { issuer: 'https://id.example', subject: 'grace', name: 'Grace Hopper', email: 'grace@example.com' };

const ASKED_WITHIN = 20_000;

/** A request from the server, and every way to answer it. */
class Question {
  constructor(token, callback, sign, key, response) {
    Object.assign(this, { token, callback, sign, key, response });
  }

  reply(status, body, headers = {}) {
    this.response.writeHead(status, { 'content-type': 'application/json', ...headers });
    this.response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  }

  valid(identity = ADA) {
    this.reply(200, { verdict: 'valid', identity });
  }

  invalid(reason) {
    this.reply(200, { verdict: 'invalid', reason });
  }

  busy(seconds) {
    this.reply(503, '', seconds === undefined ? {} : { 'retry-after': String(seconds) });
  }

  /** Answers later: it is to be asked again after so many seconds, and is at this step. */
  later(seconds, step) {
    this.reply(202, step ? { verdict: 'pending', step } : '', { 'retry-after': String(seconds) });
  }

  /** Calls back with what it has to say, and returns the status of the answer. */
  async call(said) {
    const body = JSON.stringify({ confirmation: this.key, ...said });
    const { status } = await fetch(this.callback, { method: 'POST', headers: this.sign(body), body });
    return status;
  }

  /** Hangs up without an answer. */
  drop() {
    this.response.destroy();
  }
}

export class Validator {
  questions = [];
  /** What the server did that the contract does not allow. */
  faults = [];
  /** Answers at once, when set; otherwise each question waits for the test. */
  answer = undefined;
  /** Answers requests that are not questions, when set. */
  elsewhere = undefined;

  /** The key with which it signs its calls. */
  callbackKey = randomBytes(32);

  constructor(secret) {
    this.secret = secret;
    this.events = new EventEmitter();
    this.server = createServer((request, response) => this.#hear(request, response));
  }

  static async start(secret) {
    const validator = new Validator(secret);
    validator.server.listen(0, '127.0.0.1');
    await once(validator.server, 'listening');
    validator.origin = `http://127.0.0.1:${validator.server.address().port}`;
    validator.url = `${validator.origin}/validate`;
    return validator;
  }

  /** The same as a setting. */
  get callbackSecret() {
    return `whsec_${this.callbackKey.toString('base64')}`;
  }

  /** The headers of a call with this body (Standard Webhooks 1.0.0). */
  sign(body) {
    const id = randomBytes(16).toString('hex');
    const timestamp = String(Math.floor(Date.now() / 1000));
    const mac = createHmac('sha256', this.callbackKey).update(`${id}.${timestamp}.${body}`).digest('base64');
    return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` };
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** Hangs up on every question that is still open: the server waits for answers before it ends. */
  hangUp() {
    this.answer = (question) => question.drop();
    for (const { response } of this.questions) response.destroy();
  }

  /** How often the server has asked about `token`; without one, about any. */
  count(token) {
    return this.questions.filter((question) => token === undefined || question.token === token).length;
  }

  /** Waits until the server has asked about `token` for the `nth` time, and returns that question. */
  async asked(token, nth = 1) {
    const signal = AbortSignal.timeout(ASKED_WITHIN);
    for (;;) {
      const question = this.questions.filter((asked) => asked.token === token)[nth - 1];
      if (question) return question;
      await once(this.events, 'question', { signal }).catch(() => {
        throw new Error(`the server did not ask about ${token} for time ${nth}; it asked ${this.count(token)} times`);
      });
    }
  }

  async #hear(request, response) {
    if (request.url !== '/validate') {
      this.elsewhere ? this.elsewhere(request, response) : response.writeHead(404).end();
      return;
    }
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const { 'idempotency-key': key, authorization } = request.headers;
    if (request.method !== 'POST') this.faults.push(`it asked by ${request.method}`);
    if (!key) this.faults.push('it sent no Idempotency-Key');
    if (authorization !== `Bearer ${this.secret}`) this.faults.push(`it sent Authorization: ${authorization}`);
    let asked = {};
    try {
      asked = JSON.parse(text);
    } catch {
      this.faults.push(`it sent ${text}`);
    }
    const { token, confirmation, callback, deadline } = asked;
    if (confirmation !== key) this.faults.push(`it named the confirmation ${confirmation} and the key ${key}`);
    // On a busy machine the question may arrive after it.
    if (Number.isNaN(Date.parse(deadline))) this.faults.push(`it named the deadline ${deadline}`);
    const question = new Question(token, callback, (body) => this.sign(body), key, response);
    this.questions.push(question);
    this.answer?.(question);
    this.events.emit('question');
  }
}
