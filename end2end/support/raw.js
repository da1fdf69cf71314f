// HTTP without a browser: only what a test says is sent, and no redirect is followed.

import * as http from 'node:http';
import * as https from 'node:https';
import { at } from './base.js';

/**
 * Sends one request and reads the whole answer. `body` is sent as it is, `form` URL-encoded, `cookies` as a Cookie header;
 * the other options say how to connect.
 */
export function send(url, { method = 'GET', headers = {}, body: bytes, form, cookies = {}, ...connection } = {}) {
  const { request } = new URL(url).protocol === 'https:' ? https : http;
  const body = form === undefined ? bytes : new URLSearchParams(form).toString();
  const pairs = Object.entries(cookies).map(([name, value]) => `${name}=${value}`);
  const all = {
    ...(pairs.length > 0 && { cookie: pairs.join('; ') }),
    ...(form !== undefined && {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': Buffer.byteLength(body),
    }),
    ...headers,
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...connection, method, headers: all, timeout: 10_000 }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      const answered = Buffer.concat(chunks);
      const setCookies = (response.headers['set-cookie'] ?? []).map(readCookie);
      resolve({ status: response.statusCode, headers: response.headers, setCookies, bytes: answered, text: answered.toString() });
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer from ${url}`)));
    sent.on('error', reject);
    sent.end(body);
  });
}

function readCookie(line) {
  const [pair, ...attributes] = line.split(';').map((part) => part.trim());
  const [name, value] = split(pair);
  const known = new Map(attributes.map((attribute) => split(attribute)).map(([key, value]) => [key.toLowerCase(), value]));
  const gone = known.get('max-age') === '0' || Date.parse(known.get('expires') ?? '') < Date.now();
  return { name, value, attributes: known, gone };
}

function split(pair) {
  const [name, ...value] = pair.split('=');
  return [name, value.join('=')];
}

/** A text browser: it has cookies and fills in forms, but sends neither Origin nor Sec-Fetch-Site. */
export class TextBrowser {
  cookies = {};

  constructor(base) {
    this.url = new URL(base);
  }

  async open(path, options) {
    this.url = new URL(typeof path === 'string' ? at(path) : path, this.url);
    this.page = await send(this.url, { ...options, cookies: this.cookies });
    for (const { name, value, gone } of this.page.setCookies) {
      if (gone) delete this.cookies[name];
      else this.cookies[name] = value;
    }
    const { location } = this.page.headers;
    if ([302, 303].includes(this.page.status)) return this.open(location);
    return this.page;
  }

  /** The forms of the page, as far as a text browser needs them. */
  forms() {
    return [...this.page.text.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)].map(([, tag, inside]) => ({
      action: attribute(tag, 'action'),
      fields: Object.fromEntries(
        [...inside.matchAll(/<input\b[^>]*>/g)].map(([input]) => [attribute(input, 'name'), attribute(input, 'value') ?? '']),
      ),
      text: inside.replace(/<[^>]*>/g, ''),
    }));
  }

  /** Sends the form with this button, filled in with `fields`. */
  async submit(label, fields = {}) {
    const form = this.forms().find(({ text }) => text.includes(label));
    if (!form) throw new Error(`there is no form with "${label}" on ${this.url}:\n${this.page.text}`);
    return this.open(form.action, { method: 'POST', form: { ...form.fields, ...fields } });
  }
}

function attribute(tag, name) {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return value?.replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
}
