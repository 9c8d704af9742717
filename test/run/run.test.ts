import { getEventListeners } from 'node:events';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { RunSuitesOptions } from '../../src/api/options.ts';
import type { ProgressEvent } from '../../src/model/run/progress.ts';
import type { RunHeader } from '../../src/model/run/record.ts';
import { runSuites } from '../../src/run/run.ts';
import { type DoneRun, openAccepted, openRunProject, type Reply, wordsSuite } from './run-project.ts';

const file = 'evals/words.eval.yaml';
type Project = ReturnType<typeof openRunProject>;

const say: Reply = (text) => text.replace(/^.*: /, '');
const wrongAt =
  (...words: readonly string[]): Reply =>
  (text, asked, model) =>
    words.some((word) => text.endsWith(word)) ? 'sorry' : say(text, asked, model);

/** The first and the last line of the record of a run. */
function linesOf(project: Project, { report }: Pick<DoneRun, 'report'>) {
  const lines = project.read(`.llmcheck/runs/${report.run.id}.jsonl`).trim().split('\n');
  return {
    header: JSON.parse(lines[0] ?? '') as RunHeader,
    end: JSON.parse(lines.at(-1) ?? '') as { stopReason?: string; durationMs: number },
  };
}

const frame = (events: readonly ProgressEvent[]) =>
  events.filter(({ type }) => type !== 'cell-finished' && type !== 'note');

describe('a run', () => {
  test('tells of its beginning, each cell and its end, and goes on with what is left', async () => {
    const project = openRunProject({ [file]: wordsSuite(4) });
    project.reply = wrongAt('w01');
    const cut = await project.go({ bail: true });
    expect(frame(cut.events)).toEqual([{ type: 'planned', cells: 4, suites: 1, keptCells: 0 }, { type: 'finished' }]);
    expect(cut.rows).toEqual(['w00 0 passed', 'w01 0 failed', 'w02 0 skipped by bail', 'w03 0 skipped by bail']);
    expect(cut.verdict[0]).toBe('failed, stopped by bail');
    const resumed = await project.go({ resume: true });
    expect(frame(resumed.events)[0]).toEqual({ type: 'planned', cells: 2, suites: 1, keptCells: 2 });
    expect(resumed.rows.slice(0, 2)).toEqual(['w02 0 passed', 'w03 0 passed']);
    expect(linesOf(project, resumed).end.durationMs).toBeLessThan(60_000);
  });

  test('was not cut short by a limit that its last cell reached', async () => {
    const project = openRunProject({ [file]: wordsSuite(2, 'gate: { confirm: { budget: 0 } }') });
    project.reply = wrongAt('w01');
    const run = await project.go({ bail: true });
    expect([run.rows, linesOf(project, run).end.stopReason]).toEqual([['w00 0 passed', 'w01 0 failed'], undefined]);
    const cheap = openRunProject({ [file]: wordsSuite(2) });
    // Room for both answers, and for no third one.
    const paid = await cheap.go({ maxCost: 0.00024 });
    expect([paid.rows, linesOf(cheap, paid).end.stopReason]).toEqual([['w00 0 passed', 'w01 0 passed'], undefined]);
  });

  test('that the user interrupts at its last cell is interrupted', async () => {
    const project = openRunProject({ [file]: wordsSuite(2) });
    const stop = new AbortController();
    const run = await project.go({
      signal: stop.signal,
      onEvent: (event) => {
        if (event.type === 'cell-finished' && event.row.caseId === 'w01') stop.abort();
      },
    });
    expect([run.rows, linesOf(project, run).end.stopReason, run.report.exitCode]).toEqual([
      ['w00 0 passed', 'w01 0 passed'],
      'interrupted',
      130,
    ]);
  });

  test.each([0, 1])('whose files change after %i of its cells starts nothing more', async (after) => {
    const project = openRunProject({ [file]: wordsSuite(12) });
    const { options, ports } = await project.prepare();
    const outdated = new AbortController();
    if (after === 0) outdated.abort();
    const rows: string[] = [];
    const onProgress = (event: ProgressEvent) => {
      if (event.type !== 'cell-finished') return;
      rows.push(event.row.skip?.reason ?? event.row.status);
      if (rows.length === after) outdated.abort();
    };
    await runSuites(options, { ...ports, onProgress, outdated: outdated.signal });
    expect([rows[0], rows.at(-1), rows.length]).toEqual([after === 0 ? 'interrupted' : 'passed', 'interrupted', 12]);
  });

  test('stops listening for changed files when it ends', async () => {
    const { options, ports } = await openRunProject({ [file]: wordsSuite(1) }).prepare();
    const outdated = new AbortController().signal;
    await runSuites(options, { ...ports, outdated });
    expect(getEventListeners(outdated, 'abort')).toEqual([]);
  });

  test('says what it knows before its first call, and no more than once', { tags: ['slow'] }, async () => {
    const notesOf = async (project: Project, options: RunSuitesOptions = {}) => {
      const { events, report } = await project.go(options);
      const told = events.flatMap((event) => (event.type === 'note' ? event.message : []));
      expect(report.notes).toEqual(told);
      return told;
    };
    const project = openRunProject({ [file]: wordsSuite(1) });
    expect(await notesOf(project)).toMatchInlineSnapshot(`[]`);
    const accepted = await openAccepted({ [file]: wordsSuite(1) });
    expect(await notesOf(accepted)).toMatchInlineSnapshot(`[]`);
    accepted.edit(file, ' }]\nproviders', ' }, { id: v2, text: "Tell: {{ word }}" }]\nproviders');
    expect(await notesOf(accepted)).toMatchInlineSnapshot(`
      [
        "the baseline evals/words.baseline.jsonl has no case of v2 on own: nothing there is compared until a run is accepted",
      ]
    `);
    expect(await notesOf(accepted, { compare: ['v1', 'v2'] })).toEqual([]);
    expect(await notesOf(accepted, { updateBaseline: true })).toEqual([]);
    expect(await notesOf(accepted, { swap: ['own=own:other'] })).toEqual([]);
  });

  test('keeps its answers as recordings under --record alone', async () => {
    const project = openRunProject({ [file]: wordsSuite(1, 'recordings: words.recordings.jsonl') });
    await project.go({ record: true });
    expect(project.files('evals')).toEqual(['evals/words.eval.yaml', 'evals/words.recordings.jsonl']);
    const replayed = await project.go();
    expect([replayed.asked, replayed.rows]).toEqual([[], ['w00 0 passed']]);
    expect(linesOf(project, replayed).header.suites[0]?.replayed).toBe(true);
    const asked = await project.go({ cache: 'refresh' });
    expect([asked.asked, linesOf(project, asked).header.suites[0]?.replayed]).toEqual([['Say: w00'], undefined]);
  });

  test('refuses a baseline that can’t be read or written before its first call', async () => {
    const project = openRunProject({ [file]: wordsSuite(1) });
    project.write('evals/words.baseline.jsonl/in-the-way', '');
    await expect(project.go({ updateBaseline: true, baseline: false })).rejects.toThrow('words.baseline.jsonl');
    const damaged = openRunProject({ [file]: wordsSuite(1), 'evals/words.baseline.jsonl': 'no baseline\n' });
    await expect(damaged.go()).rejects.toThrow('words.baseline.jsonl');
    expect([existsSync(project.path('.llmcheck/runs')), existsSync(damaged.path('.llmcheck/runs'))]).toEqual([
      false,
      false,
    ]);
  });
});

describe('what a record says of its settings', () => {
  const settingsOf = async (project: Project, options: RunSuitesOptions = {}) => {
    return linesOf(project, await project.go(options)).header.settings;
  };

  test('is the order of an early run: its seed, or what its prompts send', async () => {
    const project = openRunProject({ [file]: wordsSuite(1) });
    expect((await settingsOf(project)).early).toBeUndefined();
    expect((await settingsOf(project, { early: true, seed: 7 })).early).toEqual({ order: '7' });
    const { early } = await settingsOf(project, { early: true });
    expect(early).toMatchInlineSnapshot(`
      {
        "order": "7ed807b5",
      }
    `);
    expect((await settingsOf(project, { early: true, filter: ['w00'] })).early).toEqual(early);
    project.edit(file, 'max_tokens: 100', 'max_tokens: 200');
    expect((await settingsOf(project, { early: true })).early).not.toEqual(early);
  });

  test('is the shard, unless no shard has a cell and that is a mistake', async () => {
    const project = openRunProject({ [file]: wordsSuite(2) });
    expect((await settingsOf(project, { shard: '1/2' })).shard).toMatchObject({ index: 1, count: 2 });
    expect((await settingsOf(project, { shard: '2/9' })).shard).toMatchObject({ index: 2, count: 9 });
    const empty = { shard: '1/2', filter: ['none'] };
    expect((await settingsOf(project, empty)).shard).toBeUndefined();
    expect((await settingsOf(project, { ...empty, allowEmpty: true })).shard).toMatchObject({ index: 1, count: 2 });
    expect((await settingsOf(project)).shard).toBeUndefined();
  });
});

describe('a run whose cells all passed', () => {
  const dear: Reply = (text) => ({
    text: text.replace(/^.*: /, ''),
    usage: { inputTokens: 10, outputTokens: text.startsWith('Please') ? 50 : 5 },
  });
  const again = ({ rows }: { readonly rows: readonly string[] }) => rows.filter((row) => /again|accepted/.test(row));

  test.each([
    ['gate: { scope: population, cost: { maxIncrease: 10% } }', true],
    ['gate: { scope: population }', false],
  ])('is compared before its end where something beside is gated: %s', async (gate, isAsked) => {
    const project = await openAccepted({ [file]: wordsSuite(12, gate) });
    project.edit(file, 'Say:', 'Please say:');
    project.reply = dear;
    const run = await project.go();
    expect([run.rows.length - again(run).length, again(run).length > 0]).toEqual([12, isAsked]);
    expect(run.verdict[0]).toBe(isAsked ? 'failed' : 'passed');
  });

  test.each(['a', 'z'])(
    'is compared before its end where one of two suites gates something beside, %s',
    { tags: ['slow'] },
    async (id) => {
      const plain = wordsSuite(2, 'gate: { scope: population }').replace('suite: words', `suite: ${id}`);
      const project = await openAccepted({
        [file]: wordsSuite(12, 'gate: { scope: population, cost: { maxIncrease: 10% } }'),
        [`evals/${id}.eval.yaml`]: plain,
      });
      project.edit(file, 'Say:', 'Please say:');
      project.reply = dear;
      expect(again(await project.go()).length).toBeGreaterThan(0);
    },
  );
});

test('a run listens for signals and its deadline as long as it makes calls', async () => {
  const project = openRunProject({ [file]: wordsSuite(3) });
  const { options, ports } = await project.prepare();
  const log: string[] = [];
  const rows: string[] = [];
  const onProgress = (event: ProgressEvent) => {
    if (event.type === 'cell-finished') rows.push(event.row.skip?.reason ?? event.row.status);
    if (event.type === 'finished') log.push('finished');
  };
  const deadlineMs = 4321;
  const listening = {
    ...ports,
    onProgress,
    onSignal: () => {
      log.push('listens');
      return () => void log.push('has listened');
    },
    clock: {
      ...ports.clock,
      startTimer(ms: number, fire: () => void) {
        if (ms !== deadlineMs) return ports.clock.startTimer(ms, fire);
        log.push('timer');
        fire();
        return () => void log.push('no timer');
      },
    },
  };
  const { run } = await runSuites({ ...options, deadlineMs }, listening);
  expect(log).toEqual(['listens', 'timer', 'no timer', 'has listened', 'finished']);
  expect([rows, run.stopReason]).toEqual([['deadline', 'deadline', 'deadline'], 'deadline']);
});

test('accepted answers that a deadline leaves unjudged cut the run short, and are judged when it goes on', async () => {
  const project = await openAccepted({ [file]: wordsSuite(3) });
  project.edit(file, 'equals: "{{ word }}"', 'contains: "{{ word }}"');
  const { options, ports } = await project.prepare({ paths: [] });
  let done = 0;
  let lateMs = 0;
  const late = {
    ...ports,
    onProgress(event: ProgressEvent) {
      if (event.type === 'cell-finished') done += 1;
      if (done === 3) lateMs = 3_600_000;
    },
    clock: { ...ports.clock, now: () => ports.clock.now() + lateMs },
  };
  const judgedOf = (id: string) => project.read(`.llmcheck/runs/${id}.jsonl`).split('"type":"judged"').length - 1;
  const { run, decision } = await runSuites({ ...options, deadlineMs: 60_000 }, late);
  expect([run.stopReason, decision.outcome, judgedOf(run.id)]).toEqual(['deadline', 'incomplete', 0]);
  const { report } = await project.go({ resume: true });
  expect([report.run.stopReason, report.decision.outcome]).toEqual([undefined, 'passed']);
  expect(judgedOf(run.id)).toBeGreaterThanOrEqual(3);
});
