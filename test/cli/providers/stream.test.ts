import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { streamAnswer } from '../../../scripts/answer-streams.ts';
import { type ReceivedRequest, type ScriptedServer, startServer } from '../../support/http-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const body = {
  id: 'a1',
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'billing' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
};

function answer({ body: sent }: ReceivedRequest) {
  if ((JSON.parse(sent) as { stream?: boolean }).stream !== true) return { body };
  const { contentType, events } = streamAnswer('openai-chat', body);
  return { headers: { 'content-type': contentType }, body: Buffer.concat(events) };
}

interface Opened {
  readonly project: TempProject;
  readonly server: ScriptedServer;
  readonly write: (suite?: object, provider?: object) => void;
}

async function open(): Promise<Opened> {
  const server = await startServer(answer);
  onTestFinished(() => server.close());
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
  return {
    project,
    server,
    write(suite = {}, provider = {}) {
      const base = {
        suite: 'triage',
        prompts: [{ id: 'v1', text: '{{ email }}' }],
        providers: [{ id: 'p', use: 'openai:m', baseURL: server.url, stream: true, ...provider }],
        cases: [{ id: 'refund', vars: { email: 'Money back' }, assert: [{ latency: { firstToken: '30s' } }] }],
      };
      project.write('triage.eval.yaml', JSON.stringify({ ...base, ...suite }));
    },
  };
}

interface Failed {
  readonly suites: readonly {
    readonly cases: readonly {
      readonly trials: readonly { readonly error?: { readonly kind: string; readonly message: string } }[];
    }[];
  }[];
}

/** Sends the beginning of an answer, and no more. */
async function startHangingServer(beginning: string): Promise<{ readonly url: string }> {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(beginning);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

interface Reported {
  readonly decision: { readonly breaches: readonly { readonly code: string; readonly message: string }[] };
  readonly suites: readonly {
    readonly variants: readonly { readonly firstTokenMs?: { readonly p50: number; readonly p95: number } }[];
    readonly cases: readonly {
      readonly trials: readonly {
        readonly latencyMs: number;
        readonly firstTokenMs?: number;
        readonly cached: boolean;
        readonly checks: readonly { readonly reason: string }[];
      }[];
    }[];
  }[];
}

async function run(project: TempProject, ...flags: readonly string[]) {
  const { code, stdout, stderr } = await project.run(['run', '-q', '--no-baseline', '-r', 'json', ...flags]);
  const report = JSON.parse(stdout) as Reported;
  const trial = report.suites[0]?.cases[0]?.trials[0];
  return { code, stderr, report, trial };
}

it('the time to the first token is measured, checked, reported, and kept by cache and recordings', {
  tags: ['slow'],
}, async () => {
  const { project, server, write } = await open();
  write({ recordings: 'recorded.jsonl' });
  const first = await run(project, '--cache', 'use', '--record');
  expect(first).toMatchObject({ code: 0, trial: { cached: false, firstTokenMs: expect.any(Number) as number } });
  expect(first.trial?.checks[0]?.reason).toMatch(/^the first token came after \d+(\.\d)? ms, wanted at most 30000 ms$/);
  const { firstTokenMs = 0, latencyMs = 0 } = first.trial ?? {};
  expect(firstTokenMs).toBeLessThanOrEqual(latencyMs);
  expect(first.report.suites[0]?.variants[0]?.firstTokenMs).toEqual({ p50: firstTokenMs, p95: firstTokenMs });
  expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({ stream: true });
  // From the recordings, then from the cache alone.
  expect((await run(project)).trial).toMatchObject({ cached: true, firstTokenMs, latencyMs });
  write();
  for (const mode of ['use', 'replay']) {
    expect((await run(project, '--cache', mode)).trial).toMatchObject({ cached: true, firstTokenMs, latencyMs });
  }
  expect(server.requests).toHaveLength(1);
  for (const [reporter, pattern] of [
    ['terminal', /first token p95 \d/],
    ['markdown', /first token p50 \/ p95/],
  ] as const) {
    expect((await project.run(['run', '--no-baseline', '-r', reporter])).stdout).toMatch(pattern);
  }
});

it('an answer that was not streamed is asked again once it is to be, and the accepted one keeps its time', async () => {
  const { project, server, write } = await open();
  write(
    { cases: [{ id: 'refund', vars: { email: 'Money back' }, assert: [{ contains: 'billing' }] }] },
    { stream: false },
  );
  expect((await run(project)).trial).not.toHaveProperty('firstTokenMs');
  write();
  expect((await run(project)).trial).toMatchObject({ cached: false, firstTokenMs: expect.any(Number) as number });
  expect(server.requests).toHaveLength(2);
  await project.run(['baseline', 'accept']);
  expect(project.read('triage.baseline.jsonl')).toContain('"firstTokenMs":');
  // Without streams the cached answer is as good as any.
  write({}, { stream: false });
  expect((await run(project)).trial).toMatchObject({ cached: true });
  expect(server.requests).toHaveLength(2);
});

it('the gate limits the 95th percentile, and does not pass what it does not know', async () => {
  const { project, write } = await open();
  const cases = [{ id: 'refund', vars: { email: 'Money back' }, assert: [{ contains: 'billing' }] }];
  const gate = (firstTokenP95Max: string) => ({ cases, gate: { latency: { firstTokenP95Max } } });
  write(gate('30s'));
  expect(await run(project)).toMatchObject({ code: 0 });
  write(gate('0.001ms'));
  const failed = await run(project);
  expect(failed).toMatchObject({ code: 1, report: { decision: { breaches: [{ code: 'first-token-p95-max' }] } } });
  expect(failed.report.decision.breaches[0]?.message).toMatch(/p95 time to the first token .* is above/);
  write(gate('30s'), { stream: false });
  const unknown = await run(project, '--cache', 'refresh');
  expect(unknown).toMatchObject({ code: 3, report: { decision: { breaches: [{ code: 'untimed' }] } } });
  expect(unknown.report.decision.breaches[0]?.message).toMatch(/not streamed: set stream: true/);
});

it('a stream that outlasts its time limit fails with what had come', { tags: ['slow'] }, async () => {
  const server = await startHangingServer('data: {"choices":[{"delta":{"content":"Hello wor"}}]}\n\n');
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
  const provider = { id: 'p', use: 'openai:m', baseURL: server.url, stream: true, limits: { timeout: '1s' } };
  const cases = [{ id: 'refund', vars: { email: 'Money back' }, assert: [{ contains: 'billing' }] }];
  const prompts = [{ id: 'v1', text: '{{ email }}' }];
  project.write('triage.eval.yaml', JSON.stringify({ prompts, providers: [provider], cases }));
  const { code, stdout } = await project.run(['run', '-q', '--no-baseline', '-r', 'json']);
  expect(code).toBe(3);
  const [trial] = (JSON.parse(stdout) as Failed).suites[0]?.cases[0]?.trials ?? [];
  expect(trial?.error).toMatchObject({ kind: 'timeout' });
  expect(trial?.error?.message).toMatch(/no answer within 1 s .*what had come: 9 characters: "Hello wor"/);
});

it('an assertion on the first token of an answer that was not streamed is an error', async () => {
  const { project, write } = await open();
  write({}, { stream: false });
  const { code, report } = await run(project);
  expect(code).toBe(3);
  expect(JSON.stringify(report)).toContain('set stream: true on the provider');
});

it.each([
  ['exec:node app.mjs', {}],
  ['http:app', { baseURL: 'http://127.0.0.1:9' }],
  ['echo:x', {}],
  ['openai:text-embedding-3-small', { api: 'embeddings' }],
])('stream: true of %s is a mistake of the user', async (use, more) => {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: ["*.eval.yaml"]\n');
  const keys = Object.entries(more).map(([key, value]) => `    ${key}: ${value}\n`);
  project.write(
    'triage.eval.yaml',
    `prompts: [{ id: v1, text: "{{ email }}" }]
providers:
  - id: p
    use: ${use}
    stream: true
${keys.join('')}cases: [{ id: refund, vars: { email: Money back }, assert: [{ contains: billing }] }]
`,
  );
  const { code, stderr } = await project.run(['validate']);
  expect(code).toBe(2);
  expect(stderr).toMatch(/triage\.eval\.yaml:5:13 error invalid-value: .* gives its answers whole/);
});
