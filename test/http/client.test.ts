import { createServer, type Server } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type HttpClient, type HttpRequest, openHttpClient } from '../../src/http/client.ts';
import { type ScriptedServer, startServer } from '../support/http-server.ts';
import { createOwnTlsServer } from '../support/tls-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const resource of open.splice(0)) await resource.close();
});

async function serve(...script: Parameters<typeof startServer>): Promise<ScriptedServer> {
  const server = await startServer(...script);
  open.push(server);
  return server;
}

function openClient(env: Record<string, string> = {}, maxBodyBytes?: number): HttpClient {
  const opened = openHttpClient({ env, ...(maxBodyBytes === undefined ? {} : { maxBodyBytes }) });
  open.push(opened);
  return opened;
}

function post(url: string, signal: AbortSignal = new AbortController().signal): HttpRequest {
  return { url, method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":"é"}', signal };
}

describe('one request', () => {
  it('carries method, path, query, headers and body, and brings back the whole answer', async () => {
    const server = await serve({ status: 201, headers: { 'x-request-id': 'r1' }, body: { ok: true } });
    const reply = await openClient().send(post(`${server.url}/v1/x?api-version=1`));
    expect(reply).toMatchObject({ status: 201, text: '{"ok":true}' });
    expect(reply.headers['x-request-id']).toBe('r1');
    expect(reply.latencyMs).toBeGreaterThan(0);
    expect(server.requests[0]).toMatchObject({ method: 'POST', url: '/v1/x?api-version=1', body: '{"a":"é"}' });
    expect(server.requests[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '10' });
  });

  it('reaches a server by its IPv6 address', async () => {
    const server = await serve({ body: 'six' }, '::1');
    expect((await openClient().send(post(server.url))).text).toBe('six');
  });

  it('does not follow a redirect', async () => {
    const other = await serve({ body: 'stolen' });
    const server = await serve({ status: 307, headers: { location: other.url } });
    expect((await openClient().send(post(server.url))).status).toBe(307);
    expect(other.requests).toEqual([]);
  });

  it('brings back a body of 5 MB unchanged', async () => {
    const body = 'ünïcödé '.repeat(500_000);
    const server = await serve({ body });
    expect((await openClient().send(post(server.url))).text === body).toBe(true);
  });

  it('brings back a body without the mark of its byte order', async () => {
    const server = await serve({ body: '\uFEFF{"text":"\uFEFF"}' });
    expect((await openClient().send(post(server.url))).text).toBe('{"text":"\uFEFF"}');
  });

  it('refuses a body that is larger than the cap', async () => {
    const server = await serve({ body: 'x'.repeat(3 * 1024 * 1024) });
    await expect(openClient({}, 1024 * 1024).send(post(server.url))).rejects.toMatchObject({
      name: 'HttpError',
      code: 'body-too-large',
      message: 'the body is larger than 1 MiB',
    });
  });

  it('brings back a body that is as large as the cap', async () => {
    const server = await serve({ body: 'x'.repeat(1000) });
    expect((await openClient({}, 1000).send(post(server.url))).text).toHaveLength(1000);
  });

  it('is measured up to its last byte', async () => {
    const server = await serve({ body: 'ok' });
    const startedAt = performance.now();
    const { latencyMs } = await openClient().send(post(server.url));
    expect(latencyMs).toBeGreaterThan(0);
    expect(latencyMs).toBeLessThanOrEqual(performance.now() - startedAt);
  });

  it('tells that bytes of its answer are no text', async () => {
    const server = await serve({ body: Buffer.from([0x61, 0xff]) });
    expect(await openClient().send(post(server.url))).toMatchObject({
      text: 'a\uFFFD',
      fault: expect.any(String) as string,
    });
    const latin = await serve({ body: Buffer.from([0xe9]), headers: { 'content-type': 'text/plain; charset=latin1' } });
    const reply = await openClient().send(post(latin.url));
    expect(reply.text).toBe('é');
    expect(reply).not.toHaveProperty('raw');
  });

  it('reuses the route of an address, and finds that of another one', async () => {
    const [one, other] = [await serve({ body: 'one' }), await serve({ body: 'other' })];
    const client = openClient();
    const texts: string[] = [];
    for (const { url } of [one, one, other, one]) texts.push((await client.send(post(url))).text);
    expect(texts).toEqual(['one', 'one', 'other', 'one']);
  });
});

describe('a stream', () => {
  it('tells when its bytes came, and how many', async () => {
    const server = await serve({ body: 'whole' });
    const { raw, text } = await openClient().send({ ...post(server.url), isStream: true });
    expect([text, String(raw?.bytes), raw?.arrivals?.at(-1)?.bytes]).toEqual(['whole', 'whole', 5]);
    expect(raw).not.toHaveProperty('brokenBy');
    for (const { atMs } of raw?.arrivals ?? []) expect(atMs).toBeGreaterThan(0);
  });

  it('that breaks off is an answer as far as it came, and one that never began is none', async () => {
    const [half, none] = [await serve('truncate'), await serve('reset')];
    const { raw, text } = await openClient().send({ ...post(half.url), isStream: true });
    expect([text, raw?.brokenBy]).toEqual(['{"choices":', expect.objectContaining({ code: 'broken-off' })]);
    await expect(openClient().send({ ...post(none.url), isStream: true })).rejects.toMatchObject({
      code: 'broken-off',
    });
  });

  it('that was compressed has no times, and none of it is read where it breaks off', async () => {
    const headers = { 'content-encoding': 'gzip' };
    const server = await serve({ headers, body: gzipSync('whole') });
    const { raw } = await openClient().send({ ...post(server.url), isStream: true });
    expect([String(raw?.bytes), raw?.arrivals]).toEqual(['whole', undefined]);
    const broken = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 99\r\n\r\nhalf'),
      );
    });
    await listen(broken);
    await expect(openClient().send({ ...post(urlOf(broken)), isStream: true })).rejects.toMatchObject({
      code: 'broken-off',
    });
  });
});

describe('an encoded body', () => {
  const text = JSON.stringify({ text: 'à'.repeat(1000) });
  it.each([
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['deflate, gzip', gzipSync(deflateSync(text))],
    ['identity', Buffer.from(text)],
    ['', Buffer.from(text)],
    [' , ,', Buffer.from(text)],
    ['GZIP, ,', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['gzip', gzipSync(`\uFEFF${text}`)],
  ])('is decoded from %s', async (encoding, body) => {
    const server = await serve({ headers: { 'content-encoding': encoding }, body });
    expect((await openClient().send(post(server.url))).text).toBe(text);
  });

  it('that grows past the cap is refused, small as it came', async () => {
    const server = await serve({ headers: { 'content-encoding': 'gzip' }, body: gzipSync('x'.repeat(5_000_000)) });
    await expect(openClient({}, 1024 * 1024).send(post(server.url))).rejects.toMatchObject({ code: 'body-too-large' });
  });

  it.each([
    ['gzip', 'no gzip at all', "the body can't be decoded as gzip: incorrect header check"],
    ['rot13', 'nop', `the body can't be decoded as rot13: the encoding "rot13" is not known`],
    ['toString', 'nop', `the body can't be decoded as toString: the encoding "toString" is not known`],
    ['deflate', '', "the body can't be decoded as deflate: unexpected end of file"],
  ])('that is no %s is unreadable', async (encoding, body, message) => {
    const server = await serve({ headers: { 'content-encoding': encoding }, body });
    await expect(openClient().send(post(server.url))).rejects.toMatchObject({ code: 'body-unreadable', message });
  });

  it('in a coding that is not known is unreadable, with its name as the server wrote it', async () => {
    const server = await serve({ headers: { 'content-encoding': 'gzip, sk-Proj-AbC' }, body: 'x' });
    await expect(openClient().send(post(server.url))).rejects.toThrow('the encoding "sk-Proj-AbC" is not known');
  });
});

describe('the connection', () => {
  it('is kept and used again', async () => {
    const server = await serve({ body: 'ok' });
    const client = openClient();
    for (let call = 0; call < 3; call += 1) await client.send(post(server.url));
    expect(server.requests.map(({ connection }) => connection)).toEqual([0, 0, 0]);
  });

  it('that breaks on its second use is an error, and the request is sent once', async () => {
    const server = await serve((_, index) => (index === 1 ? 'reset' : { body: `answer ${index}` }));
    const client = openClient();
    await client.send(post(server.url));
    await expect(client.send(post(server.url))).rejects.toMatchObject({ code: 'broken-off' });
    expect(server.requests.map(({ connection }) => connection)).toEqual([0, 0]);
    expect((await client.send(post(server.url))).text).toBe('answer 2');
  });

  it('is a new one for each request of a client that must not meet an old one', async () => {
    const server = await serve({ body: 'ok' });
    const client = openHttpClient({ env: {}, isFresh: true });
    open.push(client);
    for (let call = 0; call < 3; call += 1) await client.send(post(server.url));
    expect(server.requests.map(({ connection }) => connection)).toEqual([0, 1, 2]);
  });

  it('that breaks when it is new is an error at once', async () => {
    const server = await serve('reset');
    await expect(openClient().send(post(server.url))).rejects.toMatchObject({ code: 'broken-off' });
    expect(server.requests.length).toBe(1);
  });

  it('that breaks within an answer is an error even when it was used before', async () => {
    const server = await serve((_, index) => (index === 0 ? { body: 'ok' } : 'truncate'));
    const client = openClient();
    await client.send(post(server.url));
    await expect(client.send(post(server.url))).rejects.toMatchObject({ code: 'broken-off' });
    expect(server.requests.length).toBe(2);
  });

  it('may be one of many at once, and none of them is warned of', async () => {
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => void warnings.push(name);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const server = await serve({ body: 'ok' });
    const client = openClient();
    await Promise.all(Array.from({ length: 12 }, () => client.send(post(server.url))));
    expect(warnings).toEqual([]);
  });

  it('is opened again without an error where the server closes it after each answer', async () => {
    const server = await serve({ headers: { connection: 'close' }, body: 'ok' });
    const client = openClient();
    for (let call = 0; call < 3; call += 1) expect((await client.send(post(server.url))).text).toBe('ok');
    expect(server.requests.map(({ connection }) => connection)).toEqual([0, 1, 2]);
  });

  it('carries one request at a time, so that calls at once have one each', async () => {
    const server = await serve({ body: 'ok' });
    const client = openClient();
    await Promise.all([1, 2, 3].map(() => client.send(post(server.url))));
    expect(new Set(server.requests.map(({ connection }) => connection)).size).toBe(3);
  });

  it('that the signal gave up is not used again', async () => {
    const server = await serve((_, index) => (index === 0 ? 'hang' : { body: 'ok' }));
    const client = openClient();
    const controller = new AbortController();
    const sent = client.send(post(server.url, controller.signal));
    await server.waitFor(1);
    controller.abort();
    await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
    expect((await client.send(post(server.url))).text).toBe('ok');
    expect(server.requests.map(({ connection }) => connection)).toEqual([0, 1]);
  });

  it('by TLS names its host in the handshake, so that a server of many hosts knows which is meant', async () => {
    const names: string[] = [];
    const server = createTlsServer({
      SNICallback: (name, done) => {
        names.push(name);
        done(new Error('no certificate here'));
      },
    });
    await listen(server);
    const { port } = server.address() as AddressInfo;
    const sent = openClient().send(post(`https://localhost:${port}/v1`));
    await expect(sent).rejects.toMatchObject({ code: expect.stringMatching(/SSL|EPROTO|ECONNRESET/) });
    expect(names).toEqual(['localhost']);
  });

  it.each([
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n', 'not-http'],
    ['a header without end', `HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(64 * 1024)}`, 'not-http'],
    [
      'a 100 that nobody asked for',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwhole',
      'not-http',
    ],
    ['a body that ends early', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf', 'broken-off'],
    [
      'a closing body that ends early',
      'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nhalf',
      'broken-off',
    ],
    [
      'chunks that end early',
      'HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n4\r\nha',
      'broken-off',
    ],
  ])('that brings %s is an error', async (_, bytes, code) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    });
    await listen(server);
    await expect(openClient().send(post(urlOf(server)))).rejects.toMatchObject({ code });
  });

  it.each([
    ['a body that ends with the connection', 'HTTP/1.0 200 OK\r\n\r\nwhole'],
    [
      'an informational answer before it',
      'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwhole',
    ],
  ])('brings an answer with %s', async (_, bytes) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    });
    await listen(server);
    expect(await openClient().send(post(urlOf(server)))).toMatchObject({ status: 200, text: 'whole' });
  });

  it('to a closed port is refused', async () => {
    const server = await startServer({ body: '' });
    await server.close();
    await expect(openClient().send(post(server.url))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('ends with close()', async () => {
    const server = await serve('hang');
    const client = openClient();
    const sent = client.send(post(server.url));
    await server.waitFor(1);
    client.close();
    await expect(sent).rejects.toMatchObject({ code: 'broken-off' });
  });

  it('that waits for its tunnel ends with close(), too', async () => {
    const asking = defer();
    const { server } = await tunnelProxy(() => asking.resolve());
    const client = openClient({ HTTPS_PROXY: urlOf(server) });
    const sent = client.send(post('https://api.invalid/v1'));
    await asking.promise;
    client.close();
    await expect(sent).rejects.toMatchObject({ code: 'broken-off' });
  });
});

describe('a request that is given up', () => {
  it('closes its connection at once', async () => {
    const closed = defer();
    const server = createServer((request) => {
      request.socket.on('close', () => closed.resolve());
    });
    await listen(server);
    const asked = new Promise((resolve) => server.once('request', resolve));
    const controller = new AbortController();
    const sent = openClient().send(post(urlOf(server), controller.signal));
    await asked;
    controller.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
    await closed.promise;
  });

  it('is an answer as far as it came where it is a stream', async () => {
    const started = defer();
    const server = createServer((request, response) => {
      if (request.url === '/fence') response.end('ok');
      else response.write('first', () => started.resolve());
    });
    await listen(server);
    const client = openClient();
    const controller = new AbortController();
    const sent = client.send({ ...post(urlOf(server), controller.signal), isStream: true });
    await started.promise;
    // What came before the answer to this has come.
    await client.send(post(`${urlOf(server)}/fence`));
    const reason = new Error('enough');
    controller.abort(reason);
    const { text, raw } = await sent;
    expect([text, raw?.brokenBy]).toEqual(['first', reason]);
  });
});

describe('close()', () => {
  it.each([
    ['a handshake', false, 'https'],
    ['a tunnel', true, 'https'],
    ['an answer', false, 'http'],
  ])('ends the socket of a request that was given up while it waited for %s', async (_, isProxied, scheme) => {
    const [connected, closed] = [defer(), defer()];
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('close', () => closed.resolve());
      socket.resume();
      connected.resolve();
    });
    await listen(server);
    const client = openClient(isProxied ? { HTTPS_PROXY: urlOf(server) } : {});
    const controller = new AbortController();
    const url = isProxied ? 'https://api.invalid/' : urlOf(server).replace('http', scheme);
    const sent = client.send(post(url, controller.signal));
    await connected.promise;
    controller.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
    client.close();
    await closed.promise;
  });

  it('leaves no connection where the client is closed, also after another one', async () => {
    const server = createServer(({ url }, response) => {
      if (url === '/fence') response.end();
    });
    await listen(server);
    const sockets: Socket[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    const client = openClient();
    for (const reason of ['enough', 'enough again']) {
      const asked = new Promise((resolve) => server.once('request', resolve));
      const controller = new AbortController();
      const sent = client.send(post(urlOf(server), controller.signal));
      await asked;
      controller.abort(new Error(reason));
      await expect(sent).rejects.toThrow(reason);
    }
    client.close();
    const fence = openClient();
    const isOpen = async () => {
      await fence.send(post(`${urlOf(server)}/fence`));
      return sockets.filter(({ destroyed }) => !destroyed).length > 1;
    };
    await expect.poll(isOpen).toBe(false);
    expect(await isOpen()).toBe(false);
  });
});

describe('the signal', () => {
  it('ends a request without an answer, with its own reason', async () => {
    const server = await serve('hang');
    const controller = new AbortController();
    const sent = openClient().send(post(server.url, controller.signal));
    await server.waitFor(1);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
  });

  it('ends a body that never ends', async () => {
    const started = defer();
    const server = createServer((_, response) => {
      response.writeHead(200);
      response.write('first', () => started.resolve());
    });
    await listen(server);
    const controller = new AbortController();
    const sent = openClient().send(post(urlOf(server), controller.signal));
    await started.promise;
    controller.abort();
    await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('may have a reason that is no error', async () => {
    const server = await serve({ body: 'ok' });
    await expect(openClient().send(post(server.url, AbortSignal.abort('enough')))).rejects.toThrow(new Error('enough'));
  });

  it('that fires while the request waits for its connection lets nothing be sent', async () => {
    const server = await serve({ body: 'ok' });
    const client = openClient();
    const controller = new AbortController();
    const sent = client.send({ ...post(`${server.url}/given-up`, controller.signal) });
    controller.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
    await client.send(post(`${server.url}/fence`));
    expect(server.requests.map(({ url }) => url)).toEqual(['/fence']);
  });

  it('that has fired already sends nothing', async () => {
    const server = await serve({ body: 'ok' });
    await expect(openClient().send(post(server.url, AbortSignal.abort()))).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(server.requests).toEqual([]);
  });
});

describe('a proxy', () => {
  it('for http gets the whole address and its credentials, the server gets none', async () => {
    const proxy = await serve({ body: 'by proxy' });
    const env = { HTTP_PROXY: `http://me:p%40ss@127.0.0.1:${proxy.port}` };
    expect((await openClient(env).send(post('http://api.invalid/v1/chat?a=1'))).text).toBe('by proxy');
    expect(proxy.requests[0]?.url).toBe('http://api.invalid/v1/chat?a=1');
    expect(proxy.requests[0]?.headers.host).toBe('api.invalid');
    const credentials = Buffer.from('me:p@ss').toString('base64');
    expect(proxy.requests[0]?.headers['proxy-authorization']).toBe(`Basic ${credentials}`);
  });

  it('for https is asked for a tunnel to the host and port', async () => {
    const { server, asked } = await tunnelProxy((socket) => socket.end('HTTP/1.1 200 OK\r\n\r\nnot TLS'));
    const sent = openClient({ HTTPS_PROXY: urlOf(server) }).send(post('https://api.invalid/v1'));
    await expect(sent).rejects.toMatchObject({ code: expect.stringMatching(/SSL|EPROTO|ECONNRESET/) });
    expect(asked).toEqual(['api.invalid:443']);
  });

  it('brings the answers of a host through one tunnel, with its credentials, its cap and its end', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    const paths: string[] = [];
    const authorizations: string[] = [];
    const asked = defer();
    const host = createOwnTlsServer(({ url = '' }, response) => {
      paths.push(url);
      if (url === '/hang') asked.resolve();
      else response.end(url === '/large' ? 'x'.repeat(1001) : `answer to ${url}`);
    });
    await listen(host);
    const proxy = createServer();
    proxy.on('connect', (request, socket) => {
      authorizations.push(request.headers['proxy-authorization'] ?? '');
      const { port } = host.address() as AddressInfo;
      const tunnel = connect(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      for (const end of [socket, tunnel]) end.on('error', () => undefined);
      socket.pipe(tunnel).pipe(socket);
    });
    await listen(proxy);
    const client = openClient({ HTTPS_PROXY: urlOf(proxy).replace('//', '//me:secret@') }, 1000);
    const send = (path: string) => client.send(post(`https://api.invalid${path}`));
    expect((await send('/a?b=1')).text).toBe('answer to /a?b=1');
    expect((await send('/c')).text).toBe('answer to /c');
    expect(authorizations).toEqual([`Basic ${Buffer.from('me:secret').toString('base64')}`]);
    await expect(send('/large')).rejects.toMatchObject({ code: 'body-too-large' });
    const sent = send('/hang');
    await asked.promise;
    client.close();
    await expect(sent).rejects.toMatchObject({ code: 'broken-off' });
    expect(paths).toEqual(['/a?b=1', '/c', '/large', '/hang']);
  });

  it('that refuses the tunnel is named', async () => {
    const { server } = await tunnelProxy((socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'));
    const sent = openClient({ https_proxy: urlOf(server) }).send(post('https://api.invalid/v1'));
    await expect(sent).rejects.toMatchObject({
      code: 'proxy',
      message: expect.stringContaining('refused a tunnel with 407'),
    });
  });

  it('that opens a tunnel gets no credentials of a request', async () => {
    const env = { HTTPS_PROXY: 'http://127.0.0.1:1' };
    const request = { ...post('https://api.invalid/v1'), headers: { 'proxy-authorization': 'Basic x' } };
    await expect(openClient(env).send(request)).rejects.toMatchObject({ code: 'proxy' });
  });

  it('with a password that is not encoded is refused without repeating it', async () => {
    const env = { HTTPS_PROXY: 'http://me:100%pass@127.0.0.1:1' };
    const sent = openClient(env).send(post('https://api.invalid/v1'));
    await expect(sent).rejects.toMatchObject({ code: 'proxy', message: expect.not.stringContaining('pass@') });
  });

  it('that never answers is given up on the signal', async () => {
    const asking = defer();
    const { server } = await tunnelProxy(() => asking.resolve());
    const controller = new AbortController();
    const sent = openClient({ HTTPS_PROXY: urlOf(server) }).send(post('https://api.invalid/v1', controller.signal));
    await asking.promise;
    controller.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
  });

  it('that can not be reached is named', async () => {
    const closed = await startServer({ body: '' });
    await closed.close();
    const sent = openClient({ HTTPS_PROXY: closed.url }).send(post('https://api.invalid/v1'));
    await expect(sent).rejects.toMatchObject({ code: 'proxy', message: expect.stringContaining(`${closed.port}`) });
  });

  it('of another kind is refused', async () => {
    const sent = openClient({ ALL_PROXY: 'socks5://127.0.0.1:1' }).send(post('https://api.invalid/v1'));
    await expect(sent).rejects.toMatchObject({ code: 'proxy' });
  });

  it('that closes a connection without an answer is asked once for each request', async () => {
    const { server, asked } = await tunnelProxy((socket) => socket.end());
    const client = openClient({ HTTPS_PROXY: urlOf(server) });
    for (const count of [1, 2]) {
      await expect(client.send(post('https://api.invalid/v1'))).rejects.toMatchObject({
        code: 'proxy',
        message: expect.stringMatching(/^the proxy 127\.0\.0\.1:\d+ closed the connection$/),
      });
      expect(asked).toHaveLength(count);
    }
  });

  it('is passed over for the hosts of NO_PROXY', async () => {
    const server = await serve({ body: 'direct' });
    const env = { HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: 'example.com, 127.0.0.0/8' };
    expect((await openClient(env).send(post(server.url))).text).toBe('direct');
  });
});

function defer(): { readonly promise: Promise<void>; resolve(): void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

async function tunnelProxy(
  onConnect: (socket: Socket) => void,
): Promise<{ readonly server: Server; readonly asked: string[] }> {
  const asked: string[] = [];
  const server = createServer();
  server.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    socket.on('error', () => undefined);
    onConnect(socket as Socket);
  });
  await listen(server);
  return { server, asked };
}

async function listen(server: TcpServer): Promise<void> {
  const sockets = new Set<{ destroy(): unknown }>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  });
}

function urlOf(server: TcpServer): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
