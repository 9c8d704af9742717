import { appendFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Cell, CellKey } from '../../../src/model/run/cell.ts';
import type { ComparedLine } from '../../../src/model/run/deciding-lines.ts';
import {
  type CellRow,
  type EndRow,
  type RecordedVariant,
  type RunHeader,
  recordFormat,
} from '../../../src/model/run/record.ts';
import { defaultGate } from '../../../src/model/suite/gate-policy.ts';
import { hashCell } from '../../../src/plan/render-cells.ts';
import { visitRows } from '../../../src/record/read-run-record.ts';
import { createRunRecord } from '../../../src/record/write-run-record.ts';
import { openEarlierPart, type ResumeOptions } from '../../../src/run/record/resume.ts';
import { buildHeader, buildRow, endRow } from '../../record/build-rows.ts';
import { buildCell, buildRequest } from '../../support/build-case.ts';
import { buildVariant } from '../../support/build-summary.ts';
import { openTempProject } from '../../support/temp-project.ts';

const keyOf = (caseId: string, trial = 0): CellKey => ({
  suite: 'support',
  prompt: 'v1',
  provider: 'openai:small',
  caseId,
  trial,
});
const planned = (caseId: string, trial = 0, more: Partial<Cell> = {}): Cell =>
  buildCell({ key: keyOf(caseId, trial), request: buildRequest({ trial }), cellHash: `hash of ${caseId}`, ...more });
const hashOf = (cell: Cell) => hashCell(cell, () => undefined);
/** The accepted prompt's cell beside one of the plan. */
const acceptedBeside = ({ caseId }: CellKey): Cell => planned(caseId, 0, { cellHash: `accepted hash of ${caseId}` });

type Row = Partial<CellRow> & { readonly caseId: string };

interface Earlier {
  readonly rows: readonly Row[];
  /** Null where the run was killed. */
  readonly end?: Partial<EndRow> | null;
  readonly header?: Partial<RunHeader>;
  readonly plan?: readonly Cell[];
  readonly resume?: ResumeOptions['resume'];
  readonly acceptedCellOf?: ResumeOptions['acceptedCellOf'];
  /** Lines that are no rows. */
  readonly damage?: readonly string[];
  readonly now?: Partial<RunHeader>;
  /** Of the part that goes on. */
  readonly settings?: Partial<RunHeader['settings']>;
}

const hashOfRow = ({ caseId, trial = 0, side }: Row): string =>
  hashOf(planned(caseId, trial, side === 'accepted' ? { cellHash: `accepted hash of ${caseId}` } : {}));

/** Goes on with a record of these rows. */
function resume({
  rows,
  end = {},
  header = {},
  plan,
  resume: how = {},
  acceptedCellOf,
  damage = [],
  now = {},
  settings = {},
}: Earlier) {
  const project = openTempProject();
  const before = buildHeader(header);
  const writer = createRunRecord(project.path('.llmcheck/runs'), before);
  for (const row of rows) writer.append(buildRow(row.caseId, { cellHash: hashOfRow(row), ...row }));
  if (end !== null) writer.append({ ...endRow, ...end });
  writer.close();
  for (const line of damage) appendFileSync(writer.path, `${line}\n`);
  // On the second, as every disk keeps it.
  const modified = new Date('2026-11-24T15:40:00.000Z');
  utimesSync(writer.path, modified, modified);
  const cells = plan ?? rows.map(({ caseId, trial }) => planned(caseId, trial));
  const notes: unknown[] = [];
  const { id: _id, ...next } = buildHeader({ startedAt: '2026-11-25T08:00:00.000Z', ...now });
  const earlier = openEarlierPart({
    options: { project: { root: project.root }, settings } as unknown as ResumeOptions['options'],
    resume: how,
    plan: {
      providerKeys: ['a', 'b'],
      cells: (key: string) => (key === 'a' ? cells : []),
    } as unknown as ResumeOptions['plan'],
    header: next,
    findAccepted: () => undefined,
    acceptedCellOf: acceptedCellOf ?? acceptedBeside,
    ports: { onProgress: (event) => void notes.push(event), mask: (text) => text.replaceAll('secret', '***') },
  });
  const rewrite = (compared: readonly ComparedLine[] = []) => {
    const lines: string[] = [];
    const seen: string[] = [];
    const kept: CellRow[] = [];
    const text: string[] = [];
    const again = earlier.rewrite(compared, {
      onLine: ({ type }) => void lines.push(type),
      onRow(row, { offset, length }) {
        seen.push(`${row.caseId} ${row.trial}`);
        text.push(`${offset} ${length}`);
      },
    });
    again.close();
    const read = visitRows(again.path, (row, _index, place) => {
      kept.push(row);
      expect(text[kept.length - 1]).toBe(`${place.offset} ${place.length}`);
    });
    expect(seen).toEqual(kept.map(({ caseId, trial }) => `${caseId} ${trial}`));
    return { header: read.header, kept, lines, deciding: read.deciding };
  };
  return { project, earlier, notes, rewrite };
}

/** The rows that are kept: `case trial status`. */
function keptOf(given: Earlier): readonly string[] {
  return resume(given)
    .rewrite()
    .kept.map(({ caseId, trial, status }) => `${caseId} ${trial} ${status}`);
}

const again = { confirmation: true } as const;
const accepted = { ...again, side: 'accepted', trial: 7 } as const;

describe('the part of a run that came before', () => {
  test('verdicts are kept, and what has none runs again', () => {
    const rows: readonly Row[] = [
      { caseId: 'passed' },
      { caseId: 'failed', status: 'failed' },
      { caseId: 'errored', status: 'errored' },
      { caseId: 'skipped', status: 'skipped' },
      { caseId: 'passed', trial: 1 },
    ];
    expect(keptOf({ rows })).toEqual(['passed 0 passed', 'failed 0 failed', 'passed 1 passed']);
    expect(keptOf({ rows, end: null })).toEqual(['passed 0 passed', 'failed 0 failed', 'passed 1 passed']);
  });

  test('errors are kept where the suite of them was not touched', () => {
    const rows: readonly Row[] = [
      { caseId: 'errored', status: 'errored' },
      { caseId: 'skipped', status: 'skipped' },
    ];
    expect(keptOf({ rows, resume: { isTouched: () => false } })).toEqual(['errored 0 errored']);
    expect(keptOf({ rows, resume: { isTouched: (suite) => suite === 'support' } })).toEqual([]);
  });

  test('a cell that would run otherwise, or not at all, is not kept', () => {
    const rows: readonly Row[] = [{ caseId: 'same' }, { caseId: 'edited' }, { caseId: 'asked' }, { caseId: 'gone' }];
    const asked = planned('asked', 0, { request: buildRequest({ model: 'other' }) });
    const plan = [planned('same'), planned('edited', 0, { cellHash: 'other' }), asked, planned('new')];
    expect(keptOf({ rows, plan })).toEqual(['same 0 passed']);
  });

  test('counts the last row of a cell that ran twice, at the place of the first', () => {
    const rows: readonly Row[] = [
      { caseId: 'a', status: 'failed' },
      { caseId: 'b' },
      { caseId: 'a', status: 'passed' },
      { caseId: 'c' },
      { caseId: 'c', status: 'errored' },
    ];
    expect(keptOf({ rows })).toEqual(['a 0 passed', 'b 0 passed']);
  });

  test('fresh trials are kept that ask what the first trial of their case asks', () => {
    const rows: readonly Row[] = [
      { caseId: 'a' },
      { caseId: 'a', trial: 1, ...again },
      { caseId: 'a', trial: 2, ...again, status: 'failed' },
      { caseId: 'edited', trial: 1, ...again },
      { caseId: 'gone', trial: 1, ...again },
      { caseId: 'a', ...accepted },
    ];
    const plan = [planned('a'), planned('edited', 0, { cellHash: 'other' })];
    expect(keptOf({ rows, plan })).toEqual(['a 0 passed', 'a 1 passed', 'a 2 failed', 'a 7 passed']);
    // Without its case's first trial nothing says what it asked.
    expect(keptOf({ rows, plan: [planned('a', 3)] })).toEqual([]);
    expect(keptOf({ rows, plan, acceptedCellOf: () => undefined })).toEqual(['a 0 passed', 'a 1 passed', 'a 2 failed']);
    const otherwise = ({ caseId }: CellKey) => planned(caseId);
    expect(keptOf({ rows, plan, acceptedCellOf: otherwise })).toEqual(['a 0 passed', 'a 1 passed', 'a 2 failed']);
  });

  const errored: readonly Row[] = [
    { caseId: 'a' },
    { caseId: 'a', trial: 1, ...again, status: 'errored' },
    { caseId: 'a', ...accepted, status: 'errored' },
    { caseId: 'a', trial: 2, ...again, status: 'skipped' },
  ];
  test.each<[string, Partial<EndRow> | null, readonly string[]]>([
    ['was killed', null, ['a 0 passed', 'a 1 errored', 'a 7 errored']],
    ['was stopped', { stopReason: 'deadline' }, ['a 0 passed', 'a 1 errored', 'a 7 errored']],
    ['ended by itself', {}, ['a 0 passed']],
  ])('errored fresh trials of a run that %s are kept or not', (_how, end, kept) => {
    expect(keptOf({ rows: errored, end, plan: [planned('a')] })).toEqual(kept);
    const changed = [planned('a', 0, { cellHash: 'other' })];
    expect(keptOf({ rows: errored, end, plan: changed, acceptedCellOf: () => undefined })).toEqual([]);
  });

  test('the finished cells are those of the plan, each with the number of its row', () => {
    const rows: readonly Row[] = [
      { caseId: 'a', trial: 1, ...again },
      { caseId: 'errored', status: 'errored' },
      { caseId: 'a' },
      { caseId: 'b', trial: 2 },
    ];
    const { earlier } = resume({ rows, plan: [planned('a'), planned('a', 1), planned('b', 2), planned('errored')] });
    expect(earlier).toMatchObject({ id: '20261124-153012-a1b2', startedAt: '2026-11-24T15:30:12.000Z', doneCells: 2 });
    const keys = [keyOf('a'), keyOf('a', 1), keyOf('b', 2), keyOf('errored'), keyOf('new')];
    expect(keys.map(earlier.rowOf)).toEqual([1, undefined, 2, undefined, undefined]);
  });

  test('an answer is its own from its beginning until a minute after its last row', () => {
    const { earlier } = resume({ rows: [] });
    const times = [
      '2026-11-24T15:30:11.999Z',
      '2026-11-24T15:30:12.000Z',
      '2026-11-24T15:41:00.000Z',
      '2026-11-24T15:41:00.001Z',
    ];
    const ownOf = ({ isOwn }: typeof earlier) => times.map((time, index) => isOwn(time, `key ${index}`));
    expect(ownOf(earlier)).toEqual([false, true, true, false]);
    // One request may serve several cells, and is paid once.
    expect(ownOf(earlier)).toEqual([false, false, false, false]);
    expect(ownOf(resume({ rows: [], resume: { isTouched: () => false } }).earlier)).toEqual(times.map(() => false));
  });

  test.each([
    [[], []],
    [['{"half": '], ['A line of PATH could not be read; what is missing for it runs again.']],
    [['{"half": ', 'x'], ['2 lines of PATH could not be read; what is missing for it runs again.']],
  ])('damaged lines are reported: %j', (damage, messages) => {
    const { notes, project } = resume({
      rows: [{ caseId: 'a' }],
      end: null,
      damage: [...damage, ...(damage.length > 0 ? [JSON.stringify(buildRow('b'))] : [])],
    });
    const path = join(project.root, '.llmcheck/runs/20261124-153012-a1b2.jsonl');
    expect(notes).toEqual(messages.map((message) => ({ type: 'note', message: message.replace('PATH', path) })));
  });

  test.each([
    [{}, 1],
    [{ maxCostUsd: 2 }, 0],
  ])('a cost limit that is not given again is reported: %j', (settings, count) => {
    const before = { settings: { ...buildHeader({}).settings, maxCostUsd: 0.5 } };
    const { notes } = resume({ rows: [{ caseId: 'a' }], header: before, settings });
    const message =
      'the run began with --max-cost 0.5 and goes on without a limit; give the flag again to limit this part';
    expect(notes).toEqual(Array.from({ length: count }, () => ({ type: 'note', message })));
  });

  test('the record is written again as a part of the whole run', () => {
    const { rewrite, project } = resume({ rows: [{ caseId: 'a' }] });
    const { header } = rewrite();
    expect(header).toEqual(buildHeader());
    expect(header.format).toBe(recordFormat);
    expect(project.files('.llmcheck')).toEqual(['.llmcheck/runs/20261124-153012-a1b2.jsonl']);
  });

  test('a row says of its case what the case is today, without secrets', () => {
    const messages = [{ role: 'user', content: 'Say: a' }];
    const asked = { messages, tags: ['old'], description: 'was' };
    const at = { file: 'evals/moved.eval.yaml', line: 9, column: 1 };
    const rows: readonly Row[] = [
      { caseId: 'told', asked },
      { caseId: 'untold', asked },
      { caseId: 'short' },
      { caseId: 'told', trial: 1, ...again, asked },
    ];
    const plan = [
      planned('told', 0, { at, tags: ['new', 'secret'], description: 'is secret' }),
      planned('untold', 0, { at }),
      planned('short', 0, { at, tags: ['new'] }),
    ];
    const { kept } = resume({ rows, plan }).rewrite();
    const renewed = { messages, tags: ['new', '***'], description: 'is ***' };
    expect(kept.map(({ at: place, asked: told }) => [place, told])).toEqual([
      [at, renewed],
      [at, { messages }],
      [at, undefined],
      [at, renewed],
    ]);
  });
});

describe('a run that goes on with other headers or options', () => {
  const suiteOf = (...variants: readonly RecordedVariant[]) => ({
    suite: 'support',
    path: 'evals/support.eval.yaml',
    gate: defaultGate,
    outputs: 'full' as const,
    variants,
    filtered: false,
  });
  const headerOf = (...variants: readonly RecordedVariant[]) =>
    resume({
      rows: [],
      header: { suites: [suiteOf(buildVariant(1, { options: { a: 1 } }), buildVariant(1, { prompt: 'v2' }))] },
      now: { suites: [suiteOf(...variants)] },
    }).earlier.header.suites[0]?.variants;

  test('says so of its variants, of which no one knows what each cell was asked with', () => {
    const same = buildVariant(1, { options: { a: 1 } });
    const fresh = buildVariant(1, { prompt: 'v3', options: { a: 7 } });
    expect(headerOf(same, fresh)).toEqual([same, fresh]);
    const acceptedPrompt = { is: 'askable', of: 'the old one' } as const;
    const [changed, cleared, given] =
      headerOf(
        buildVariant(1, { options: { a: 2 }, acceptedPrompt }),
        buildVariant(1, { prompt: 'v2', options: { a: 2 } }),
        buildVariant(1, { acceptedPrompt: { is: 'unchanged' } }),
      ) ?? [];
    expect(changed).toEqual({
      ...buildVariant(1),
      options: { a: 2, resumedWith: expect.stringMatching(/^[0-9a-f]{16}$/) },
      acceptedPrompt: {
        is: 'unavailable',
        why: 'the run was resumed with other headers or options',
        isOfSeveral: true,
        of: 'the old one',
      },
    });
    expect(cleared?.acceptedPrompt).toBeUndefined();
    expect(cleared?.options?.['resumedWith']).not.toBe(changed?.options?.['resumedWith']);
    expect(given).toMatchObject({
      options: { resumedWith: changed?.options?.['resumedWith'] },
      acceptedPrompt: { is: 'unavailable', isOfSeveral: true },
    });
    expect(given?.acceptedPrompt?.of).toBeUndefined();
  });
});
