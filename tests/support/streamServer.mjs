import { createServer } from 'node:http';

const PREFIX = '/stream-test';

/**
 * A server for download tests, as a Vite plugin: under /stream-test on the tests' own server, and the same again on
 * another port, which is another origin for the browser.
 *
 * PUT  /stream-test/CASE/path   stores the body; the header x-behaviour (JSON) says how it is served:
 *        {status, type, cutAfter, cuts, delayMs, chunk, ranges, noLength}. `cutAfter`: the connection is destroyed after
 *        so many bytes, for the first `cuts` requests (default 1). `noLength`: sent in chunks without a length.
 * GET  /stream-test/CASE/path   serves it; `*` stored as a path answers every other address of the case.
 * GET  /stream-test/log/CASE    the requests so far: [{method, path, headers}].
 * GET  /stream-test/other       the other origin.
 */
export function streamServer() {
  const stored = new Map();
  const log = [];
  let other;

  const handle = async (request, response, next) => {
    const path = decodeURIComponent((request.url ?? '').split('?')[0]);
    if (!path.startsWith(`${PREFIX}/`)) return next();
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-methods', 'GET, PUT');
    response.setHeader('access-control-allow-headers', 'x-behaviour');
    response.setHeader('cache-control', 'no-store');
    const key = path.slice(PREFIX.length + 1);
    const name = key.split('/')[0];
    if (key === 'other') return void response.end(`http://127.0.0.1:${other.address().port}`);
    if (name === 'log') return void response.end(JSON.stringify(log.filter((entry) => entry.path.startsWith(`${key.slice(4)}/`))));
    if (request.method === 'OPTIONS') {
      log.push({ method: 'OPTIONS', path: key, headers: request.headers });
      return void response.end();
    }
    if (request.method === 'PUT') {
      const parts = [];
      for await (const part of request) parts.push(part);
      stored.set(key, { body: Buffer.concat(parts), ...JSON.parse(request.headers['x-behaviour'] ?? '{}') });
      return void response.end();
    }
    log.push({ method: request.method, path: key, headers: request.headers });
    const file = stored.get(key) ?? stored.get(`${name}/*`);
    if (!file) {
      response.statusCode = 404;
      return void response.end('not here');
    }
    await serve(file, request, response);
  };

  return {
    name: 'stream-server',
    configureServer(server) {
      server.middlewares.use((request, response, next) => void handle(request, response, next).catch(() => response.destroy()));
      if (other) return;
      other = createServer((request, response) => void handle(request, response, () => response.destroy()).catch(() => response.destroy()));
      other.listen(0, '127.0.0.1');
      other.unref();
      server.httpServer?.on('close', () => other.close());
    },
  };
}

async function serve(file, request, response) {
  let { body } = file;
  response.statusCode = file.status ?? 200;
  response.setHeader('content-type', file.type ?? 'application/octet-stream');
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  if (file.ranges !== false) response.setHeader('etag', '"one"');
  if (range && file.ranges !== false) {
    const start = Number(range[1]);
    response.statusCode = 206;
    response.setHeader('content-range', `bytes ${start}-${body.length - 1}/${body.length}`);
    body = body.subarray(start);
  }
  if (!file.noLength) response.setHeader('content-length', body.length);
  file.served = (file.served ?? 0) + 1;
  const cut = file.cutAfter !== undefined && file.served <= (file.cuts ?? 1) ? file.cutAfter : Infinity;
  const step = file.chunk ?? 64 * 1024;
  for (let at = 0; at < body.length; at += step) {
    if (at + step > cut) {
      response.write(body.subarray(at, cut));
      // Let what was written leave, and be read by a busy browser, before the connection goes.
      await new Promise((done) => setTimeout(done, 250));
      return void response.destroy();
    }
    if (!response.write(body.subarray(at, at + step))) await drained(response);
    if (response.destroyed) return;
    if (file.delayMs) await new Promise((done) => setTimeout(done, file.delayMs));
  }
  response.end();
}

/** Until there is room to write, or nobody listens any more. */
function drained(response) {
  return new Promise((done) => {
    const finish = () => {
      response.off('drain', finish).off('close', finish);
      done();
    };
    response.on('drain', finish).on('close', finish);
  });
}
