import type { ApiPorts } from '../http/json-api.ts';
import { systemClock } from '../model/clock.ts';
import type { GitEnvironment } from '../project/git/run-git.ts';

const requestMs = 30_000;

/** What publishing takes from its caller. */
export interface PublishPorts {
  readonly env: GitEnvironment;
  readonly token: string;
  readonly now: () => Date;
  /** Drawn at random for this process: letters and digits. */
  readonly writer: string;
}

export async function withApiPorts<T>({ env, now }: PublishPorts, use: (ports: ApiPorts) => Promise<T>): Promise<T> {
  // Loaded here, since a run that writes no comment and no check sends nothing.
  const { openHttpClient } = await import('../http/client.ts');
  // A creation that is repeated on a stale connection would make two comments.
  const http = openHttpClient({ env, isFresh: true });
  const { signal: never } = new AbortController();
  const wait = (ms: number): Promise<void> => systemClock.wait(ms, never);
  const send: ApiPorts['send'] = (request) => http.send({ ...request, signal: AbortSignal.timeout(requestMs) });
  try {
    return await use({ send, wait, now });
  } finally {
    http.close();
  }
}
