import { renameSync, rmSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type BatchApiName, type BatchServer, batchApiNames, startBatchServer } from '../../support/batch-server.ts';
import { startEchoServer, testKey } from '../../support/chat-server.ts';
import {
  openTempProject,
  plannedTrialsOf,
  statusesOf,
  type TempProject,
  trialsOf,
} from '../../support/temp-project.ts';

/** A project whose one suite asks a batch API for words. */
async function openBatched(api: BatchApiName, words?: readonly string[], fateOf?: (word: string) => string) {
  const server = await startBatchServer(api, fateOf);
  const project = openTempProject();
  project.write('evals/batched.eval.yaml', server.suite(words));
  return { server, project };
}

/** Plays Ctrl-C as soon as the server has taken so many batches. */
async function interruptOnceTaken(
  project: TempProject,
  server: BatchServer,
  { env = server.env, batches = 1 } = {},
): Promise<number> {
  let interrupt: (() => void) | undefined;
  const run = project.run(['run', '--batch'], {
    env,
    // Batches of two runs have different names.
    randomSeed: batches,
    onReady: (signal) => {
      interrupt = () => signal('SIGINT');
    },
  });
  await server.taken(batches);
  interrupt?.();
  return (await run).code;
}

describe.each(batchApiNames)('run --batch by the batch API of %s', (api) => {
  test('gives the verdicts of a live run, and bills half', async () => {
    const server = await startBatchServer(api, (word) => (word === 'two' ? 'wrong' : word));
    const live = openTempProject();
    live.write('evals/batched.eval.yaml', server.suite());
    const expected = await live.report(['run'], { env: server.env });
    const project = openTempProject();
    project.write('evals/batched.eval.yaml', server.suite());
    const { code, report, stderr } = await project.report(['run', '--batch'], { env: server.env });
    expect([expected.code, code]).toEqual([1, 1]);
    expect(statusesOf(report)).toEqual({ one: 'passed', two: 'failed', three: 'passed', four: 'passed' });
    expect(trialsOf(report).map(({ usage }) => usage)).toEqual(trialsOf(expected.report).map(({ usage }) => usage));
    expect(report.totals.costUsd).toBeCloseTo(expected.report.totals.costUsd ?? Number.NaN, 12);
    // The wrong answer is asked for live six times more, by each run.
    const costUsd = report.totals.costUsd ?? Number.NaN;
    expect(report.totals.spentUsd).toBeCloseTo(costUsd / 2 + (6 * costUsd) / 4, 12);
    expect(stderr).toContain(`spent $${report.totals.spentUsd?.toFixed(4)}`);
    expect([server.submissions.length, server.submissions[0]?.length, server.liveCount]).toEqual([1, 4, 10 + 6]);
    // Nobody timed it.
    expect(plannedTrialsOf(report).map(({ latencyMs }) => latencyMs)).toEqual([null, null, null, null]);
    expect(project.files('.llmcheck/batches')).toEqual([]);
  });

  test('answers from the cache afterwards, and submits only new requests', async () => {
    const { server, project } = await openBatched(api);
    await project.report(['run', '--batch'], { env: server.env });
    project.write('evals/batched.eval.yaml', server.suite(['one', 'five']));
    const { code, report } = await project.report(['run', '--batch'], { env: server.env });
    expect([code, report.totals.cached, report.totals.passed]).toEqual([0, 1, 2]);
    expect([server.submissions.map((keys) => keys.length), server.liveCount]).toEqual([[4, 1], 0]);
  });

  test('takes no answer whose bytes are not UTF-8, and the others of its file', async () => {
    const { server, project } = await openBatched(api, ['one', 'undecodable']);
    const { report } = await project.report(['run', '--batch'], { env: server.env });
    // Gemini's answers stand in one JSON text.
    const expected = api === 'gemini' ? undefined : 'malformed';
    expect(trialsOf(report).map(({ caseId, error }) => [caseId, error?.kind])).toEqual([
      ['one', undefined],
      ['undecodable', expected],
    ]);
  });

  test('tells what became of requests that were not answered', async () => {
    const server = await startBatchServer(api, (word) => word);
    const words = ['one', 'expired', 'overloaded', 'refused', 'missing'];
    const project = openTempProject();
    project.write('evals/batched.eval.yaml', server.suite(words));
    const { code, report } = await project.report(['run', '--batch'], { env: server.env });
    const kinds = Object.fromEntries(trialsOf(report).map(({ caseId, error }) => [caseId, error?.kind]));
    expect(code).toBe(3);
    expect(kinds).toEqual({
      one: undefined,
      expired: api === 'gemini' ? 'server' : 'timeout',
      overloaded: 'overloaded',
      refused: 'badRequest',
      missing: 'malformed',
    });
    expect(report.totals).toMatchObject({ passed: 1, errored: 4, spentUsd: 0.0075 });
    // Another run hands them in again.
    await project.report(['run', '--batch', '--resume'], { env: server.env });
    expect(server.submissions.map((keys) => keys.length)).toEqual([5, 4]);
  });

  test.each(['hang', 'reset'] as const)(
    'finds a batch whose submission was taken and not answered (%s) instead of handing it in again',
    async (onSubmit) => {
      const { server, project } = await openBatched(api);
      server.onSubmit = onSubmit;
      server.isHeld = true;
      expect(await interruptOnceTaken(project, server)).toBe(130);
      const interrupted = await project.run(['report', '-r', 'json']);
      expect(interrupted.stdout).toContain('(not confirmed yet)');
      server.isHeld = false;
      server.onSubmit = 'answer';
      const { code, report } = await project.report(['run', '--batch'], { env: server.env });
      expect([code, report.totals.passed, server.submissions.length, server.liveCount]).toEqual([0, 4, 1, 0]);
    },
  );

  test('hands a batch in again that its provider has forgotten', async () => {
    const { server, project } = await openBatched(api);
    server.isHeld = true;
    await interruptOnceTaken(project, server);
    server.forgetAll();
    server.isHeld = false;
    const { code } = await project.report(['run', '--batch'], { env: server.env });
    expect([code, server.submissions.length]).toEqual([0, 2]);
  });

  test('finds its batch behind those of others, on a further page', async () => {
    const { server, project } = await openBatched(api);
    server.onSubmit = 'hang';
    server.isHeld = true;
    await interruptOnceTaken(project, server);
    server.addStranger();
    server.addStranger();
    server.isPaged = true;
    server.isHeld = false;
    server.onSubmit = 'answer';
    const { code } = await project.report(['run', '--batch'], { env: server.env });
    expect([code, server.submissions.length]).toEqual([0, 1]);
  });

  test('errors the cells of a batch that is refused', async () => {
    const server = await startBatchServer(api);
    server.onSubmit = 'refuse';
    const project = openTempProject();
    project.write('evals/batched.eval.yaml', server.suite());
    const { code, report } = await project.report(['run', '--batch'], { env: server.env });
    expect([code, report.totals.errored, server.liveCount]).toEqual([3, 4, 0]);
    expect(trialsOf(report)[0]?.error).toMatchObject({
      kind: 'badRequest',
      message: expect.stringContaining('not like this'),
    });
    expect(project.files('.llmcheck/batches')).toEqual([]);
  });
});

test.each([
  ['openai', 'expired', 'timeout'],
  ['openai', 'cancelled', 'aborted'],
  ['gemini', 'expired', 'timeout'],
  ['gemini', 'cancelled', 'aborted'],
] as const)('a batch of %s that is %s errors the requests without an answer as %s', async (api, endState, kind) => {
  const server = await startBatchServer(api);
  server.endState = endState;
  const project = openTempProject();
  project.write('evals/batched.eval.yaml', server.suite(['one', 'missing']));
  const { code, report } = await project.report(['run', '--batch'], { env: server.env });
  const kinds = Object.fromEntries(trialsOf(report).map(({ caseId, error }) => [caseId, error?.kind]));
  expect([code, kinds]).toEqual([3, { one: undefined, missing: kind }]);
});

test.each([
  ['openai', 'failed', 'badRequest'],
  ['openai', 'full', 'rateLimit'],
  ['gemini', 'failed', 'badRequest'],
  ['gemini', 'full', 'rateLimit'],
] as const)('a batch that %s takes and ends as %s errors its cells as %s', async (api, endState, kind) => {
  const server = await startBatchServer(api);
  server.endState = endState;
  const project = openTempProject();
  project.write('evals/batched.eval.yaml', server.suite(['one']));
  const { code, report } = await project.report(['run', '--batch'], { env: server.env });
  expect([code, trialsOf(report)[0]?.error]).toMatchObject([
    3,
    { kind, message: expect.stringContaining('not like this') },
  ]);
  expect(project.files('.llmcheck/batches')).toEqual([]);
});

test('a request that openai cancels is aborted, and one without a status is a failure of the server', async () => {
  const { server, project } = await openBatched('openai', ['cancelled', 'unanswered']);
  const { report } = await project.report(['run', '--batch'], { env: server.env });
  expect(trialsOf(report).map(({ error }) => error?.kind)).toEqual(['aborted', 'server']);
});

describe('a disk that refuses', () => {
  test('the handle of a batch ends the run before anything is submitted', async () => {
    const { server, project } = await openBatched('openai');
    project.write('.llmcheck/runs/.keep', '');
    symlinkSync(project.path('nowhere'), project.path('.llmcheck/batches'));
    const { code, report, stderr } = await project.report(['run', '--batch'], { env: server.env });
    expect([code, report.run.stopReason, report.totals.skipped]).toEqual([4, 'storage', 4]);
    expect(stderr).toContain(project.path('.llmcheck/batches/'));
    expect(stderr).not.toContain('is under way');
    expect(server.requests).toHaveLength(0);
  });

  test('a file in place of the folder of batches is a usage error', async () => {
    const { server, project } = await openBatched('openai');
    project.write('.llmcheck/batches', 'no folder');
    const { code, stderr } = await project.run(['run', '--batch'], { env: server.env });
    expect([code, stderr]).toEqual([2, expect.stringContaining(project.path('.llmcheck/batches'))]);
    expect(server.requests).toHaveLength(0);
  });

  test('the id of a submitted batch ends the run, and the next one looks for it', async () => {
    const { server, project } = await openBatched('openai');
    const run = project.report(['run', '--batch'], { env: server.env });
    await server.taken(1);
    renameSync(project.path('.llmcheck/batches'), project.path('.llmcheck/moved'));
    project.write('.llmcheck/batches', 'no folder');
    const { code, report } = await run;
    expect([code, report.run.stopReason]).toEqual([4, 'storage']);
    rmSync(project.path('.llmcheck/batches'));
    renameSync(project.path('.llmcheck/moved'), project.path('.llmcheck/batches'));
    const next = await project.report(['run', '--batch'], { env: server.env });
    expect([next.code, next.report.totals.passed, server.submissions.length]).toEqual([0, 4, 1]);
  });

  test('to forget a collected batch is said, and changes no verdict', async () => {
    const project = openTempProject();
    const server = await startBatchServer('openai', (word) => {
      rmSync(project.path('.llmcheck/batches'), { recursive: true, force: true });
      project.write('.llmcheck/batches', 'no folder');
      return word;
    });
    project.write('evals/batched.eval.yaml', server.suite());
    const { code, stderr } = await project.report(['run', '--batch'], { env: server.env });
    expect([code, stderr]).toEqual([0, expect.stringContaining('ENOTDIR')]);
  });

  test('to list batches is a usage error that names their folder', async () => {
    const { server, project } = await openBatched('openai');
    project.write('.llmcheck/batches', 'no folder');
    const { code, stderr } = await project.run(['run', '--batch'], { env: server.env });
    expect([code, stderr]).toEqual([2, expect.stringContaining(project.path('.llmcheck/batches'))]);
    expect(server.requests).toHaveLength(0);
  });
});

test('a file that is not a batch is reported and ignored, and others are collected', async () => {
  const { server, project } = await openBatched('openai');
  project.write('.llmcheck/batches/torn.json', '{"format":');
  project.write('.llmcheck/batches/later.json', '{"format": 99}');
  const twice = { format: 1, name: 'twice', startedAt: '', provider: 'a', endpoint: '', keys: [], batchIds: ['a'] };
  const text = JSON.stringify({ ...twice, isConfirmed: true }).replace('{', '{"batchIds":["b"],');
  project.write('.llmcheck/batches/twice.json', text);
  project.write('.llmcheck/batches/left.json.0123456789ab.tmp', '{"format":');
  const { code, stderr } = await project.report(['run', '--batch'], { env: server.env });
  expect(code).toBe(0);
  for (const name of ['torn', 'later', 'twice'])
    expect(stderr).toContain(
      `${project.path(`.llmcheck/batches/${name}.json`)} is not a batch that this version can read`,
    );
  expect(stderr).not.toContain('.tmp');
  expect(project.files('.llmcheck/batches')).toEqual(
    ['later.json', 'left.json.0123456789ab.tmp', 'torn.json', 'twice.json'].map((name) => `.llmcheck/batches/${name}`),
  );
});

test.each([
  ['half an hour behind finds its batch', -1_800_000, 1],
  ['two hours behind takes it for an older one, and submits again', -7_200_000, 2],
])('a provider whose clock is %s', async (_, clockOffsetMs, submissions) => {
  const server = await startBatchServer('anthropic');
  server.clockOffsetMs = clockOffsetMs;
  server.onSubmit = 'hang';
  server.isHeld = true;
  const project = openTempProject();
  project.write('evals/batched.eval.yaml', server.suite());
  await interruptOnceTaken(project, server);
  server.isHeld = false;
  server.onSubmit = 'answer';
  const { code } = await project.report(['run', '--batch'], { env: server.env });
  expect([code, server.submissions.length]).toEqual([0, submissions]);
});

test('a deadline leaves the batch at its provider, says so, and the next run collects it', {
  tags: 'slow',
}, async () => {
  const server = await startBatchServer('anthropic');
  server.isHeld = true;
  const project = openTempProject();
  project.write('evals/batched.eval.yaml', server.suite());
  const { code, report, stderr } = await project.report(['run', '--batch', '--deadline', '2s'], { env: server.env });
  expect([code, report.totals.skipped, report.run.stopReason]).toEqual([4, 4, 'deadline']);
  expect(stderr).toContain('batches/0');
  const text = await project.run(['report']);
  expect(text.stdout.replaceAll(/\s+/g, ' ')).toContain('run the same command again to collect it');
  const [handle = ''] = project.files('.llmcheck/batches');
  expect(project.read(handle)).toContain('batches/0');
  expect(project.read(handle)).not.toContain(testKey);
  server.isHeld = false;
  // Also where the run is resumed instead of started again.
  const resumed = await project.report(['run', '--resume'], { env: server.env });
  expect([resumed.code, resumed.report.totals.passed, server.submissions.length, server.liveCount]).toEqual([
    0, 4, 1, 0,
  ]);
});

test('each of two providers has a batch of its own, and both are named, collected and forgotten', {
  tags: 'slow',
}, async () => {
  const servers = [await startBatchServer('openai'), await startBatchServer('anthropic')];
  const [first = '', second = ''] = servers.map((server) => server.suite(['one']));
  const ofSecond = /^ {2}- id: mini\n(?: {4}.*\n)+/m.exec(second)?.[0].replace('mini', 'haiku') ?? '';
  const project = openTempProject();
  project.write('evals/batched.eval.yaml', first.replace('defaults:', `${ofSecond}defaults:`));
  const env = { ...servers[0]?.env, ...servers[1]?.env };
  for (const server of servers) server.isHeld = true;
  const cut = await project.report(['run', '--batch', '--deadline', '2s'], { env });
  expect(cut.report.notes.map((note) => / to (\w+) is under way/.exec(note)?.[1])).toEqual(['mini', 'haiku']);
  expect(project.files('.llmcheck/batches')).toHaveLength(2);
  for (const server of servers) server.isHeld = false;
  const { code, report } = await project.report(['run', '--batch'], { env });
  expect([
    code,
    report.totals.passed,
    servers.map(({ submissions, liveCount }) => [submissions.length, liveCount]),
  ]).toEqual([
    0,
    2,
    [
      [1, 0],
      [1, 0],
    ],
  ]);
  expect(project.files('.llmcheck/batches')).toEqual([]);
});

test('two batches of one provider are both collected and forgotten', async () => {
  const { server, project } = await openBatched('openai', ['one', 'two']);
  server.isHeld = true;
  expect(await interruptOnceTaken(project, server)).toBe(130);
  project.write('evals/batched.eval.yaml', server.suite(['three', 'four']));
  expect(await interruptOnceTaken(project, server, { batches: 2 })).toBe(130);
  expect(project.files('.llmcheck/batches')).toHaveLength(2);
  server.isHeld = false;
  project.write('evals/batched.eval.yaml', server.suite());
  const { code, report } = await project.report(['run', '--batch'], { env: server.env });
  expect([code, report.totals.passed, server.submissions.length, server.liveCount]).toEqual([0, 4, 2, 0]);
  expect(project.files('.llmcheck/batches')).toEqual([]);
});

test('a resumed run submits no request of a cell that it keeps, also without a cache', async () => {
  const { server, project } = await openBatched('openai', ['one', 'missing']);
  const flags = ['run', '--batch', '--cache', 'off'];
  await project.report(flags, { env: server.env });
  const { report } = await project.report([...flags, '--resume'], { env: server.env });
  expect(report.totals).toMatchObject({ passed: 1, errored: 1 });
  expect(server.submissions.map((keys) => keys.length)).toEqual([2, 1]);
});

test('a batch that another key submitted is left to that key', async () => {
  const server = await startBatchServer('anthropic');
  server.isHeld = true;
  const project = openTempProject();
  project.write('evals/batched.eval.yaml', server.suite());
  expect(await interruptOnceTaken(project, server)).toBe(130);
  const withOtherKey = server.suite().replace('# chat', 'apiKeyEnv: OTHER_KEY');
  project.write('evals/batched.eval.yaml', withOtherKey);
  const env = { ...server.env, OTHER_KEY: testKey };
  expect(await interruptOnceTaken(project, server, { env, batches: 2 })).toBe(130);
  expect([server.submissions.length, project.files('.llmcheck/batches').length]).toEqual([2, 2]);
});

test('a run that is cut short after its batch has ended keeps the batch for the next run', async () => {
  const { server, project } = await openBatched('openai', undefined, (word) => (word === 'one' ? 'wrong' : word));
  const cut = await project.report(['run', '--batch', '--bail', '1', '-j', '1'], { env: server.env });
  expect([cut.report.run.stopReason, cut.report.totals.failed]).toEqual(['bail', 1]);
  expect(cut.report.totals.skipped).toBeGreaterThan(0);
  expect(project.files('.llmcheck/batches')).toHaveLength(1);
  const { code, report } = await project.report(['run', '--batch'], { env: server.env });
  expect([code, report.totals.failed, report.totals.passed]).toEqual([1, 1, 3]);
  // Fresh trials alone are asked live.
  expect([server.submissions.length, server.liveCount]).toEqual([1, 6]);
  expect(project.files('.llmcheck/batches')).toEqual([]);
});

test('later turns and fresh trials are asked live', async () => {
  const server = await startBatchServer('openai');
  const project = openTempProject();
  const suite = server
    .suite(['one'])
    .replace(
      /cases:[^]*/,
      `cases:
  - id: talk
    vars: { word: one }
    assert: [{ equals: two }]
    turns: [{ user: "Say: two" }]
`,
    )
    .replace(/defaults:.*\n/, '');
  project.write('evals/batched.eval.yaml', suite);
  const { code, report } = await project.report(['run', '--batch'], { env: server.env });
  expect([code, server.submissions.length, server.liveCount]).toEqual([0, 1, 1]);
  // A half for the first answer, the whole for the second.
  expect(report.totals.spentUsd).toBeCloseTo((report.totals.costUsd ?? Number.NaN) * 0.75, 12);
});

test.each([[], ['--max-cost', '1']])(
  'an answer of a batch that is of no use is spent at the price of batches (%j)',
  async (...flags) => {
    const { server, project } = await openBatched('openai', ['one', 'unusable']);
    const { code, report, stderr } = await project.report(['run', '--batch', ...flags], { env: server.env });
    expect([code, report.totals.passed, report.totals.errored]).toEqual([3, 1, 1]);
    expect(stderr).toContain('spent $0.0150');
    expect(report.totals.costUsd).toBeCloseTo(0.03, 12);
    expect(report.totals.spentUsd).toBeCloseTo(0.015, 12);
  },
);

test('--max-cost bounds what is submitted, at the price of batches', async () => {
  const { server, project } = await openBatched('openai');
  // An answer is bounded by about 0.018 (17 bytes of input with overhead, 20 tokens of output, at half price).
  const { code, report } = await project.report(['run', '--batch', '--max-cost', '0.05'], { env: server.env });
  expect([code, report.run.stopReason]).toEqual([4, 'budget']);
  expect(server.submissions.map((keys) => keys.length)).toEqual([2]);
  expect(report.totals).toMatchObject({ passed: 2, skipped: 2 });
  expect(report.totals.spentUsd).toBeCloseTo(0.015, 12);
});

test('what a batch did not use of its bounds is left for live calls', async () => {
  const server = await startBatchServer('openai');
  const project = openTempProject();
  const talk = `cases:
  - { id: talk, vars: { word: one }, assert: [{ equals: two }], turns: [{ user: "Say: two" }] }
`;
  const suite = server.suite(['one']).replace(/defaults:[^]*/, talk);
  project.write('evals/batched.eval.yaml', suite);
  // The batch is bounded by about 0.018 and billed 0.0075; the turn is bounded by about 0.065.
  const within = ['run', '--batch', '--cache', 'off', '--max-cost', '0.078'];
  expect((await project.report(within, { env: server.env })).report.totals.passed).toBe(1);
  const beyond = await project.report([...within.slice(0, -1), '0.02'], { env: server.env });
  expect([beyond.report.run.stopReason, beyond.report.totals.skipped]).toEqual(['budget', 1]);
});

test('a cell that its suite skips is in no batch', async () => {
  const server = await startBatchServer('openai');
  const project = openTempProject();
  const skipped = '  - { id: later, vars: { word: later }, skip: not yet }\n';
  project.write('evals/batched.eval.yaml', server.suite(['one']) + skipped);
  const { report } = await project.report(['run', '--batch'], { env: server.env });
  expect([report.totals.skipped, server.submissions.map((keys) => keys.length)]).toEqual([1, [1]]);
});

test('a batch of requests that are no longer asked is left to the suite that asked them', {
  tags: ['slow'],
}, async () => {
  const { server, project } = await openBatched('openai');
  server.isHeld = true;
  await interruptOnceTaken(project, server);
  const handles = project.files('.llmcheck/batches');
  server.isHeld = false;
  project.write('evals/batched.eval.yaml', server.suite(['five']));
  const { code } = await project.report(['run', '--batch'], { env: server.env, randomSeed: 2 });
  expect([code, server.submissions.map((keys) => keys.length)]).toEqual([0, [4, 1]]);
  expect(project.files('.llmcheck/batches')).toEqual(handles);
});

test('--batch is no mistake where nothing is sent', async () => {
  const project = openTempProject('recordings');
  project.write('evals/echo.eval.yaml', project.read('evals/echo.eval.yaml').replace('openai:', 'replay:'));
  const line = { format: 1, prompt: 'v1', provider: 'mini', trial: 0 };
  const answers = ['red', 'blue'].map((word) => ({ ...line, caseId: word, completion: { text: word } }));
  project.write('evals/answers.jsonl', answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''));
  expect((await project.run(['cache', 'import', 'evals/answers.jsonl'])).code).toBe(0);
  const { code, stderr } = await project.run(['run', '--batch']);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('--batch')]);
});

test('a request that several cells share is submitted once and billed once', async () => {
  const server = await startBatchServer('anthropic');
  const project = openTempProject();
  const suite = server.suite(['one']) + '  - { id: other, vars: { word: one, }, tags: [x] }\n';
  project.write('evals/batched.eval.yaml', suite);
  const { code, report } = await project.report(['run', '--batch', '--cache', 'off'], { env: server.env });
  expect([code, server.submissions.map((keys) => keys.length), server.liveCount]).toEqual([0, [1], 0]);
  expect(report.totals).toMatchObject({ passed: 2, cached: 1, costUsd: 0.03, spentUsd: 0.0075 });
});

test('--batch is refused where no provider has a batch API, and said where some have none', async () => {
  const batch = await startBatchServer('openai');
  const echo = await startEchoServer();
  const project = openTempProject();
  const own = `  - { id: own, use: "ollama:qwen", baseURL: "${echo.url}/v1" }`;
  const suite = batch.suite(['one']);
  project.write('evals/batched.eval.yaml', suite.replace(/  - id: mini[^]*?(?=defaults)/, `${own}\n`));
  const refused = await project.run(['run', '--batch'], { env: batch.env });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('no provider of this run has a batch API: own');
  project.write('evals/batched.eval.yaml', suite.replace('defaults:', `${own}\ndefaults:`));
  const mixed = await project.report(['run', '--batch'], { env: batch.env });
  expect(mixed.code).toBe(0);
  expect(mixed.stderr).toContain('provider own has no batch API that llmcheck speaks, so it is asked live');
  expect([echo.requests.length, batch.submissions.length]).toEqual([1, 1]);
});

test('an answer without its key belongs to no request, in any position', async () => {
  const { server, project } = await openBatched('gemini', ['keyless1', 'keyless2']);
  const { code, report } = await project.report(['run', '--batch'], { env: server.env });
  expect(code).toBe(3);
  expect(trialsOf(report).map(({ error }) => error?.kind)).toEqual(['malformed', 'malformed']);
});

test('a missing key is said by the cells, as live', async () => {
  const { server, project } = await openBatched('gemini', ['one']);
  const { GEMINI_API_KEY: _key, ...env } = server.env;
  const { code, report } = await project.report(['run', '--batch'], { env });
  expect([code, trialsOf(report)[0]?.error, server.requests.length]).toMatchObject([
    3,
    { kind: 'auth', attempts: 0 },
    0,
  ]);
});
