import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { findProgram } from './find-program.ts';

/** Undefined where this machine has no Redis and no Valkey: the tests that need one are skipped. */
export const redisPath = findProgram('redis-server', [
  process.env['LLMCHECK_REDIS_SERVER'],
  '/usr/bin/redis-server',
  '/usr/local/bin/redis-server',
  '/usr/bin/valkey-server',
]);

export interface RealRedis {
  readonly url: string;
  readonly port: number;
  /** For looking at what is in it. */
  readonly client: Redis;
  stop(): Promise<void>;
  /** Without `keepsData` as one that lost all it had. */
  start(options?: { readonly keepsData: boolean }): Promise<void>;
}

/** A server of this test's own on 127.0.0.1 that keeps its data over restarts. Gone with the test. */
export async function startRealRedis(password?: string): Promise<RealRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'llmcheck-redis-'));
  let port = 0;
  let child: ChildProcess | undefined;
  /** False where another program has taken the port meanwhile. */
  const tryStart = async ({ keepsData } = { keepsData: true }): Promise<boolean> => {
    if (!keepsData) rmSync(join(folder, 'appendonlydir'), { recursive: true, force: true });
    const common = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'yes'];
    const started = spawn(
      redisPath ?? 'redis-server',
      [...common, ...(password === undefined ? [] : ['--requirepass', password])],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    child = started;
    return new Promise<boolean>((resolve, reject) => {
      started.once('error', reject);
      started.once('close', () => resolve(false));
      started.stdout.on('data', (chunk: Buffer) => {
        if (chunk.toString('utf8').includes('Ready to accept connections')) resolve(true);
      });
    });
  };
  let isNew = true;
  const start: RealRedis['start'] = async (options) => {
    for (let tries = 0; tries < 5; tries += 1) {
      if (isNew) port = await findPort();
      if (!(await tryStart(options))) continue;
      isNew = false;
      return;
    }
    throw new Error('redis-server ends as soon as it has started');
  };
  const stop = async (): Promise<void> => {
    const ended = child;
    if (ended === undefined || ended.exitCode !== null || ended.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      ended.once('close', () => resolve());
      ended.kill('SIGTERM');
    });
  };
  await start();
  const client = new Redis({
    port,
    host: '127.0.0.1',
    maxRetriesPerRequest: null,
    ...(password === undefined ? {} : { password }),
  });
  client.on('error', () => undefined);
  onTestFinished(async () => {
    client.disconnect();
    child?.kill('SIGKILL');
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { url: `redis://127.0.0.1:${port}/0`, port, client, start, stop };
}

/**
 * The address of a Redis that is gone for good after so many packets of answers, or once it is asked what it is; it gives no
 * answer at all without `port`.
 */
export async function startDyingRedis(after: number | 'info', port?: number): Promise<string> {
  const sockets = new Set<Socket>();
  let sent = 0;
  const end = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    if (port === undefined) return;
    const behind = connect(port, '127.0.0.1').on('error', () => undefined);
    sockets.add(behind);
    socket.on('data', (chunk) => {
      if (after === 'info' && /^info\r$/im.test(chunk.toString('latin1'))) end();
      else behind.write(chunk);
    });
    socket.on('end', () => behind.end());
    behind.on('data', (chunk) => {
      if (sent === after) end();
      else socket.write(chunk);
      sent += 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(end);
  return `redis://127.0.0.1:${(server.address() as AddressInfo).port}/0`;
}

function findPort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
