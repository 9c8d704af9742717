import { expect, test } from 'vitest';
import type { BisectedCase, BisectVerdict, PlacedHunk } from '../../src/probing/bisect.ts';
import type { Coverage } from '../../src/probing/cover-instruction.ts';
import {
  describeBisected,
  describeCoverage,
  describeInstruction,
  hunksOf,
  placeOf,
  summarizeCover,
  tokensOf,
} from '../../src/probing/describe-findings.ts';
import type { BreakingSet } from '../../src/probing/find-breaking.ts';
import type { ProbeAnswer } from '../../src/probing/probe-case.ts';
import type { CoveredInstruction, CoveredPrompt } from '../../src/probing/run-cover.ts';

const fails: ProbeAnswer = { is: 'fails', passed: 1, failed: 4 };
const passes: ProbeAnswer = { is: 'passes', passed: 5, failed: 2 };
const at = (line: number, endLine = line, path = 'prompts/a.md') => ({ path, line, endLine });

const hunks: readonly PlacedHunk[] = [
  { kind: 'sentence', before: 'Be brief.', after: 'Be short.', file: at(4) },
  { kind: 'sentence', after: 'Be kind.', file: at(5, 6) },
  { kind: 'item', after: '- one', file: at(9) },
  { kind: 'item', after: '- two', file: at(3, 3, 'prompts/b.md') },
  { kind: 'paragraph', before: 'All of this went away. '.repeat(4), file: at(12) },
  { kind: 'paragraph', before: 'Gone.' },
  { kind: 'paragraph', after: 'It has no file.' },
  { kind: 'param', name: 'temperature', before: '0', after: '1' },
  { kind: 'param', name: 'seed', after: '7' },
  { kind: 'param', name: 'stop', before: '7' },
  { kind: 'param', name: 'long', before: 'x'.repeat(30), after: 'y'.repeat(30) },
  { kind: 'param', name: 'longer', before: 'x'.repeat(30), after: 'y'.repeat(31) },
  { kind: 'tool', name: 'tools.route.description', before: 'a', after: 'b' },
  { kind: 'tool', name: 'tools.gone', before: '{}' },
  { kind: 'model', name: 'model', before: 'm-1', after: 'm-2' },
  { kind: 'space', before: ' ', after: ' ' },
  { kind: 'sentence', after: 'Again.', file: at(10) },
  { kind: 'paragraph', file: at(1) },
];

const setOf = (own: readonly number[], isMinimal = true): BreakingSet => ({ hunks: own, alone: fails, isMinimal });

const bisected = (verdict: BisectVerdict, more: Partial<BisectedCase> = {}): BisectedCase => ({
  suite: 's',
  caseId: 'case-1',
  prompt: 'v2',
  provider: 'p',
  earlier: 'v1',
  at: { file: 's.yaml', line: 1, column: 1 },
  hunks,
  verdict,
  probes: 3,
  ...more,
});

test('the trials of a search are described in these sentences', async () => {
  const found: readonly BisectedCase[] = [
    bisected({ is: 'same' }),
    bisected({ is: 'passes', now: passes }),
    bisected({ is: 'failed-before', before: fails }),
    ...hunks.map((_, hunk) => bisected({ is: 'found', change: { sets: [setOf([hunk])], without: passes } })),
    bisected({ is: 'found', change: { sets: [setOf([0])] } }),
    bisected({ is: 'found', change: { sets: [setOf([0])], without: fails } }),
    bisected({ is: 'found', change: { sets: [setOf([0, 1])], without: passes } }),
    bisected({ is: 'found', change: { sets: [setOf([0, 1, 2], false)], without: passes } }),
    bisected({ is: 'found', change: { sets: [setOf([0], false)], without: passes } }),
    bisected({ is: 'found', change: { sets: [setOf([2, 16, 3, 7, 5])], without: fails } }),
    bisected({ is: 'found', change: { sets: [setOf([0]), setOf([7]), setOf([1, 2], false)], without: passes } }),
    bisected({ is: 'found', change: { sets: [setOf([0]), setOf([3, 7])], without: fails } }),
    bisected({
      is: 'found',
      change: { sets: [setOf([0])], without: { is: 'unresolved', why: 'x', passed: 1, failed: 1 } },
    }),
    bisected({ is: 'undecided', why: 'it is flaky' }),
    bisected({
      is: 'undecided',
      why: 'it is flaky',
      change: { sets: [], open: { among: [0, 1], why: 'it is flaky' } },
    }),
    bisected({
      is: 'undecided',
      why: 'it is flaky',
      change: { sets: [], open: { among: [...hunks.keys()], why: 'it is flaky' } },
    }),
    bisected({
      is: 'undecided',
      why: 'it is flaky',
      change: { sets: [setOf([7])], without: fails, open: { among: [2, 5], why: 'it is flaky' } },
    }),
    bisected({ is: 'same' }, { commits: [{ hash: '0123456789abcdef', subject: 'Say "please"' }] }),
    bisected({ is: 'same' }, { commits: [{ hash: '', subject: 'changes that are not committed' }] }),
    bisected(
      { is: 'same' },
      {
        commits: [
          { hash: '0123456789abcdef', subject: 'x'.repeat(80) },
          { hash: 'fedcba9876543210', subject: 'Second' },
          { hash: '', subject: 'changes that are not committed' },
        ],
      },
    ),
  ];
  await expect(`${found.map(describeBisected).join('\n')}\n`).toMatchFileSnapshot('snapshots/bisected.txt');
});

test('the hunks of a set are those that there are', () => {
  expect(hunksOf([2, 99, 0], hunks)).toEqual([hunks[2], hunks[0]]);
});

const covered = (coverage: Coverage, more: Partial<CoveredInstruction> = {}): CoveredInstruction => ({
  instruction: { kind: 'paragraph', text: 'Be brief, and never tell a customer more than asked for, ever.' },
  coverage,
  isStored: false,
  ...more,
});

const guarded: Coverage = {
  is: 'guarded',
  caseId: 'c1',
  without: { passed: 1, failed: 4 },
  whole: { passed: 5, failed: 1 },
};

test('the coverage of an instruction is described in these sentences', () => {
  expect(
    [
      covered(guarded),
      covered({ ...guarded, reason: 'it lacks "JSON"' }),
      covered(guarded, { isStored: true }),
      covered({ is: 'unnoticed', caseId: 'c2', asked: 1, p: 0.001 }),
      covered({ is: 'unnoticed', caseId: 'c2', asked: 3, p: 0.001 }),
      covered({ is: 'noEffect', asked: 1 }),
      covered({ is: 'noEffect', asked: 12 }, { instruction: { kind: 'item', text: 'Kurz!' } }),
      covered({ is: 'noEffect', asked: 12 }, { instruction: { kind: 'item', text: 'Kurz' } }),
      covered({ is: 'undecided', why: 'it is down', asked: 0 }),
    ].map(describeCoverage),
  ).toMatchInlineSnapshot(`
    [
      "by c1: without it, 4 of 5 trials fail; with it, 5 of 6 pass",
      "by c1: without it, 4 of 5 trials fail; with it, 5 of 6 pass (it lacks "JSON")",
      "by c1, as found before",
      "answers to c2 change without it, and no check of 1 case notices",
      "answers to c2 change without it, and no check of 3 cases notices",
      "1 case asked without it, none failed, no answer changed; about 16 tokens a call",
      "12 cases asked without it, none failed, no answer changed; about 2 tokens a call",
      "12 cases asked without it, none failed, no answer changed; about 1 token a call",
      "it is down (0 cases asked)",
    ]
  `);
  expect(
    [covered(guarded), covered(guarded, { instruction: { kind: 'item', text: 'a\nb' } })].map(describeInstruction),
  ).toMatchInlineSnapshot(`
    [
      ""Be brief, and never tell a customer more than asked for, eve"… (62 characters)",
      ""a\\nb"",
    ]
  `);
  expect(
    [
      covered(guarded),
      covered(guarded, { file: at(3) }),
      covered(guarded, { instruction: { kind: 'tool', text: '', name: 'route' } }),
      covered(guarded, { instruction: { kind: 'tool', text: '' } }),
    ].map(placeOf),
  ).toEqual(['paragraph', 'prompts/a.md:3', 'tool route', 'tool ']);
  expect(['', 'a', 'abcd', 'abcde', 'äöü'].map(tokensOf)).toEqual([0, 1, 1, 2, 2]);
});

test('a search of a prompt ends with its counts and with what the cases could have noticed', () => {
  const summary = (...found: readonly Coverage[]) =>
    summarizeCover({ instructions: found.map((coverage) => covered(coverage)) } as unknown as CoveredPrompt);
  expect(summary()).toEqual(['']);
  expect(summary(guarded, { is: 'undecided', why: 'x', asked: 1 }, guarded)).toEqual(['2 guarded, 1 undecided']);
  expect(
    summary({ is: 'noEffect', asked: 10 }, guarded, { is: 'unnoticed', caseId: 'c', asked: 20, p: 0.001 }),
  ).toMatchInlineSnapshot(`
    [
      "1 guarded, 1 without a sensor, 1 without effect here",
      ""Nothing failed" says what the suite can see. A rule that decides 25.9 % of cases like these fails one of 10 cases with probability 95.0 %.",
    ]
  `);
  expect(summary({ is: 'noEffect', asked: 1 })).toMatchInlineSnapshot(`
    [
      "1 without effect here",
      ""Nothing failed" says what the suite can see. A rule that decides 95.0 % of cases like these fails a case with probability 95.0 %.",
    ]
  `);
});
