// What a visitor on a poor line waits for: every byte that the confirm page transfers until it leaves.

import { practice as test, expect } from '../support/test.js';
import { expectProfile } from '../support/pages.js';
import { bytesOf, transfersUntilProfile } from '../support/transfers.js';

const BUDGET = 63_000;

test('the confirm page transfers at most 63 KB until it navigates', async ({ page }) => {
  const transfers = await transfersUntilProfile(page);
  await page.goto('/confirm/valid-weighed');
  await expectProfile(page, 'Ada Lovelace');

  const all = transfers();
  const total = bytesOf(all);
  const rows = all.map(({ pathname, encoding, bytes }) => `${String(bytes).padStart(8)}  ${pathname} ${encoding ?? ''}`);
  console.log(['the confirm page until it navigates, with headers:', ...rows, `${String(total).padStart(8)}  of ${BUDGET} bytes`].join('\n'));
  for (const file of ['.js', '.wasm', '.css']) {
    const transfer = all.find(({ pathname }) => pathname.endsWith(file));
    expect(transfer, `a ${file} was fetched`).toBeDefined();
    expect(transfer.encoding, `the ${file} is compressed`).toBe('br');
  }
  expect(total).toBeGreaterThan(10_000);
  expect(total).toBeLessThanOrEqual(BUDGET);
});
