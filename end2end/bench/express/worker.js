// Asks the validator about each token that was queued, gives the session its user or deletes it, and tells its page.

import { RedisStore } from 'connect-redis';
import { Worker } from 'bullmq';
import { createClient } from 'redis';
import { pusher } from './pusher.js';

const { REDIS_URL, VALIDATOR_URL, CONCURRENCY } = process.env;

const sessions = new RedisStore({ client: await createClient({ url: REDIS_URL }).connect() });

async function validate(token) {
  const answer = await fetch(VALIDATOR_URL, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`the validator answered ${answer.status}`);
  return answer.json();
}

async function signIn({ data: { token, sessionID, channel } }) {
  const { verdict, identity } = await validate(token);
  const session = await sessions.get(sessionID);
  if (verdict === 'valid' && session) {
    await sessions.set(sessionID, { ...session, user: identity });
    await pusher.trigger(channel, 'outcome', { redirect: '/profile' });
  } else {
    await sessions.destroy(sessionID);
    await pusher.trigger(channel, 'outcome', { redirect: '/login' });
  }
}

const worker = new Worker('sign-ins', signIn, {
  connection: { url: REDIS_URL },
  ...(CONCURRENCY && { concurrency: Number(CONCURRENCY) }),
});
worker.on('failed', (job, error) => console.error(`${job?.id}: ${error.message}`));
worker.on('error', (error) => console.error(error.message));

process.on('SIGTERM', async () => {
  await worker.close();
  process.exit();
});

await worker.waitUntilReady();
console.log('working');
