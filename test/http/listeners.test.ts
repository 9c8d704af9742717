import { getEventListeners } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { type HttpClient, openHttpClient } from '../../src/http/client.ts';
import { type ScriptedServer, startServer } from '../support/http-server.ts';

let server: ScriptedServer | undefined;
let client: HttpClient | undefined;

afterEach(async () => {
  client?.close();
  await server?.close();
});

// A signal serves thousands of calls, one after the other.
test.each(['answered', 'too large', 'broken off'])(
  'calls that are %s leave no listeners on their signal',
  async (end) => {
    server = await startServer(end === 'broken off' ? 'reset' : { body: end === 'too large' ? 'x'.repeat(100) : 'ok' });
    client = openHttpClient({ env: {}, maxBodyBytes: 50 });
    const { signal } = new AbortController();
    for (let call = 0; call < 3; call += 1) {
      const sent = client.send({ url: server.url, method: 'POST', headers: {}, body: '{}', signal });
      const [{ status }] = await Promise.allSettled([sent]);
      expect(status).toBe(end === 'answered' ? 'fulfilled' : 'rejected');
    }
    // The socket of the last call closes in turns of its own.
    await expect.poll(() => getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
  },
);
