import { vi } from 'vitest';

// A test that forgets its local server must fail loudly instead of reaching a real one.
vi.stubGlobal('fetch', () => {
  throw new Error('Tests have no network: start a server on 127.0.0.1 and name it by baseURL.');
});
