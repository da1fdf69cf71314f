// Another site, with pages that post forms to ours. Under 127.0.0.1 it is another origin of the same site, so that
// browsers send our cookies along; under localhost it is another site altogether.

import { once } from 'node:events';
import { createServer } from 'node:http';

export const HOSTS = ['127.0.0.1', 'localhost'];

export class Elsewhere {
  static async start() {
    const elsewhere = new Elsewhere();
    elsewhere.server = createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<!doctype html><title>Elsewhere</title><link rel="icon" href="data:,"><h1>Elsewhere</h1>');
    });
    elsewhere.server.listen(0, '127.0.0.1');
    await once(elsewhere.server, 'listening');
    elsewhere.port = elsewhere.server.address().port;
    return elsewhere;
  }

  async stop() {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** Opens a page of this site that posts a form to `url`; returns the status that the browser gets. */
  async post(page, host, url, fields) {
    await page.goto(`http://${host}:${this.port}/`);
    const answer = page.waitForResponse(url);
    await page.evaluate(
      ([action, values]) => {
        const form = Object.assign(document.createElement('form'), { method: 'post', action });
        for (const [name, value] of Object.entries(values)) {
          form.append(Object.assign(document.createElement('input'), { name, value }));
        }
        document.body.append(form);
        form.submit();
      },
      [url, fields],
    );
    await page.waitForURL(url);
    return (await answer).status();
  }
}
