// What an application's tests import: fixtures that start Vestibule in practice mode, and control it.

export { expect } from '@playwright/test';
export { Control } from './control.js';
export { fixtures, serve, test } from './fixtures.js';
export { Server } from './server.js';
export { saveStorageState } from './storage-state.js';
