// A browser's cookies in a file. A person who can read it is signed in, so only its owner can.

import { open } from 'node:fs/promises';

/**
 * Saves the cookies and the storage of a context in a file that only its owner can read, and returns them.
 *
 * @param {import('@playwright/test').BrowserContext} context
 * @param {string} path
 */
export async function saveStorageState(context, path) {
  const state = await context.storageState();
  const file = await open(path, 'w', 0o600);
  try {
    // One that was there before may have been readable to others.
    await file.chmod(0o600);
    await file.writeFile(JSON.stringify(state, undefined, 2));
  } finally {
    await file.close();
  }
  return state;
}
