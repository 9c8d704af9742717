import { expect, test } from 'vitest';
import type { CellRow } from '../../../src/model/run/record.ts';
import {
  type BaselineProject,
  caseOf,
  casesFile,
  firstWords,
  openBaselineProject,
} from '../baseline/baseline-project.ts';

/** Two cases that broke and eight that fail once: each round of fresh trials asks other cases. */
async function openFlaky(): Promise<BaselineProject> {
  const project = await openBaselineProject();
  await project.accept();
  for (const word of firstWords(10)) project.answers.set(word, (asked) => (asked === 0 ? 'sorry' : word));
  for (const word of ['w08', 'w09']) project.answers.set(word, 'sorry');
  return project;
}

/** Thirty new cases that fail, of which one must pass. */
async function openFailing(): Promise<BaselineProject> {
  const project = await openBaselineProject();
  const cases = firstWords(40).map((word) => ({
    id: caseOf(word),
    vars: { word },
    expected: word,
    ...(word === 'w12' ? { mustPass: true } : {}),
  }));
  project.write(casesFile, cases.map((one) => `${JSON.stringify(one)}\n`).join(''));
  for (const word of firstWords(30)) project.answers.set(word, 'sorry');
  return project;
}

/** The record of the run that came after these. */
function readRecord(project: BaselineProject, before: ReadonlySet<string>) {
  const file = project.files('.llmcheck/runs').find((name) => !before.has(name)) ?? '';
  const [header = '', ...lines] = project.read(file).trim().split('\n');
  const rows = lines
    .map((line) => ({ line, row: JSON.parse(line) as CellRow }))
    .filter(({ row }) => row.type === 'cell');
  return { file, header, rows };
}

/** Numbers of trials after which a record can end within a round: the last two trials are of one round. */
function findCutRounds(rows: readonly CellRow[]): readonly number[] {
  const placeOf = (row: CellRow) =>
    rows.filter((other) => nameOf(other) === nameOf(row) && other.trial < row.trial).length;
  const nameOf = ({ caseId, side }: CellRow) => `${caseId} ${side}`;
  return rows.flatMap((row, index) => {
    const before = rows[index - 1];
    if (before === undefined) return [];
    const isSameSide = before.side === row.side;
    // The first trial of a case is asked alone, and the accepted prompt after it.
    return placeOf(before) === placeOf(row) && (isSameSide || placeOf(row) > 0) ? [index] : [];
  });
}

test.each([
  ['with a baseline', openFlaky, []],
  ['with a baseline and --early', openFlaky, ['--early']],
  ['without a baseline', openFailing, []],
])(
  'a run %s that is killed within a round of fresh trials makes the same trials',
  { tags: 'slow' },
  async (_name, open, flags) => {
    const project = await open();
    const before = new Set(project.files('.llmcheck/runs'));
    const whole = await project.compared(['run', '--cache', 'off', ...flags]);
    expect(whole.code).toBe(1);
    const { file, header, rows } = readRecord(project, before);
    const trialsOf = (all: typeof rows) => all.map(({ row }) => `${row.caseId} ${row.trial} ${row.side}`).sort();
    const confirmations = rows.filter(({ row }) => row.confirmation === true);
    expect(confirmations.length).toBeGreaterThanOrEqual(20);
    // With --early some of them come before the last planned cells.
    const lastPlanned = rows.findLastIndex(({ row }) => row.confirmation !== true);
    // The trials of a round end in any order, so one may be missing before the last.
    const firstLast = confirmations.findIndex((one) => rows.indexOf(one) > lastPlanned);
    const counts = findCutRounds(confirmations.map(({ row }) => row)).filter((count) => count > firstLast);
    for (const count of [counts[0], counts[Math.floor(counts.length / 2)], counts.at(-1)]) {
      if (count === undefined) throw new Error('no round asks two trials');
      const lost = new Set([confirmations[count - 1], ...confirmations.slice(count + 1)]);
      const kept = rows.filter((one) => !lost.has(one)).map(({ line }) => line);
      project.write(file, `${[header, ...kept].join('\n')}\n`);
      const resumed = await project.compared(['run', '--resume']);
      expect([count, resumed.code, resumed.report.decision]).toEqual([count, 1, whole.report.decision]);
      expect(resumed.report.totals).toEqual(whole.report.totals);
      expect([count, trialsOf(readRecord(project, before).rows)]).toEqual([count, trialsOf(rows)]);
    }
  },
);
