// The protocol makers' libraries that publish: npm's `pusher`, and PyPI's in a process of its own. Both are called with
// the same method names, those of the latter, and both answer with a status and a body.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import Publisher from 'pusher';

/** The Python that has `pusher`; without it, its tests are skipped. */
export const PYTHON = process.env.VESTIBULE_TEST_PYTHON;

const script = fileURLToPath(new URL('../interop/publisher.py', import.meta.url));

const CALLS = {
  trigger: (publisher, { channels, event_name: name, data, socket_id: id }) =>
    publisher.trigger(channels, name, data, id && { socket_id: id }),
  trigger_batch: (publisher, { batch }) => publisher.triggerBatch(batch),
  channels_info: (publisher, { prefix_filter: prefix = '', attributes = [] }) =>
    publisher.get({ path: '/channels', params: { filter_by_prefix: prefix, info: attributes.join() } }),
  channel_info: (publisher, { channel, attributes = [] }) =>
    publisher.get({ path: `/channels/${channel}`, params: { info: attributes.join() } }),
  users_info: (publisher, { channel }) => publisher.get({ path: `/channels/${channel}/users` }),
};

async function npm(client, calls, skew) {
  const publisher = new Publisher({ ...client, appId: client.app_id, timeout: 10_000 });
  const { now } = Date;
  const answers = [];
  for (const [name, words] of calls) {
    // The library asks for the time before it sends.
    Date.now = () => now() + skew * 1000;
    const asked = CALLS[name](publisher, structuredClone(words));
    Date.now = now;
    answers.push(
      await asked.then(
        async (response) => ({ status: response.status, body: await response.json() }),
        ({ status, body, error }) => ({ status, body: body ?? String(error) }),
      ),
    );
  }
  return answers;
}

const STATUSES = { PusherBadRequest: 400, PusherBadAuth: 401, PusherForbidden: 403 };

async function pypi(client, calls, skew) {
  const child = spawn(PYTHON, ['-I', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify({ client, calls, skew }));
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0) throw new Error('the calls could not be made; what Python says is above');
  return JSON.parse(said).map(({ answer, refusal, why }) => {
    if (!refusal) return { status: 200, body: answer };
    const [, status, body] = /^(\d{3}): (.*)$/s.exec(why) ?? [];
    return refusal in STATUSES ? { status: STATUSES[refusal], body: why } : { status: Number(status), body };
  });
}

/** Each takes the client's settings, the calls as pairs of a method and its arguments, and its clock's error in s. */
export const LIBRARIES = { "npm's pusher": npm, "PyPI's pusher": pypi };
