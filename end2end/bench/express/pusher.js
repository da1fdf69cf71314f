// The Pusher server, whose connections are kept.

import { Agent } from 'node:http';
import Pusher from 'pusher';

const { PUSHER_APP_ID, PUSHER_SECRET } = process.env;
export const { PUSHER_HOST, PUSHER_KEY, PUSHER_PORT } = process.env;

export const pusher = new Pusher({
  appId: PUSHER_APP_ID,
  key: PUSHER_KEY,
  secret: PUSHER_SECRET,
  host: PUSHER_HOST,
  port: PUSHER_PORT,
  useTLS: false,
  agent: new Agent({ keepAlive: true }),
});
