// The published libraries that sign a validator's calls: npm's `standardwebhooks`, and PyPI's in a process of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Webhook } from 'standardwebhooks';
import { PYTHON } from './later.js';

const script = fileURLToPath(new URL('../interop/signer.py', import.meta.url));

/** Each takes a key and calls, each with its id, its time in seconds and its body; and returns a signature for each. */
export const SIGNERS = {
  "npm's standardwebhooks": async (key, calls) => {
    const webhook = new Webhook(key);
    return calls.map(({ id, seconds, body }) => webhook.sign(id, new Date(seconds * 1000), body));
  },
  "PyPI's standardwebhooks": async (key, calls) => {
    const child = spawn(PYTHON, ['-I', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(JSON.stringify({ key, calls }));
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    if (code !== 0) throw new Error('the calls could not be signed; what Python says is above');
    return JSON.parse(said);
  },
};
