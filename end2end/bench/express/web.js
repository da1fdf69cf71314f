// What a team would build instead of Vestibule: the landing stores a session that belongs to no user yet, queues the
// question about its token, and answers with a page that listens on a channel of its own.

import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { Queue } from 'bullmq';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';
import { PUSHER_HOST, PUSHER_KEY, PUSHER_PORT, pusher } from './pusher.js';

const { HOST = '127.0.0.1', PORT = '3000', REDIS_URL, SESSION_SECRET } = process.env;

const redis = await createClient({ url: REDIS_URL }).connect();
const signIns = new Queue('sign-ins', {
  connection: { url: REDIS_URL },
  defaultJobOptions: { attempts: 5, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: true },
});

const app = express();
app.disable('x-powered-by');
app.set('views', new URL('views', import.meta.url).pathname);
app.set('view engine', 'ejs');
app.use(
  session({
    store: new RedisStore({ client: redis }),
    secret: SESSION_SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: 'lax' },
  }),
);

app.get('/confirm/:token', async ({ params, session, sessionID }, response) => {
  session.channel = `private-sign-in-${randomUUID()}`;
  // The worker may be quicker than the end of this request, and must find the session.
  await promisify(session.save).call(session);
  await signIns.add('validate', { token: params.token, sessionID, channel: session.channel });
  response.render('confirm', { channel: session.channel, key: PUSHER_KEY, host: PUSHER_HOST, port: PUSHER_PORT });
});

app.post('/pusher/auth', express.urlencoded({ extended: false }), ({ body, session }, response) => {
  if (!body || body.channel_name !== session.channel) return response.sendStatus(403);
  response.json(pusher.authorizeChannel(body.socket_id, body.channel_name));
});

app.get('/profile', ({ session }, response) => {
  if (!session.user) return response.status(401).send('Not signed in.');
  response.json(session.user);
});

const server = app.listen(Number(PORT), HOST, () => console.log(`${HOST}:${server.address().port}`));

process.on('SIGTERM', () => {
  server.close(async () => {
    await signIns.close();
    process.exit();
  });
});
