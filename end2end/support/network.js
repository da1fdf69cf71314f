// The network between a browser and the server, which a test can break in the ways that real ones break.

import { once } from 'node:events';
import { createServer, request as ask } from 'node:http';

const PORTAL = '<!doctype html><title>Welcome to our café</title><h1>Accept our terms to go online</h1>';

export class Network {
  /** Answers everything by itself, like a captive portal. */
  portal = false;
  /** Blocks sockets, as some proxies do. */
  refusesSockets = false;
  /** A header that it removes from every answer. */
  dropsHeader = undefined;
  connections = new Set();
  sockets = new Set();

  constructor(server) {
    this.target = new URL(server.url);
    this.proxy = createServer((request, response) => this.#forward(request, response));
    this.proxy.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.proxy.on('connection', (socket) => {
      this.connections.add(socket);
      socket.on('error', () => {}).on('close', () => this.connections.delete(socket));
    });
  }

  /** A network that leads to `server`. */
  static async to(server) {
    const network = new Network(server);
    await network.mend();
    network.url = `http://127.0.0.1:${network.proxy.address().port}`;
    return network;
  }

  /** Blocks all sockets, or lets them through again. */
  refuseSockets(refuse) {
    this.refusesSockets = refuse;
    if (refuse) for (const socket of this.sockets) socket.destroy();
  }

  /** Lets nothing through, and drops what was in progress. */
  async cut() {
    if (!this.proxy.listening) return;
    this.port = this.proxy.address().port;
    const closed = once(this.proxy, 'close');
    this.proxy.close();
    for (const socket of this.connections) socket.destroy();
    await closed;
  }

  async mend() {
    this.proxy.listen(this.port ?? 0, '127.0.0.1');
    await once(this.proxy, 'listening');
  }

  /** Asks the server as if the browser had connected to it directly. */
  #ask({ method, url, headers }) {
    const { hostname, port, host, origin } = this.target;
    const own = { ...headers, host, ...(headers.origin && { origin }) };
    return ask({ hostname, port, method, path: url, headers: own });
  }

  #forward(request, response) {
    if (this.portal) {
      response.writeHead(200, { 'content-type': 'text/html' }).end(PORTAL);
      return;
    }
    const onward = this.#ask(request);
    onward.on('response', (answer) => {
      delete answer.headers[this.dropsHeader];
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }

  #upgrade(request, socket, head) {
    if (this.portal || this.refusesSockets) {
      socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      return;
    }
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    const onward = this.#ask(request);
    onward.on('upgrade', (answer, peer, rest) => {
      const headers = answer.rawHeaders.map((text, at) => (at % 2 ? `${text}\r\n` : `${text}: `)).join('');
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n`);
      socket.write(rest);
      peer.write(head);
      peer.on('error', () => socket.destroy()).on('close', () => socket.destroy());
      socket.on('close', () => peer.destroy());
      socket.pipe(peer).pipe(socket);
    });
    onward.on('response', (answer) => socket.end(`HTTP/1.1 ${answer.statusCode} \r\n\r\n`));
    onward.on('error', () => socket.destroy());
    onward.end();
  }
}
