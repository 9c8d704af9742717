import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/index.ts';
import {
  compareRecords,
  defineAssertion,
  defineProvider,
  renderReport,
  runSuites,
  UserError,
} from '../../src/index.ts';
import { startEchoServer } from '../support/chat-server.ts';
import { openTempProject } from '../support/temp-project.ts';

const suite = (words: readonly string[], more = '') => `suite: echo
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini }]
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
${words.map((word) => `  - { id: ${word}, vars: { word: ${word} } }`).join('\n')}
${more}`;

const compareTexts = (a: readonly unknown[], b: readonly unknown[]) => String(a).localeCompare(String(b));

async function openProject(text = suite(['one', 'two', 'three'])) {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', '');
  project.write('evals/echo.eval.yaml', text);
  const server = await startEchoServer();
  return { project, server, options: { cwd: project.root, env: server.env } };
}

describe('runSuites', () => {
  test('gives the report that the command line gives, and stores the same record', async () => {
    const { project, server, options } = await openProject();
    const report = await runSuites({ ...options, concurrency: 2 });
    expect(report).toMatchObject({ exitCode: 0, decision: { outcome: 'passed' }, totals: { planned: 3, passed: 3 } });
    expect(server.requests).toHaveLength(3);
    const { report: again } = await project.report(['run'], { env: server.env });
    expect(again.totals).toMatchObject({ planned: 3, passed: 3, cached: 3 });
    expect(server.requests).toHaveLength(3);
    expect([...(await renderReport(report, 'json'))].join('')).toContain('"caseId":"three"');
  });

  test('tells what happens while it happens, with the rows of the record', async () => {
    const { options } = await openProject();
    const run = runSuites(options);
    const events: RunEvent[] = [];
    for await (const event of run) events.push(event);
    expect(events[0]).toMatchObject({ type: 'planned', cells: 3 });
    const rows = events.flatMap((event) => (event.type === 'cell-finished' ? event.row : []));
    expect(rows.map(({ caseId, status, output }) => [caseId, status, output]).toSorted(compareTexts)).toEqual([
      ['one', 'passed', 'one'],
      ['three', 'passed', 'three'],
      ['two', 'passed', 'two'],
    ]);
    expect((await run.report).totals.passed).toBe(3);
  });

  test('rejects with every problem at once, for readers of events too, and sends nothing', async () => {
    const { server, options } = await openProject(suite(['one'], 'gat: {}'));
    const run = runSuites({ ...options, timeout: 'soon' });
    const read = async () => {
      for await (const event of run) expect(event.type).toBe('note');
    };
    await expect(read()).rejects.toBeInstanceOf(UserError);
    const error = await run.report.catch((thrown: unknown) => thrown);
    if (!(error instanceof UserError)) throw new Error('expected a UserError');
    expect(error.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('--timeout'),
      expect.stringContaining('unknown key "gat"'),
    ]);
    expect(server.requests).toHaveLength(0);
  });

  test('is ended by its signal, and keeps what was done', async () => {
    const abort = new AbortController();
    const { options } = await openProject();
    const run = runSuites({ ...options, concurrency: 1, signal: abort.signal });
    for await (const event of run) if (event.type === 'cell-finished') abort.abort();
    const report = await run;
    expect(report).toMatchObject({ exitCode: 130, run: { complete: false, stopReason: 'interrupted' } });
    expect(report.totals.skipped).toBeGreaterThan(0);
    expect(report.totals.passed).toBeGreaterThan(0);
    const resumed = await runSuites({ ...options, resume: true });
    expect(resumed).toMatchObject({ exitCode: 0, run: { id: report.run.id }, totals: { passed: 3 } });
  });

  test('tells why a baseline was not updated, and still gives the report', async () => {
    const { project, options } = await openProject(suite(['one']).replace('{{ word }}" }] }', 'two" }] }'));
    const run = runSuites({ ...options, updateBaseline: true });
    const notes: string[] = [];
    for await (const event of run) if (event.type === 'note') notes.push(event.message);
    expect((await run).exitCode).toBe(1);
    expect(notes.at(-1)).toMatch(/^the baseline was not updated: .*1 failing case would become a known failure$/);
    expect(project.files('evals')).toEqual(['evals/echo.eval.yaml']);
  });

  test('two runs at once do not affect each other', async () => {
    const [a, b] = await Promise.all([openProject(), openProject(suite(['four']))]);
    const wrong = defineAssertion({ name: 'never', summary: 'fails', check: () => ({ pass: false }) });
    b.project.write('evals/echo.eval.yaml', suite(['four']).replace('[{ equals', '[{ never: {} }, { equals'));
    const [first, second] = await Promise.all([runSuites(a.options), runSuites({ ...b.options, plugins: [wrong] })]);
    expect([first.totals.passed, second.totals.failed]).toEqual([3, 1]);
    // Without the plug-in the same suite names an assertion that nobody knows.
    await expect(runSuites(b.options)).rejects.toThrow('unknown assertion "never"');
  });

  test('takes providers of the program itself, with retries and cost as of any other', async () => {
    const { project, options } = await openProject(
      suite(['one', 'two']).replace(
        'use: openai:gpt-4o-mini',
        'use: own:model-1, shout: true, price: { input: 1, output: 2 }',
      ),
    );
    let calls = 0;
    const own = defineProvider({
      name: 'own',
      summary: 'answers by itself',
      options: { type: 'object', properties: { shout: { type: 'boolean' } }, required: ['shout'] },
      complete({ messages, options: { shout } }) {
        calls += 1;
        if (calls === 1) throw Object.assign(new Error('slow down'), { status: 429, retryAfterMs: 1 });
        const text = messages[0]?.content.replace('Say: ', '') ?? '';
        return { text: shout === true ? text : '', usage: { inputTokens: 1_000_000, outputTokens: 0 } };
      },
    });
    const report = await runSuites({ ...options, plugins: [own] });
    expect(report.totals).toMatchObject({ passed: 2, costUsd: 2 });
    expect(calls).toBe(3);
    project.write('evals/echo.eval.yaml', suite(['one']).replace('openai:gpt-4o-mini', 'own:model-1, shoot: true'));
    await expect(runSuites({ ...options, plugins: [own] })).rejects.toThrow('unknown key "shoot" in a provider');
  });

  test('compares two runs without a call', async () => {
    const { project, server, options } = await openProject();
    const first = await runSuites(options);
    project.write(
      'evals/echo.eval.yaml',
      suite(['one', 'two', 'three']).replace('Say: {{ word }}', 'Say: {{ word }}!'),
    );
    const second = await runSuites({ ...options, baseline: false });
    const sent = server.requests.length;
    const report = await compareRecords({ ...options, baseline: first.run.id, candidate: second.run.id });
    expect(server.requests).toHaveLength(sent);
    expect(report.suites[0]?.variants[0]?.comparison?.cases.regressed).toEqual(['one', 'three', 'two']);
  });
});
