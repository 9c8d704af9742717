import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reportOnRun, reportOnUntrusted } from '../../src/assessing/assess-run.ts';
import type { CellRow, EndRow, RecordedVariant, RunHeader } from '../../src/model/run/record.ts';
import { assess, decideRecord } from '../../src/verdict/decide-record.ts';
import { buildHeader, buildRow, endRow, makeFolder } from '../record/build-rows.ts';
import { openRunProject } from '../run/run-project.ts';
import { buildRecordedSuite, buildVariant } from '../support/build-summary.ts';
import { gitEnv, initRepository } from '../support/git.ts';
import { isAlive } from '../support/is-alive.ts';
import { writeStoredRun } from '../support/write-run.ts';
import { recordOf } from './compared-run.ts';

const id = '20251101-093000-aaaa';
const output = { type: 'object', required: ['a'] };

interface Written {
  readonly end?: EndRow;
  readonly header?: Partial<RunHeader>;
  readonly answer?: Partial<CellRow>;
  readonly variant?: Partial<RecordedVariant>;
}

function write(root: string, { end = endRow, header = {}, answer = {}, variant: more = {} }: Written = {}): string {
  const variant = buildVariant(1, { contract: { output }, ...more });
  const suites = [buildRecordedSuite([variant], {}, { suite: 'one', path: 'evals/one.eval.yaml' })];
  const row = buildRow('a', {
    suite: 'one',
    prompt: variant.prompt,
    provider: variant.provider,
    status: 'passed',
    score: 1,
    ...answer,
  });
  return writeStoredRun(root, buildHeader({ id, suites, ...header }), [row], end);
}

const optionsOf = (path: string, root: string) => ({ path, root, cwd: root, env: gitEnv });

test('a report of a stored run has the notes of its end and what could not be read of it', async () => {
  const root = makeFolder();
  const path = write(root, { end: { ...endRow, notes: ['said at the end'] } });
  const whole = await reportOnRun(optionsOf(path, root));
  expect([whole.notes, whole.decision.outcome, whole.run.id]).toEqual([['said at the end'], 'passed', id]);
  writeFileSync(path, `${readFileSync(path, 'utf8')}{"type":"cell"`);
  const damaged = await reportOnRun(optionsOf(path, root));
  expect(damaged.notes).toEqual(['said at the end', expect.stringContaining('was cut off when the run was killed')]);
});

const refund = [{ name: 'refund', arguments: {}, rawArguments: '{}' }];

test.each<[answer: Partial<CellRow>, isEmpty: boolean]>([
  [{ output: '' }, true],
  [{ output: 'x' }, false],
  [{ output: '', toolCalls: refund }, false],
  [{ output: '', refusal: 'No.' }, false],
  [{ output: '', state: { workspace: {} } }, false],
  [{ output: '', status: 'failed' }, false],
  [{ output: '', observe: true }, false],
])('a passed case is named where its answer is empty: %j', async (answer, isEmpty) => {
  const root = makeFolder();
  const { decision } = await reportOnRun(optionsOf(write(root, { answer }), root));
  const warning = 'one · v1 × p: 1 case passes on an empty answer (a); to refuse it, check length: { min: 1 }';
  expect(decision.warnings.filter((text) => text.includes('empty'))).toEqual(isEmpty ? [warning] : []);
});

test('a run without an end is incomplete', async () => {
  const root = makeFolder();
  const path = write(root);
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  writeFileSync(path, `${lines.slice(0, -1).join('\n')}\n`);
  expect((await reportOnRun(optionsOf(path, root))).decision.outcome).toBe('incomplete');
});

test('a report has contracts, swaps and erosion only where there are some', async () => {
  const root = makeFolder();
  const report = await reportOnRun(optionsOf(write(root), root));
  expect([report.contracts, report.swaps, report.erosion]).toEqual([undefined, undefined, undefined]);
  const settings = { ...buildHeader().settings, swap: [{ provider: 'p', candidates: ['q'] }] };
  const swapped = await reportOnRun(optionsOf(write(makeFolder(), { header: { settings } }), root));
  const conclusion = 'nothing was compared with p';
  const rows = [{ suite: 'one', candidate: 'q', verdict: 'partial', reasons: ['it was not asked here'] }];
  expect(swapped.swaps).toMatchObject([{ provider: 'p', cheapest: [], conclusion, rows }]);
});

test('contracts and what reports remark fail and warn together', () => {
  const assessed = assess({ record: recordOf(), findBaseline: () => undefined, judged: [], costOf: () => undefined });
  const { decision } = decideRecord(assessed, {
    findReference: () => undefined,
    contracts: { failures: [{ code: 'contract-broken', message: 'a broken contract' }], warnings: ['a contract'] },
    warnings: ['a remark'],
  });
  expect(decision.breaches.map(({ message }) => message)).toEqual(['a broken contract']);
  expect(decision.warnings).toEqual(['a contract', 'a remark']);
});

const missing = (suite: string) =>
  `the record does not hold the baseline that suite ${suite} was compared with: an older version wrote it; run again`;

test.each<[string, { settings?: Partial<RunHeader['settings']>; variant?: Partial<RecordedVariant> }, boolean]>([
  ['was compared with nothing', {}, false],
  ['was compared with what was accepted', { variant: { acceptedPrompt: { is: 'askable' } } }, true],
  ['names what it was compared with', { settings: { baseline: { source: 'git:main' } } }, true],
  [
    'holds what it was compared with',
    { settings: { isSelfContained: true }, variant: { acceptedPrompt: { is: 'askable' } } },
    false,
  ],
])('a record of an older version that %s is incomplete: %s', async (_name, { settings, variant }, isIncomplete) => {
  const root = makeFolder();
  const header = { settings: { ...buildHeader().settings, ...settings } };
  const path = write(root, { header, ...(variant !== undefined && { variant }) });
  const { decision, exitCode } = await reportOnRun(optionsOf(path, root));
  expect(exitCode).toBe(isIncomplete ? 4 : 0);
  if (!isIncomplete) return;
  expect(decision).toMatchObject({ outcome: 'incomplete', kind: 'record', incompleteBecause: 'record' });
  expect(decision.breaches).toEqual([{ code: 'record-incomplete', message: missing('one') }]);
});

test('a record that anybody may have written is reported without its own baseline', { tags: ['slow'] }, async () => {
  const root = makeFolder();
  const path = write(root);
  await expect(reportOnUntrusted(optionsOf(path, root))).rejects.toThrow(/git/);
  initRepository(root);
  // What it says of what was accepted is not believed: it is compared with what is committed, which is nothing here.
  const { decision } = await reportOnUntrusted(optionsOf(path, root));
  expect([decision.outcome, decision.kind]).toEqual(['passed', 'uncompared']);
});

const checkThatTellsItsProcess = (pass: string) => `import { appendFileSync } from 'node:fs';
export default () => {
  appendFileSync(new URL('pids.txt', import.meta.url), process.pid + ' ');
  return { pass: ${pass} };
};
`;

test('a report runs no check of stored answers again: the run has judged them', { tags: ['slow'] }, async () => {
  const project = openRunProject({
    'evals/one.eval.yaml': `suite: one
prompts: [{ id: v1, text: hello }]
providers: ["echo:prompt"]
cases: [{ id: a, assert: [{ module: check.mjs }] }]
`,
    'evals/check.mjs': checkThatTellsItsProcess('true'),
  });
  await project.go({ updateBaseline: true });
  project.write('evals/check.mjs', checkThatTellsItsProcess('1 === 1'));
  const { report } = await project.go();
  const pids = project.read('evals/pids.txt').trim().split(' ').map(Number);
  project.write('evals/pids.txt', '');
  const { decision } = await reportOnRun(
    optionsOf(project.path(`.llmcheck/runs/${report.run.id}.jsonl`), project.root),
  );
  expect(decision).toEqual(report.decision);
  expect(project.read('evals/pids.txt')).toBe('');
  await expect.poll(() => pids.filter(isAlive)).toEqual([]);
});
