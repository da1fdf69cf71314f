// Configurations that are published, with what an operator replaces in them replaced by a test's own.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** The file's text, with each place of `places`, which says how often it occurs, replaced by that of `own`. */
export async function adapt(file, places, own) {
  let text = await readFile(file, 'utf8');
  for (const [place, count] of Object.entries(places)) {
    const parts = text.split(place);
    if (parts.length !== count + 1) throw new Error(`${file} has "${place}" ${parts.length - 1} times, not ${count}`);
    text = parts.join(own[place]);
  }
  return text;
}

/** Makes a key and a certificate for this name in the folder, and returns the certificate. */
export async function certify(folder, name) {
  const [key, certificate] = ['key.pem', 'fullchain.pem'].map((file) => path.join(folder, file));
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  await promisify(execFile)('openssl', [...words, ...names, '-keyout', key, '-out', certificate]);
  return readFile(certificate);
}
