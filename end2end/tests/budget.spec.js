// What a visitor on a poor line waits for: every byte that the confirm page transfers until it leaves.

import { below } from '../support/base.js';
import { practice as test, expect } from '../support/test.js';
import { expectProfile } from '../support/pages.js';

const BUDGET = 63_000;

test('the confirm page transfers at most 63 KB until it navigates', async ({ page, context }) => {
  const transfers = new Map();
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  let left = false;
  cdp.on('Network.requestWillBeSent', ({ requestId, request, type }) => {
    const pathname = below(new URL(request.url).pathname);
    if (type === 'Document' && pathname === '/profile') left = true;
    // A question that a timer asks again on a slow machine says nothing about the page's weight.
    const repeated = pathname === '/api/status' && [...transfers.values()].some((transfer) => transfer.pathname === pathname);
    if (!left && !repeated) transfers.set(requestId, { pathname, bytes: 0 });
  });
  cdp.on('Network.responseReceived', ({ requestId, response }) => {
    const transfer = transfers.get(requestId);
    if (transfer) transfer.encoding = response.headers['content-encoding'];
  });
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const transfer = transfers.get(requestId);
    if (transfer) transfer.bytes += encodedDataLength;
  });
  cdp.on('Network.webSocketCreated', ({ requestId }) => transfers.set(requestId, { pathname: 'socket', bytes: 0 }));
  cdp.on('Network.webSocketFrameReceived', ({ requestId, response }) => {
    transfers.get(requestId).bytes += Buffer.byteLength(response.payloadData);
  });
  await page.goto('/confirm/valid-weighed');
  await expectProfile(page, 'Ada Lovelace');

  const all = [...transfers.values()];
  const total = all.reduce((sum, { bytes }) => sum + bytes, 0);
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
