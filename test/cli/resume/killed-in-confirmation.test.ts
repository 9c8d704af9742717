// @module-tag slow
import { expect, test } from 'vitest';
import type { CellRow } from '../../../src/model/run/record.ts';
import { type BaselineProject, firstWords, openBaselineProject, suiteFile } from '../baseline/baseline-project.ts';

const badRequest = { status: 400, body: { error: { message: 'no' } } };
type Prepare = (project: BaselineProject) => void;
const breaks =
  (...words: readonly string[]) =>
  (project: BaselineProject) => {
    for (const word of words) project.answers.set(word, 'sorry');
  };
const addVersion = (more: string) => (project: BaselineProject) => {
  project.edit(suiteFile, 'providers:', `  - { id: v2, text: "Two. Say: {{ word }}"${more} }\nproviders:`);
  for (const word of firstWords(20)) project.answers.set(`Two. Say: ${word}`, word);
  breaks('Two. Say: w05', 'Two. Say: w06')(project);
};

interface Situation {
  readonly prepare: Prepare;
  readonly flags?: readonly string[];
  readonly isAccepted: boolean;
  readonly code: number;
}

const isCell = (line: string) => line.startsWith('{"type":"cell"');

/** The record as it is after a `kill -9`: so many of its cells, with the lines before them, and no end. */
function cut(project: BaselineProject, file: string, lines: readonly string[], count: number): readonly CellRow[] {
  let cells = 0;
  const kept = lines.filter((line) => {
    if (cells === count) return false;
    if (isCell(line)) cells += 1;
    return true;
  });
  project.write(file, `${kept.join('\n')}\n`);
  return kept.filter(isCell).map((line) => JSON.parse(line) as CellRow);
}

/** Answers and errors depend on how often a word was asked for, also where an earlier part of the run did that. */
function remember(project: BaselineProject, rows: readonly CellRow[]): void {
  project.forget();
  for (const { caseId, prompt, side } of rows) {
    const said = caseId.replace('case-', 'w');
    const word = prompt === 'v2' && side === undefined ? `Two. Say: ${said}` : said;
    const counts = prompt === 'v1' && side === 'accepted' ? project.askedAccepted : project.asked;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
}

test.each<[string, Situation]>([
  ['beside an accepted prompt', { prepare: breaks('w05', 'w06'), isAccepted: true, code: 1 }],
  [
    'where the accepted prompt fails too',
    { prepare: (project) => (project.changeModel(), breaks('w05', 'w06')(project)), isAccepted: true, code: 3 },
  ],
  ['beside another version', { prepare: addVersion(''), flags: ['--compare', 'v1,v2'], isAccepted: false, code: 1 }],
  ['beside the version that it replaces', { prepare: addVersion(', replaces: v1'), isAccepted: false, code: 1 }],
  [
    'where two fresh trials of a case errored, and some of another',
    {
      prepare: (project) => {
        project.answers.set('w05', (asked) => (asked === 0 ? 'sorry' : badRequest));
        project.answers.set('w06', (asked) => (asked === 2 ? badRequest : 'sorry'));
      },
      isAccepted: true,
      code: 1,
    },
  ],
  [
    'where all fresh trials errored',
    {
      prepare: (project) => project.answers.set('w05', (asked) => (asked === 0 ? 'sorry' : badRequest)),
      isAccepted: true,
      code: 3,
    },
  ],
])('a run that is killed while it confirms, %s, ends as if it never was', async (_name, situation) => {
  const { prepare, flags = [], isAccepted, code } = situation;
  const project = await openBaselineProject();
  if (isAccepted) await project.accept();
  const before = new Set(project.files('.llmcheck/runs'));
  prepare(project);
  const sentBefore = project.server.requests.length;
  const whole = await project.compared(['run', '--cache', 'off', '-j', '1', ...flags]);
  expect(whole.code).toBe(code);
  const sent = project.server.requests.length - sentBefore;
  const file = project.files('.llmcheck/runs').find((name) => !before.has(name)) ?? '';
  const lines = project.read(file).trim().split('\n').slice(0, -1);
  const planned = whole.report.totals.planned;
  const asked = lines.filter(isCell).length;
  expect(asked).toBeGreaterThan(planned);
  // Neighbouring moments of a long confirmation are alike.
  const step = Math.ceil((asked - planned) / 8);
  for (let count = planned; count <= asked; count += step) {
    remember(project, cut(project, file, lines, count));
    const sentAlready = project.server.requests.length;
    const resumed = await project.compared(['run', '--resume']);
    expect([count, resumed.code, resumed.report.decision]).toEqual([count, code, whole.report.decision]);
    expect([count, project.server.requests.length - sentAlready]).toEqual([count, sent - count]);
    expect([count, resumed.report.totals]).toEqual([count, whole.report.totals]);
  }
});

test('a run that ended asks again for the fresh trials that errored', async () => {
  const project = await openBaselineProject();
  await project.accept();
  project.answers.set('w05', (asked) => (asked === 0 ? 'sorry' : badRequest));
  const errored = await project.compared(['run', '--cache', 'off']);
  expect([errored.code, errored.codes]).toEqual([3, ['errors-exceeded', 'unsettled']]);
  project.answers.set('w05', 'sorry');
  const resumed = await project.compared(['run', '--resume']);
  expect([resumed.code, resumed.named]).toEqual([1, ['case-05']]);
});
