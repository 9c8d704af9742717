import { expect, test } from 'vitest';
import type { RunSuitesOptions } from '../../src/api/options.ts';
import { openAccepted, type Reply, wordsSuite } from '../run/run-project.ts';

const file = 'evals/words.eval.yaml';
const baseline = 'evals/words.baseline.jsonl';
const wordOf = (text: string) => text.replace(/^.*: /, '');

/** The edited prompt fails w03, and so does the accepted one where `both` is set. */
const failing =
  (both: boolean): Reply =>
  (text) =>
    wordOf(text) === 'w03' && (both || text.startsWith('Please')) ? 'sorry' : wordOf(text);

async function update(gate: string, reply: Reply, options: RunSuitesOptions = {}) {
  const project = await openAccepted({ [file]: wordsSuite(10, gate) });
  project.edit(file, 'Say:', 'Please say:');
  project.reply = reply;
  const before = project.read(baseline);
  const run = await project.go({ updateBaseline: true, ...options });
  const notes = run.events.flatMap((event) => (event.type === 'note' ? event.message : []));
  return {
    exitCode: run.report.exitCode,
    decision: run.report.decision,
    notes,
    isSame: project.read(baseline) === before,
  };
}

test('--update-baseline accepts a run that passed', async () => {
  const { exitCode, notes, isSame } = await update('', wordOf);
  expect([exitCode, notes, isSame]).toEqual([0, [], false]);
});

test.each<[string, number, string, Reply, RunSuitesOptions]>([
  ['failed', 1, '', failing(false), {}],
  ['is incomplete', 3, '', (text) => (wordOf(text) === 'w03' ? 400 : wordOf(text)), {}],
  ['is inconclusive', 4, 'gate: { confirm: { budget: 0 } }', failing(false), {}],
  ['drifted: the accepted prompt fails too', 3, '', failing(true), {}],
  ['failed', 1, '', failing(true), { drift: true }],
  // What is tolerated is not accepted either: the exit code is 0, and the case fails.
  ['drifted: the accepted prompt fails too', 0, 'gate: { cases: { drifted: warn } }', failing(true), {}],
  ['drifted: the accepted prompt fails too', 0, 'gate: { passRate: { maxDrop: 0.5 } }', failing(true), {}],
])(
  '--update-baseline writes nothing of a run that %s (exit code %i, %s)',
  async (state, code, gate, reply, options) => {
    const { exitCode, notes, isSame } = await update(gate, reply, options);
    expect([exitCode, isSame]).toEqual([code, true]);
    expect(notes.join('\n')).toContain(`the run ${state}, and --update-baseline writes nothing of such a run`);
  },
);
