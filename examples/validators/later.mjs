import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks'; // From npm.

const { VALIDATOR_SECRET, VALIDATOR_CALLBACK_SECRET, DELAY = '60', PORT = '4000' } = process.env;
const key = new Webhook(VALIDATOR_CALLBACK_SECRET);
const users = new Map([['abc123', { issuer: 'https://id.example', subject: '4711', name: 'Ada Lovelace' }]]);
const [uses, answers] = [new Map(), new Map()]; // A real one keeps both in its database.

async function decide(question) {
  const { token, confirmation: id, callback } = question;
  if (!uses.has(token)) uses.set(token, id);
  const reason = !users.has(token) ? 'invalid' : uses.get(token) !== id ? 'used' : undefined;
  answers.set(id, reason ? { verdict: 'invalid', reason } : { verdict: 'valid', identity: users.get(token) });
  const [body, now] = [JSON.stringify({ confirmation: id, ...answers.get(id) }), new Date()];
  const headers = { 'webhook-id': id, 'webhook-timestamp': Math.floor(now / 1000), 'webhook-signature': key.sign(id, now, body) };
  const status = await fetch(callback, { method: 'POST', headers, body }).then((taken) => taken.status, () => 503);
  if (status === 410) uses.delete(token); // Nobody was signed in, so it has not been used.
  if (status === 429 || status >= 500) setTimeout(decide, DELAY * 1000, question);
}

const digest = (text = '') => createHash('sha256').update(text).digest();
async function validate(request, response) {
  const isAllowed = timingSafeEqual(digest(request.headers.authorization), digest(`Bearer ${VALIDATOR_SECRET}`));
  if (!isAllowed) return response.writeHead(401).end();
  const question = await json(request);
  if (!answers.has(question.confirmation)) setTimeout(decide, DELAY * 1000, question);
  const said = answers.get(question.confirmation) ?? { verdict: 'pending', step: 'received' };
  answers.set(question.confirmation, said);
  response.writeHead(said.verdict === 'pending' ? 202 : 200, { 'retry-after': '300' }).end(JSON.stringify(said));
}
createServer((...both) => validate(...both).catch(() => both[1].destroy())).listen(PORT, '127.0.0.1');
