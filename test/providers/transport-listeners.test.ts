import { afterEach, expect, test, vi } from 'vitest';
import { openTransport, type Transport } from '../../src/providers/transport.ts';
import { type ScriptedServer, startServer } from '../support/http-server.ts';

const listening = vi.hoisted(() => ({ count: 0, most: 0 }));

vi.mock(import('../../src/lib/on-abort.ts'), async (importOriginal) => {
  const { onAbort } = await importOriginal();
  return {
    onAbort(signal, listener) {
      listening.count += 1;
      listening.most = Math.max(listening.most, listening.count);
      const stop = onAbort(signal, listener);
      return () => {
        listening.count -= 1;
        stop();
      };
    },
  };
});

let server: ScriptedServer | undefined;
let transport: Transport | undefined;

afterEach(async () => {
  transport?.close();
  await server?.close();
});

// A signal serves thousands of calls, one after the other.
test.each(['answered', 'too large', 'broken off'])(
  'a call that is %s leaves no listener on its signal',
  async (end) => {
    server = await startServer(end === 'broken off' ? 'reset' : { body: end === 'too large' ? 'x'.repeat(100) : 'ok' });
    transport = openTransport({ env: {}, maxBodyBytes: 50 });
    listening.most = 0;
    const { signal } = new AbortController();
    const sent = transport.send({ url: server.url, method: 'POST', headers: {}, body: '{}', signal });
    const [{ status }] = await Promise.allSettled([sent]);
    expect([status, listening.most, listening.count]).toEqual([end === 'answered' ? 'fulfilled' : 'rejected', 1, 0]);
  },
);
