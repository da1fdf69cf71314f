// An Express application whose users Vestibule signs in. The proxy in front of it (../nginx.conf, ../Caddyfile or
// ../envoy.yaml) lets a request through only if Vestibule says who sends it.

import { once } from 'node:events';
import express from 'express';
import session from 'express-session';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const {
  PORT = '4000',
  SESSION_SECRET = 'change me',
  // As browsers see it, and where this server reaches its keys.
  VESTIBULE = 'https://app.example/auth',
  VESTIBULE_KEYS = 'http://127.0.0.1:3000/auth/.well-known/jwks.json',
} = process.env;

const keys = createRemoteJWKSet(new URL(VESTIBULE_KEYS));
const expected = { issuer: VESTIBULE, audience: new URL(VESTIBULE).origin, algorithms: ['ES256'] };

/** Signs the user in whom Vestibule names: at each new sign-in there, into a new session here. */
async function signIn(request, response, next) {
  try {
    const { payload } = await jwtVerify(request.get('Vestibule-Assertion') ?? '', keys, expected);
    if (request.session.sid !== payload.sid) {
      await new Promise((done, fail) => request.session.regenerate((error) => (error ? fail(error) : done())));
      Object.assign(request.session, { sid: payload.sid, user: payload.sub, name: payload.name });
    }
    next();
  } catch (error) {
    // An assertion that does not hold: the request did not come through the proxy.
    const isForged = error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout);
    isForged ? response.status(401).send('Not signed in.') : next(error);
  }
}

const app = express();
app.use(session({ secret: SESSION_SECRET, resave: false, saveUninitialized: false, cookie: { sameSite: 'lax' } }));
app.use(signIn, express.urlencoded({ extended: false }));

const text = (value) => String(value ?? '').replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

app.all('/orders', ({ session, url, body }, response) =>
  response.send(`<!DOCTYPE html><title>Orders</title><h1>Orders of ${text(session.name)}</h1>
    <p id="user">${text(session.user)}</p><p id="address">${text(url)}</p><p id="note">${text(body?.note)}</p>
    <form method="post" action="/orders"><input name="note" aria-label="Note"><button>Order</button></form>
    <form method="post" action="/auth/logout"><input type="hidden" name="next" value="/orders"><button>Sign out</button></form>`),
);

const server = app.listen(Number(PORT), '127.0.0.1');
await once(server, 'listening');
console.log('listening');
