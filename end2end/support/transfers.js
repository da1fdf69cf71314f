import { below } from './base.js';

/**
 * What a page transfers until its browser asks for `/profile`, headers included.
 * @param {import('@playwright/test').Page} page
 * @returns a function that tells of each transfer by then: its path, its encoding, its bytes
 */
export async function transfersUntilProfile(page) {
  const transfers = new Map();
  const cdp = await page.context().newCDPSession(page);
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
  return () => [...transfers.values()];
}

/** How many bytes these are together. */
export const bytesOf = (transfers) => transfers.reduce((sum, { bytes }) => sum + bytes, 0);
