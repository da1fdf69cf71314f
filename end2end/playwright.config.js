import { defineConfig } from '@playwright/test';
import { chromium } from './support/chromium.js';

export default defineConfig({
  projects: [
    { name: 'journeys', testDir: 'tests' },
    // With other people's programs.
    { name: 'interop', testDir: 'interop' },
    // In front of other people's applications.
    { name: 'applications', testDir: 'applications' },
  ],
  outputDir: 'artefacts/failures',
  fullyParallel: true,
  workers: 2,
  // A test that passes only when it is repeated will fail again.
  retries: 0,
  forbidOnly: !!process.env.CI,
  // All of these are only reached where something hangs: no test measures time by them, and a busy machine is slow.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: [['list'], ['json', { outputFile: 'artefacts/results.json' }]],
  use: {
    launchOptions: chromium,
    actionTimeout: 20_000,
    navigationTimeout: 30_000,
    screenshot: 'only-on-failure',
    locale: 'en-GB',
    timezoneId: 'UTC',
  },
});
