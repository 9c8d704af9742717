import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CellRow } from '../../../src/model/run/record.ts';
import { type ChatRequest, startChatServer, testKey, wordOf } from '../../support/chat-server.ts';
import { startJudgeServer, verdict } from '../../support/judge-server.ts';
import { redisPath, startDyingRedis, startRealRedis } from '../../support/real-redis.ts';
import { startWorker } from '../../support/run-worker.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import {
  type JsonReport,
  openTempProject,
  type TempProject,
  trialsOf,
  withoutDraws,
} from '../../support/temp-project.ts';
import { openJudgeProject } from '../judges/judge-project.ts';

/** Some cells fail, one is errored. */
const unevenly = ({ text, model }: ChatRequest) => {
  if (text.endsWith('w9') && model === 'gpt-4o') return { status: 400, body: { error: { message: 'no' } } };
  return text.endsWith('3') ? 'wrong' : wordOf(text);
};

/** Every planned cell stands in the record once. */
function expectWhole(project: TempProject, cells: number): void {
  const path = project.files('.llmcheck/runs').find((name) => name.endsWith('.jsonl')) ?? '';
  const rows = project
    .read(path)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Pick<CellRow, 'type' | 'provider' | 'caseId' | 'confirmation'>)
    .filter(({ type, confirmation }) => type === 'cell' && confirmation !== true);
  expect(rows).toHaveLength(cells);
  expect(new Set(rows.map(({ provider, caseId }) => `${provider} ${caseId}`)).size).toBe(cells);
}

/** A server whose answers wait until it is opened. */
async function startGatedServer(isHeld: (index: number) => boolean) {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const server = await startChatServer(async ({ text, index }) => {
    if (isHeld(index)) await opened;
    return wordOf(text);
  });
  return { ...server, requests: server.requests, open: () => open() };
}

describe.skipIf(redisPath === undefined)('a run over a queue (skipped where there is no redis-server)', () => {
  const spawnCli = prepareSpawn();

  test('comes to the same report, leaves no answer and no key in Redis, and workers end with 0', {
    tags: 'slow',
  }, async () => {
    const redis = await startRealRedis('pass-word-1');
    const server = await startChatServer(unevenly);
    const alone = openTempProject('two-providers');
    const expected = await alone.report(['run', '--max-errors', '1'], { env: server.env });
    const project = openTempProject('two-providers');
    const queue = `redis://:pass-word-1@127.0.0.1:${redis.port}/0`;
    const workers = [
      await startWorker(project.root, ['--queue', queue], server.env),
      await startWorker(project.root, ['--lease', '30s'], { ...server.env, LLMCHECK_QUEUE: queue }),
    ];
    const asked = server.requests.length;
    // The run itself needs no key.
    const { OPENAI_API_KEY: _key, ...env } = server.env;

    const result = await project.report(['run', '--max-errors', '1'], { env: { ...env, LLMCHECK_QUEUE: queue } });

    expect(result.code).toBe(expected.code);
    expect(withoutDraws(result.report)).toEqual(withoutDraws(expected.report));
    expect(server.requests.length - asked).toBe(asked);
    expectWhole(project, 80);
    const left = await redis.client.keys('*');
    expect(left.filter((key) => !key.startsWith('llmcheck:'))).toEqual([]);
    // No call and no event with an answer.
    const hashes = (await Promise.all(left.map((key) => redis.client.type(key)))).filter((type) => type === 'hash');
    expect(hashes).toHaveLength(2);
    const events = left.filter((key) => key.endsWith(':events'));
    expect(await Promise.all(events.map((key) => redis.client.xlen(key)))).toEqual([0, 0]);
    const values = await Promise.all(left.map((key) => redis.client.dump(key)));
    expect(values.join('')).not.toContain(testKey);
    const ended = await Promise.all(workers.map((worker) => worker.stop()));
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const answered = ended.map(({ stderr }) => Number(/ended: (\d+) answered/.exec(stderr)?.[1]));
    expect((answered[0] ?? 0) + (answered[1] ?? 0)).toBe(asked);
    for (const { stderr } of [...ended, result]) expect(stderr).not.toContain('pass-word-1');
    expect(result.stderr).toContain('2 workers, 16 calls at once.');
  });

  test('keeps a limit over all workers and runs', { tags: 'slow' }, async () => {
    const redis = await startRealRedis();
    let [inFlight, most] = [0, 0];
    const server = await startChatServer(async ({ text }) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight -= 1;
      return wordOf(text);
    });
    const projects = [openTempProject('echo'), openTempProject('echo')];
    for (const project of projects) {
      const words = Array.from({ length: 20 }, (_, index) => `  - { id: w${index}, vars: { word: w${index} } }`);
      project.write(
        'evals/echo.eval.yaml',
        `suite: echo
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini, limits: { concurrency: 3, rpm: 6000 } }]
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
${words.join('\n')}
`,
      );
      await startWorker(project.root, ['--queue', redis.url, '--lease', '2s'], server.env);
    }
    const results = await Promise.all(
      projects.map((project) => project.report(['run', '--queue', redis.url, '--cache', 'off'], { env: server.env })),
    );
    expect(results.map(({ code, report }) => [code, report.totals.passed])).toEqual([
      [0, 20],
      [0, 20],
    ]);
    expect(most).toBeLessThanOrEqual(3);
    expect(server.requests).toHaveLength(40);
  });

  test('loses nothing with a worker that is killed', { tags: 'slow' }, async () => {
    const redis = await startRealRedis();
    const server = await startGatedServer((index) => index < 4);
    const project = openTempProject('two-providers');
    const at = { cwd: project.root, env: { ...server.env, LLMCHECK_QUEUE: redis.url } };
    const killed = spawnCli(['worker', '--lease', '3s', '-j', '4'], at);
    const running = spawnCli(['run', '-r', 'json'], at);
    await server.waitFor(4);
    killed.child.kill('SIGKILL');
    await killed.ended;
    server.open();
    const other = spawnCli(['worker', '--lease', '3s'], at);
    const { code, stdout } = await running.ended;
    expect([code, (JSON.parse(stdout) as JsonReport).totals.passed]).toEqual([0, 80]);
    expectWhole(project, 80);
    // What was in flight was asked twice, and nothing else.
    expect(server.requests).toHaveLength(84);
    other.child.kill('SIGTERM');
    expect((await other.ended).code).toBe(0);
  });

  test('ends the calls in flight of a worker that gets SIGTERM, and gives back those that take too long', {
    tags: ['slow'],
  }, async () => {
    const redis = await startRealRedis();
    const server = await startGatedServer((index) => index < 8);
    const project = openTempProject('echo');
    const first = await startWorker(
      project.root,
      ['--queue', redis.url, '--lease', '2s', '--drain', '0s', '-j', '1'],
      server.env,
    );
    const running = project.report(['run', '--queue', redis.url], { env: server.env });
    await server.waitFor(1);
    const cut = await first.stop();
    expect(cut.code).toBe(143);
    expect(cut.stderr).toContain('0 answered');
    const second = await startWorker(project.root, ['--queue', redis.url, '--lease', '2s'], server.env);
    await server.waitFor(2);
    const stopping = second.stop();
    await second.logged('takes no further call');
    server.open();
    expect((await stopping).code).toBe(0);
    expect(second.log()).toContain('0 ended early');
    await startWorker(project.root, ['--queue', redis.url, '--lease', '2s'], server.env);
    expect((await running).code).toBe(0);
  });

  test('that is killed takes over what workers were answered meanwhile', { tags: 'slow' }, async () => {
    const redis = await startRealRedis();
    const server = await startGatedServer((index) => index >= 10);
    const project = openTempProject('two-providers');
    const at = { cwd: project.root, env: { ...server.env, LLMCHECK_QUEUE: redis.url } };
    const worker = spawnCli(['worker'], at);
    const argv = ['run', '--cache', 'off', '-r', 'json'];
    const first = spawnCli(argv, at);
    await server.waitFor(15);
    first.child.kill('SIGKILL');
    await first.ended;
    server.open();
    const { code, stdout } = await spawnCli([...argv, '--resume'], at).ended;
    expect([code, (JSON.parse(stdout) as JsonReport).totals.passed]).toEqual([0, 80]);
    expectWhole(project, 80);
    expect(server.requests).toHaveLength(80);
    worker.child.kill('SIGTERM');
    await worker.ended;
  });

  test('goes on where Redis is restarted, also where that lost all it had', { tags: 'slow' }, async () => {
    const redis = await startRealRedis();
    const server = await startGatedServer((index) => index === 10);
    const project = openTempProject('two-providers');
    await startWorker(project.root, ['--queue', redis.url, '--lease', '2s'], server.env);
    const told: string[] = [];
    const running = project.report(['run', '--queue', redis.url, '-j', '2'], {
      env: server.env,
      onOutput: (text) => told.push(text),
    });
    await server.waitFor(20);
    await redis.stop();
    await redis.start();
    await server.waitFor(40);
    await redis.stop();
    await redis.start({ keepsData: false });
    server.open();
    const { code, report } = await running;
    expect([code, report.totals.passed]).toEqual([0, 80]);
    expectWhole(project, 80);
    expect(told.join('')).toContain(`The connection to the queue ${redis.url} is lost`);
    expect(told.join('')).toContain(`The queue ${redis.url} is back`);
  });

  test('ends where Redis is gone for good, as its workers do, whenever that happens', { tags: 'slow' }, async () => {
    const redis = await startRealRedis();
    const server = await startGatedServer(() => true);
    const run = async (url: string, deadline: string) => {
      const project = openTempProject('two-providers');
      const { ended } = spawnCli(['run', '--queue', url, '--deadline', deadline], {
        cwd: project.root,
        env: server.env,
      });
      const { code, stderr } = await ended;
      return [code, /can't be used: (.*)/.exec(stderr)?.[1]];
    };
    const stopWorker = async (url: string) => {
      const project = openTempProject('two-providers');
      // Another database than that of the runs, whose calls it would take.
      const at = { cwd: project.root, env: { ...server.env, LLMCHECK_QUEUE: url.replace(/0$/, '1') } };
      const { child, ended } = spawnCli(['worker', '--drain', '100ms'], at);
      let log = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        log += chunk.toString('utf8');
      });
      await expect.poll(() => log).toContain('is lost');
      child.kill('SIGTERM');
      return [(await ended).code];
    };
    const results = await Promise.all([
      run(await startDyingRedis(0), '1s'),
      // While the run asks which version it is.
      run(await startDyingRedis('info', redis.port), '1s'),
      // While BullMQ connects.
      run(await startDyingRedis(8, redis.port), '1s'),
      // The deadline comes after the first heartbeat, which waits for Redis then.
      run(await startDyingRedis(40, redis.port), '4s'),
      stopWorker(await startDyingRedis(8, redis.port)),
      stopWorker(await startDyingRedis(20, redis.port)),
    ]);
    expect(results).toEqual([
      [2, 'it gave no answer within 5 s'],
      [2, 'Connection is closed.'],
      [4, undefined],
      [4, undefined],
      [0],
      [0],
    ]);
  });

  test('tells of a short loss of Redis, as its workers do, and goes on', { tags: 'slow' }, async () => {
    const redis = await startRealRedis();
    const server = await startGatedServer(() => true);
    const project = openTempProject('echo');
    const worker = await startWorker(project.root, ['--queue', redis.url, '--lease', '1s'], server.env);
    let told = '';
    const running = project.report(['run', '--queue', redis.url], {
      env: server.env,
      onOutput: (text) => {
        told += text;
      },
    });
    await server.waitFor(3);
    await redis.client.client('KILL', 'TYPE', 'normal');
    await worker.logged(`the queue ${redis.url} is back`);
    expect(worker.log()).toContain(`the connection to the queue ${redis.url} is lost: no further call starts`);
    await redis.client.config('SET', 'maxmemory', '1');
    await worker.logged(`the queue ${redis.url} refuses: OOM`);
    await redis.client.config('SET', 'maxmemory', '0');
    server.open();
    expect((await running).code).toBe(0);
    expect(told).toContain(`The connection to the queue ${redis.url} is lost; the run waits up to 2 min for it`);
    expect(told).toContain(`The queue ${redis.url} is back.`);
    expect(worker.log().split('is lost')).toHaveLength(2);
  });

  test('is refused by workers of another checkout, and by those without a key, and made by the right one', {
    tags: 'slow',
  }, async () => {
    const redis = await startRealRedis();
    const server = await startChatServer(({ text }) => wordOf(text));
    const project = openTempProject('echo');
    const other = openTempProject('echo');
    const { OPENAI_API_KEY: _key, ...keyless } = server.env;
    const elsewhere = { ...server.env, OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' };
    const refusing = [
      await startWorker(other.root, ['--queue', redis.url], elsewhere),
      await startWorker(other.root, ['--queue', redis.url], keyless),
    ];
    const running = project.report(['run', '--queue', redis.url], { env: server.env });
    await refusing[0]?.logged('REFUSED: this checkout configures it differently');
    await refusing[1]?.logged('REFUSED: OPENAI_API_KEY is not set here');
    expect(server.requests).toHaveLength(0);
    await startWorker(project.root, ['--queue', redis.url, '--lease', '2s'], server.env);
    expect((await running).code).toBe(0);
  });

  test('asks judges over it, too, and retries like any run', async () => {
    const redis = await startRealRedis();
    const server = await startJudgeServer(({ index }) =>
      index === 0 ? { status: 429, headers: { 'retry-after-ms': '1', 'retry-after': '0' } } : verdict(true),
    );
    const project = openJudgeProject({ assert: '[{ rubric: The answer names a warm colour. }]' });
    await startWorker(project.root, ['--queue', redis.url, '--lease', '1s'], server.env);
    const argv = ['run', '--queue', redis.url, '--trials', '2'];
    const { code, report } = await project.report(argv, { env: server.env });
    expect([code, report.totals.passed]).toEqual([0, 2]);
    expect(server.judged).toHaveLength(3);
    expect(server.requests).toHaveLength(5);
  });

  test('starts programs on the worker, for as long as a call may take from its begin', { tags: 'slow' }, async () => {
    const redis = await startRealRedis();
    const project = openTempProject('exec');
    await startWorker(project.root, ['--queue', redis.url, '--lease', '1s', '-j', '1'], {});
    const argv = ['run', '--queue', redis.url, '--timeout', '5s', '--max-errors', '2'];
    const { report } = await project.report(argv);
    const trials = Object.fromEntries(trialsOf(report).map((trial) => [trial.caseId, trial]));
    expect(trials['plain']).toMatchObject({ status: 'passed', output: 'PLAIN' });
    expect(trials['endless']?.error?.message).toContain('no answer within 5 s (--timeout');
    expect(trials['crash']?.error?.message).toContain('the program fell over');
  });

  test('gets no answer of code that has changed since its worker started', { tags: 'slow' }, async () => {
    const redis = await startRealRedis();
    const [project, other] = [openTempProject('exec'), openTempProject('exec')];
    await startWorker(other.root, ['--queue', redis.url, '--lease', '1s', '-j', '1'], {});
    other.write('evals/answer.mjs', `// another version\n${other.read('evals/answer.mjs')}`);
    const { code, report } = await project.report(['run', '-t', 'plain', '--queue', redis.url]);
    expect([code, trialsOf(report)[0]?.error?.message]).toEqual([
      3,
      expect.stringMatching(/^the code of provider .* changed since its worker started: restart the worker$/),
    ]);
  });

  test('that is interrupted has workers end its calls', { tags: 'slow' }, async () => {
    const redis = await startRealRedis();
    const server = await startGatedServer(() => true);
    const project = openTempProject('echo');
    await startWorker(project.root, ['--queue', redis.url, '--lease', '1s'], server.env);
    let interrupt: (name: 'SIGINT') => void = () => undefined;
    const running = project.run(['run', '--queue', redis.url], {
      env: server.env,
      onReady: (signal) => {
        interrupt = signal;
      },
    });
    await server.waitFor(3);
    const [active = ''] = await redis.client.keys('llmcheck:calls-*:active');
    expect(await redis.client.llen(active)).toBe(3);
    interrupt('SIGINT');
    expect((await running).code).toBe(130);
    const untilEnded = async (): Promise<void> => ((await redis.client.llen(active)) === 0 ? undefined : untilEnded());
    await untilEnded();
  });

  test('ends the calls of a worker before others may make them, where Redis is gone', { tags: 'slow' }, async () => {
    const redis = await startRealRedis();
    let tellCut: () => void = () => undefined;
    const cut = new Promise<void>((resolve) => {
      tellCut = resolve;
    });
    let tellAsked: () => void = () => undefined;
    const asked = new Promise<void>((resolve) => {
      tellAsked = resolve;
    });
    const server = createServer((_incoming, response) => {
      response.on('close', tellCut);
      tellAsked();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const env = {
      OPENAI_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
      OPENAI_API_KEY: testKey,
    };
    const project = openTempProject('echo');
    await startWorker(project.root, ['--queue', redis.url, '--lease', '1s', '-j', '1', '--drain', '0s'], env);
    let interrupt: (name: 'SIGINT') => void = () => undefined;
    const running = project.run(['run', '--queue', redis.url], {
      env,
      onReady: (signal) => {
        interrupt = signal;
      },
    });
    await asked;
    await redis.stop();
    await cut;
    await redis.start();
    interrupt('SIGINT');
    expect((await running).code).toBe(130);
  });

  test('keeps a rate over all workers and runs, and -j of a worker over all providers', {
    tags: ['slow'],
  }, async () => {
    const redis = await startRealRedis();
    const begunMs: number[] = [];
    let [inFlight, most] = [0, 0];
    const server = await startChatServer(async ({ text }) => {
      begunMs.push(performance.now());
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight -= 1;
      return wordOf(text);
    });
    const project = openTempProject('echo');
    project.write(
      'evals/echo.eval.yaml',
      `suite: echo
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers:
  - { id: mini, use: openai:gpt-4o-mini, limits: { rpm: 600 } }
  - { id: large, use: openai:gpt-4o }
defaults: { assert: [{ equals: "{{ word }}" }] }
cases: [{ id: a, vars: { word: a } }, { id: b, vars: { word: b } }]
`,
    );
    await startWorker(project.root, ['--queue', redis.url, '--lease', '2s', '-j', '1'], server.env);
    const argv = ['run', '--queue', redis.url, '--cache', 'off', '--no-baseline'];
    const results = await Promise.all([1, 2].map(() => project.report(argv, { env: server.env })));
    expect(results.map(({ report }) => report.totals.passed)).toEqual([4, 4]);
    expect(most).toBe(1);
    // Both providers have the largest rate of their key: four calls of each, 100 ms apart.
    // The first call arrives later than it left, since it opens the connection.
    expect((begunMs.at(-1) ?? 0) - (begunMs[0] ?? 0)).toBeGreaterThan(250);
  });

  test('tells all workers of a wait that a server asked for', { tags: 'slow' }, async () => {
    const redis = await startRealRedis();
    const server = await startChatServer(({ text, index }) =>
      index === 0 ? { status: 429, headers: { 'retry-after-ms': '300' } } : wordOf(text),
    );
    const project = openTempProject('echo');
    await startWorker(project.root, ['--queue', redis.url, '--lease', '2s', '-j', '1'], server.env);
    const running = project.report(['run', '--queue', redis.url, '-j', '1'], { env: server.env });
    await server.waitFor(1);
    const untilPaused = async (): Promise<number> => {
      const [limiter = 'none'] = await redis.client.keys('llmcheck:calls-*:limiter');
      const isPaused = (await redis.client.get(limiter)) === `${Number.MAX_SAFE_INTEGER}`;
      return isPaused ? redis.client.pttl(limiter) : untilPaused();
    };
    expect(await untilPaused()).toBeGreaterThan(0);
    expect((await running).code).toBe(0);
  });
});
