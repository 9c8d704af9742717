import { describe, expect, test } from 'vitest';
import type { JsonReport } from '../../support/temp-project.ts';
import {
  type BaselineProject,
  baselineFile,
  casesFile,
  firstWords,
  openBaselineProject,
  otherAddress,
  suiteFile,
} from '../baseline/baseline-project.ts';

type Prepare = (project: BaselineProject) => void;
interface Situation {
  /** Before the run that is accepted. */
  readonly before?: Prepare;
  /** Before the run that is compared. */
  readonly after?: Prepare;
  readonly flags?: readonly string[];
  readonly trials?: string;
  /** Without an edit of the prompt. */
  readonly isUnedited?: true;
  readonly code: number;
  readonly outcome: string;
}

async function reportLatest(project: BaselineProject): Promise<JsonReport> {
  return JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
}

const nothing = () => undefined;
const badRequest = () => ({ status: 400, body: { error: { message: 'no' } } });
const gate = (text: string) => (project: BaselineProject) =>
  project.edit(suiteFile, 'defaults:', `gate: ${text}\ndefaults:`);
const mustPass = (project: BaselineProject) =>
  project.edit(casesFile, '"id":"case-05"', '"id":"case-05","mustPass":true');
const add = (project: BaselineProject) =>
  project.write(casesFile, `${project.read(casesFile).trim()}\n{"id":"new","vars":{"word":"new"},"expected":"new"}\n`);
const says = (word: string, answer: (asked: number) => string) => (project: BaselineProject) =>
  project.answers.set(word, answer);
const breaks =
  (...words: readonly string[]) =>
  (project: BaselineProject) => {
    for (const word of words) project.answers.set(word, 'sorry');
  };
const failsOften = (project: BaselineProject) => {
  for (const [index, word] of firstWords(20).entries()) {
    project.answers.set(word, (asked) => ((asked + index) % 2 === 0 ? 'sorry' : word));
  }
};
const contract = (type: string) => (project: BaselineProject) => {
  const schema = `contract: { input: { type: object, properties: { word: { type: ${type} } } } }\n`;
  project.write(suiteFile, `${schema}${project.read(suiteFile).replace(/^contract: .*\n/, '')}`);
};
const once = (asked: number) => (asked === 0 ? 'sorry' : 'w05');
const all =
  (...steps: readonly Prepare[]) =>
  (project: BaselineProject) => {
    for (const step of steps) step(project);
  };
const changesModel = (project: BaselineProject) => project.changeModel();
const movesAddress = (project: BaselineProject) =>
  project.edit(suiteFile, 'use: openai:', `baseURL: ${otherAddress(project)}\n    use: openai:`);

describe('a run, a later report and a comparison of the two records say the same', () => {
  test.each<[string, Situation]>([
    ['nothing changed', { isUnedited: true, code: 0, outcome: 'passed' }],
    ['the prompt changed, and nothing broke', { code: 0, outcome: 'passed' }],
    ['a case broke', { after: breaks('w05'), code: 1, outcome: 'failed' }],
    [
      'a case only warns',
      { before: gate('{ cases: { broken: warn } }'), after: breaks('w05'), code: 0, outcome: 'passed' },
    ],
    ['a case drifted', { after: all(changesModel, breaks('w05')), code: 0, outcome: 'passed' }],
    [
      'more cases drifted than the margin',
      { after: all(changesModel, breaks('w05', 'w06')), code: 3, outcome: 'incomplete' },
    ],
    ['a case is flaky', { after: says('w05', once), code: 0, outcome: 'passed' }],
    ['most cases broke', { after: breaks(...firstWords(15)), code: 1, outcome: 'failed' }],
    ['the average fell', { after: failsOften, trials: '3', code: 1, outcome: 'failed' }],
    [
      'the calls were used up',
      { before: gate('{ confirm: { budget: 60% } }'), after: failsOften, code: 4, outcome: 'inconclusive' },
    ],
    [
      'fresh trials errored',
      {
        after: (project) => project.answers.set('w05', (asked) => (asked === 0 ? 'sorry' : badRequest())),
        flags: ['--max-errors', '5'],
        code: 4,
        outcome: 'inconclusive',
      },
    ],
    ['a contract broke', { before: mustPass, after: breaks('w05'), code: 1, outcome: 'failed' }],
    ['a contract is flaky', { before: mustPass, after: says('w05', once), code: 0, outcome: 'passed' }],
    ['a new case fails', { after: all(add, breaks('new')), code: 1, outcome: 'failed' }],
    [
      'a new case is flaky',
      {
        after: all(
          add,
          says('new', (asked) => (asked === 0 ? 'sorry' : 'new')),
        ),
        code: 0,
        outcome: 'passed',
      },
    ],
    ['a case fails that is sent as before', { isUnedited: true, after: breaks('w05'), code: 0, outcome: 'passed' }],
    [
      '--drift finds it',
      { isUnedited: true, flags: ['--drift'], after: all(breaks('w05'), breaks('w06')), code: 1, outcome: 'failed' },
    ],
    [
      '--drift clears it',
      { isUnedited: true, flags: ['--drift'], after: says('w05', once), code: 0, outcome: 'passed' },
    ],
    ['the accepted prompt can not be asked', { after: all(movesAddress, breaks('w05')), code: 1, outcome: 'failed' }],
    [
      'the contract broke',
      { before: contract('[string, "null"]'), after: contract('string'), code: 1, outcome: 'failed' },
    ],
    ['... and the case is flaky', { after: all(movesAddress, says('w05', once)), code: 0, outcome: 'passed' }],
  ])(
    '%s',
    { tags: ['slow'] },
    async (_name, { before = nothing, after = nothing, flags = [], trials = '1', isUnedited, code, outcome }) => {
      const project = await openBaselineProject();
      before(project);
      await project.acceptUnchanged('--trials', trials);
      const [accepted = ''] = project.files('.llmcheck/runs').map((file) => file.replace(/.*\/|\.jsonl$/g, ''));
      if (isUnedited !== true) project.editPrompt();
      after(project);
      const sent = project.server.requests.length;
      const run = await project.compared(['run', '--cache', 'refresh', '--trials', trials, ...flags]);
      expect([run.code, run.report.decision.outcome]).toEqual([code, outcome]);
      expect(project.server.requests.length).toBeGreaterThan(sent);
      expect((await reportLatest(project)).decision).toEqual(run.report.decision);
      for (const before of [baselineFile, accepted]) {
        const compared = await project.compared(['compare', before, 'latest']);
        expect([compared.code, compared.report.decision]).toEqual([code, run.report.decision]);
      }
    },
  );
});

describe('two versions of one run', () => {
  async function open(more: string) {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'providers:', `  - { id: v2, text: "Two. Say: {{ word }}"${more} }\nproviders:`);
    for (const word of firstWords(20)) project.answers.set(`Two. Say: ${word}`, word);
    return project;
  }

  test.each<[string, string, readonly string[], Prepare, number]>([
    ['--compare, a case broke', '', ['--compare', 'v1,v2'], breaks('Two. Say: w05'), 1],
    ['--compare, a case is flaky', '', ['--compare', 'v1,v2'], says('Two. Say: w05', once), 0],
    ['replaces, a case is flaky', ', replaces: v1', [], says('Two. Say: w05', once), 0],
    ['replaces, a case broke', ', replaces: v1', [], breaks('Two. Say: w05'), 1],
  ])('%s', async (_name, more, flags, after, code) => {
    const project = await open(more);
    after(project);
    const run = await project.compared(['run', '--cache', 'refresh', ...flags]);
    expect(run.code).toBe(code);
    expect((await reportLatest(project)).decision).toEqual(run.report.decision);
    const compared = await project.compared(['compare', 'v1', 'v2']);
    expect([compared.code, compared.named]).toEqual([code, run.named]);
  });
});

test('fresh answers of another accepted prompt say nothing of this one', async () => {
  const project = await openBaselineProject();
  await project.acceptUnchanged();
  const text = project.read(baselineFile);
  project.write('older.jsonl', text.replace('Say: {{ word }}', 'Tell: {{ word }}'));
  project.editPrompt();
  breaks('w05')(project);
  const run = await project.compared(['run', '--cache', 'refresh']);
  expect([run.code, run.named]).toEqual([1, ['case-05']]);
  const other = await project.compared(['compare', 'older.jsonl', 'latest']);
  expect([other.code, other.report.decision.outcome]).toEqual([4, 'inconclusive']);
  expect(other.report.decision).toMatchObject({ evidence: [{ caseId: 'case-05', acceptedAsked: 0 }] });
  // A baseline that was edited since changes nothing.
  project.write(baselineFile, text.replace('Say: {{ word }}', 'Tell: {{ word }}'));
  expect((await reportLatest(project)).decision).toEqual(run.report.decision);
});
