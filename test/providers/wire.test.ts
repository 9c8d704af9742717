import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { JsonValue } from '../../src/json/json.ts';
import { lookupAdapter } from '../../src/providers/index.ts';
import { SpelledNumber } from '../../src/text/yaml/exact-numbers.ts';
import { askProvider } from './ask-provider.ts';
import { buildConfig, buildRequest } from './build-request.ts';

// The OpenAI protocol goes through an SDK, the others through a plain POST.
const adapters = ['openai', 'anthropic'];

test.each(adapters)('%s is sent every digit of a number that no double holds', async (adapter) => {
  const seed = new SpelledNumber(9007199254740992, '9007199254740993') as unknown as JsonValue;
  const { received } = await askProvider(adapter, { body: {} }, { request: { params: { seed } } });
  expect(received?.body).toContain('"seed":9007199254740993');
});

test.each(adapters)(
  '%s that announces its answer unasked does not answer in HTTP, and is asked once',
  async (adapter) => {
    let requests = 0;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        requests += 1;
        socket.end('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const config = buildConfig({ adapter, baseUrl: `http://127.0.0.1:${port}` });
    const provider = await lookupAdapter(adapter)?.connect(config, { env: {}, projectRoot: '/project' });
    onTestFinished(async () => {
      await provider?.close();
      await new Promise((resolve) => server.close(resolve));
    });
    const outcome = await provider?.complete(buildRequest({}), new AbortController().signal);
    expect([outcome?.status, outcome?.attempts, requests]).toEqual(['failed', 1, 1]);
    expect(outcome).toMatchObject({
      failure: { kind: 'malformed', message: expect.stringContaining('did not answer in HTTP') },
    });
  },
);
