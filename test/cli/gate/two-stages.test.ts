import { describe, expect, test } from 'vitest';
import { type ChatReply, completionOf, startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';
import {
  type BaselineProject,
  baselineFile,
  caseOf,
  casesFile,
  firstWords,
  openBaselineProject,
  otherAddress,
  suiteFile,
} from '../baseline/baseline-project.ts';

const fresh = ['run', '--cache', 'refresh'];
const badRequest = () => ({ status: 400, body: { error: { message: 'no' } } });

function breakForGood(project: BaselineProject, ...words: readonly string[]): void {
  for (const word of words) project.answers.set(word, 'sorry');
}

/** Every word fails at every so manieth question, each at others, so that no case fails throughout. */
function failOften(project: BaselineProject, every = 2): void {
  for (const [index, word] of firstWords(20).entries()) {
    project.answers.set(word, (asked) => ((asked + index) % every === 0 ? 'sorry' : word));
  }
}

function gate(project: BaselineProject, text: string): void {
  project.edit(suiteFile, 'defaults:', `gate: ${text}\ndefaults:`);
}

const countsOf = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((sum, count) => sum + count, 0);

/** What a later report says of the newest run. */
async function reportLatest(project: BaselineProject) {
  return JSON.parse((await project.llmcheck('report', 'latest', '-r', 'json')).stdout);
}

describe('a case that fails in every trial of an edited prompt', () => {
  test('is broken by the change where the accepted prompt still passes, and a later report says the same', {
    tags: ['slow'],
  }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    breakForGood(project, 'w05');
    const run = await project.compared(fresh);
    expect([run.code, run.codes, run.named]).toEqual([1, ['case-broken'], ['case-05']]);
    expect(run.report.decision.breaches[0]?.message).toBe(
      'case case-05 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 4 of 4 fresh ones; the accepted prompt failed 0 of 4',
    );
    expect(run.comparison.cases).toMatchObject({ regressed: ['case-05'], drifted: [], flaky: [] });
    // Both sides of this case alone.
    expect([project.asked.get('w05'), countsOf(project.asked), countsOf(project.askedAccepted)]).toEqual([5, 24, 4]);
    const found = run.report.suites[0]?.cases.find(({ caseId }) => caseId === 'case-05');
    expect([found?.trials.length, found?.acceptedTrials?.length]).toEqual([5, 4]);
    // Its fresh trials are in no rate.
    expect(run.report.totals).toMatchObject({ planned: 20, passed: 19, failed: 1 });
    const later = await reportLatest(project);
    expect(later.decision).toEqual(run.report.decision);
    expect(later.suites).toEqual(run.report.suites);
  });

  test.each<[string, readonly string[], readonly string[], string, number, readonly string[]]>([
    ['passes with a note', ['w05'], [], '{}', 0, []],
    ['is not passed beyond the margin', ['w05', 'w06'], [], '{}', 3, ['drift']],
    ['passes under gate.cases.drifted: warn', ['w05', 'w06'], [], '{ cases: { drifted: warn } }', 0, []],
    ['fails with --drift beyond the margin', ['w05', 'w06'], ['--drift'], '{}', 1, ['case-drifted']],
  ])(
    'has drifted where the accepted prompt fails too, and %s',
    { tags: ['slow'] },
    async (_name, words, flags, policy, code, codes) => {
      const project = await openBaselineProject();
      await project.accept();
      gate(project, policy);
      project.changeModel();
      breakForGood(project, ...words);
      const run = await project.compared([...fresh, ...flags]);
      expect([run.code, run.codes]).toEqual([code, codes]);
      expect(run.comparison.cases).toMatchObject({ regressed: [], drifted: words.map(caseOf) });
      const said = [...run.report.decision.warnings, ...run.report.decision.breaches.map(({ message }) => message)];
      expect(said.join()).toContain('the model or the data changed, not this prompt');
      expect((await reportLatest(project)).decision).toEqual(run.report.decision);
    },
  );

  test('is flaky at the first fresh trial that passes, and the accepted prompt is not asked', async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.answers.set('w05', (asked) => (asked === 0 ? 'sorry' : 'w05'));
    const run = await project.compared(fresh);
    expect([run.code, run.codes, run.comparison.cases['flaky']]).toEqual([0, [], ['case-05']]);
    expect([run.report.decision.outcome, project.asked.get('w05'), project.askedAccepted.size]).toEqual([
      'passed',
      2,
      0,
    ]);
  });

  test('only warns under gate.cases.broken: warn, and the average decides', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    gate(project, '{ cases: { broken: warn } }');
    breakForGood(project, 'w05');
    expect((await project.compared(fresh)).code).toBe(0);
    breakForGood(project, ...firstWords(8));
    const many = await project.compared(fresh);
    expect([many.code, many.codes]).toEqual([1, ['pass-rate-regressed']]);
  });

  test.each([
    ['fails', '{}', 1],
    ['passes under gate.cases.broken: warn', '{ cases: { broken: warn } }', 0],
  ])(
    'beside more that it fixes %s, and the reports list what it breaks',
    { tags: ['slow'] },
    async (_name, policy, code) => {
      const project = await openBaselineProject();
      breakForGood(project, ...firstWords(6));
      await project.accept();
      gate(project, policy);
      project.answers.clear();
      breakForGood(project, 'w07', 'w08');
      const run = await project.compared(fresh);
      const broken = ['case-07', 'case-08'];
      expect([run.code, run.named]).toEqual([code, code === 0 ? [] : broken]);
      expect(run.comparison.cases).toMatchObject({ regressed: broken, fixed: firstWords(6).map(caseOf) });
      expect(run.comparison.passRate.delta).toBeCloseTo(0.2, 12);
      for (const reporter of ['terminal', 'markdown']) {
        const { stdout } = await project.llmcheck('report', 'latest', '-r', reporter);
        for (const caseId of broken) expect(stdout).toContain(caseId);
      }
    },
  );

  test('is broken although a trial of the accepted prompt errored', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.changeModel();
    const { askedAccepted } = project;
    let before = 0;
    project.answers.set('w05', () => {
      // Only the accepted prompt's counter moves when it is asked.
      const isAccepted = askedAccepted.get('w05') !== before && askedAccepted.has('w05');
      before = askedAccepted.get('w05') ?? 0;
      if (!isAccepted) return 'sorry';
      return before === 1 ? badRequest() : 'w05';
    });
    const run = await project.compared(fresh);
    expect([run.code, run.named]).toEqual([1, ['case-05']]);
  });

  test.each([
    [1, 9],
    [3, 13],
  ])('fails a suite of %i cases of which all are broken, in %i calls', { tags: ['slow'] }, async (count, calls) => {
    const project = await openBaselineProject();
    const lines = project.read(casesFile).trim().split('\n').slice(0, count);
    project.write(casesFile, `${lines.join('\n')}\n`);
    await project.accept();
    breakForGood(project, ...firstWords(count));
    const run = await project.compared(fresh);
    expect([run.code, run.codes]).toEqual([1, ['case-broken']]);
    // Once a case is confirmed, no more calls are sent than were planned.
    expect(countsOf(project.asked) + countsOf(project.askedAccepted)).toBe(calls);
    expect((await project.compared([...fresh, '--no-baseline'])).code).toBe(1);
    project.edit(suiteFile, 'use: openai:', `baseURL: ${otherAddress(project)}\n    use: openai:`);
    expect((await project.compared(fresh)).code).toBe(1);
  });

  test.each([2, 3])('fails a suite of %i cases of which one is broken', async (count) => {
    const project = await openBaselineProject();
    const lines = project.read(casesFile).trim().split('\n').slice(0, count);
    project.write(casesFile, `${lines.join('\n')}\n`);
    await project.accept();
    breakForGood(project, 'w01');
    expect((await project.compared(fresh)).codes).toEqual(['case-broken']);
    project.answers.set('w01', (asked) => (asked === 0 ? 'sorry' : 'w01'));
    project.forget();
    expect((await project.compared(fresh)).code).toBe(0);
  });
});

describe('where nothing that is sent has changed', () => {
  test.each<[string, readonly string[], number, string]>([
    ['one case fails, it passes', ['w05'], 0, 'passed'],
    ['every case fails, it is not passed', firstWords(20), 3, 'incomplete'],
  ])('and %s: what fails is asked again, and has drifted', { tags: ['slow'] }, async (_name, words, code, outcome) => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    breakForGood(project, ...words);
    const run = await project.compared(fresh);
    expect([run.code, run.report.decision.outcome]).toEqual([code, outcome]);
    expect(project.asked.get('w05')).toBeGreaterThan(2);
    expect(run.comparison.cases['drifted']).toContain('case-05');
    expect(run.comparison.certainty.kind).toBe('unseen');
    expect((await reportLatest(project)).decision).toEqual(run.report.decision);
  });

  test('--drift fails cases that go on failing', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    breakForGood(project, 'w05', 'w07');
    project.answers.set('w06', (asked) => (asked === 0 ? 'sorry' : 'w06'));
    const run = await project.compared([...fresh, '--drift']);
    expect([run.code, new Set(run.codes)]).toEqual([1, new Set(['case-drifted'])]);
    expect(run.comparison.cases).toMatchObject({ regressed: [], drifted: ['case-05', 'case-07'], flaky: ['case-06'] });
    expect((await reportLatest(project)).decision).toEqual(run.report.decision);
  });

  test('a flaky case passes under --drift', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    project.answers.set('w05', (asked) => (asked === 0 ? 'sorry' : 'w05'));
    const run = await project.compared([...fresh, '--drift']);
    expect([run.code, run.report.decision.outcome, run.comparison.cases['flaky']]).toEqual([0, 'passed', ['case-05']]);
  });

  test('every case that drifted fails with --drift', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    breakForGood(project, ...firstWords(20));
    const run = await project.compared([...fresh, '--drift']);
    expect(run.code).toBe(1);
    expect(run.codes).toContain('case-drifted');
  });

  test('a contract that breaks still fails, and a new case has to pass', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
    await project.acceptUnchanged();
    breakForGood(project, 'w07');
    expect((await project.compared(fresh)).codes).toEqual(['must-pass']);
    project.answers.clear();
    project.write(casesFile, `${project.read(casesFile)}{"id":"new","vars":{"word":"new"},"expected":"never"}\n`);
    expect((await project.compared(fresh)).codes).toEqual(['case-added-failed']);
  });
});

describe('an average that fell a little everywhere', () => {
  test('is confirmed by fresh trials of the accepted prompt, though no case is broken', {
    tags: ['slow'],
  }, async () => {
    const project = await openBaselineProject();
    await project.accept('--trials', '3');
    failOften(project);
    const run = await project.compared([...fresh, '--trials', '3']);
    expect([run.code, run.codes, run.named]).toEqual([1, ['pass-rate-regressed'], []]);
    expect(run.report.decision.breaches[0]?.message).toMatch(/seen again in \d+ fresh trials of 20 cases$/);
    expect(countsOf(project.askedAccepted)).toBeGreaterThan(0);
    expect((await reportLatest(project)).decision).toEqual(run.report.decision);
  });

  test('has drifted where the accepted prompt fails as often today', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept('--trials', '3');
    project.changeModel();
    failOften(project);
    const run = await project.compared([...fresh, '--trials', '3']);
    expect([run.code, run.codes, run.report.decision.outcome]).toEqual([3, ['drift'], 'incomplete']);
    expect(run.report.decision.warnings.join()).toMatch(/but not in \d+ fresh trials of 20 cases/);
    expect((await reportLatest(project)).decision).toEqual(run.report.decision);
  });

  test('is found in one suite of six, of which the others are as they were', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    const others = Array.from({ length: 5 }, (_, index) => `other-${index}`);
    const files = [suiteFile, ...others.map((name) => `evals/${name}.eval.yaml`)];
    for (const name of others) {
      const text = project.read(suiteFile).replace('suite: words', `suite: ${name}`);
      project.write(
        `evals/${name}.eval.yaml`,
        text.replace('word }}"', `word }}-${name}"`).replace('equals', 'contains'),
      );
    }
    await project.accept('--trials', '3');
    for (const file of files.slice(1)) project.edit(file, 'max_tokens: 20', 'max_tokens: 21');
    failOften(project);
    const run = await project.compared([...fresh, '--trials', '3']);
    expect([run.code, run.codes]).toEqual([1, ['pass-rate-regressed']]);
    expect(run.report.decision.breaches.map((breach) => 'suite' in breach && breach.suite)).toEqual(['words']);
  });

  test('fails the gate of the cost once the fresh trials cost as much more', async () => {
    const project = await openBaselineProject();
    gate(project, '{ cost: { maxIncrease: 10% } }');
    await project.accept();
    project.tokens.set('*', 20);
    const run = await project.compared(fresh);
    expect([run.code, run.codes]).toEqual([1, ['cost-regressed']]);
    expect(countsOf(project.askedAccepted)).toBeGreaterThan(0);
  });
});

describe('a second run of the same edited prompt', () => {
  test.each<[string, (project: BaselineProject) => void, readonly string[]]>([
    ['a broken case', (project) => breakForGood(project, 'w05'), []],
    ['a flaky case', (project) => project.answers.set('w05', (asked) => (asked === 0 ? 'sorry' : 'w05')), []],
    ['a drifted case', (project) => (project.changeModel(), breakForGood(project, 'w05')), []],
    ['a drop of the average', (project) => failOften(project), ['--trials', '3']],
    ['a drop that was cleared', (project) => (project.changeModel(), failOften(project)), ['--trials', '3']],
  ])('sends nothing with %s, and says the same', { tags: ['slow'] }, async (_name, change, flags) => {
    const project = await openBaselineProject();
    await project.accept(...flags);
    change(project);
    const first = await project.compared(['run', ...flags]);
    const sent = project.server.requests.length;
    const second = await project.compared(['run', ...flags]);
    expect(project.server.requests.length).toBe(sent);
    expect(second.report.decision).toEqual(first.report.decision);
    expect(second.comparison.cases).toEqual(first.comparison.cases);
  });
});

describe('a run of which nothing was accepted', () => {
  test('passes with a warning where a case is flaky', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    project.answers.set('w05', (asked) => (asked === 0 ? 'sorry' : 'w05'));
    const run = await project.compared(['run']);
    expect([run.code, run.report.decision.outcome, project.asked.get('w05')]).toEqual([0, 'passed', 2]);
    expect(run.report.decision.warnings.join()).toContain('case case-05 failed 1 time and then passed a fresh trial');
    expect((await reportLatest(project)).decision).toEqual(run.report.decision);
  });

  test('counts only the broken case as failed beside one that was cleared', async () => {
    const project = await openBaselineProject();
    breakForGood(project, 'w04');
    project.answers.set('w05', (asked) => (asked === 0 ? 'sorry' : 'w05'));
    const run = await project.compared(['run', '-r', 'junit=report.xml', '-r', 'terminal=report.txt']);
    expect([run.code, run.codes]).toEqual([1, ['pass-rate-min']]);
    expect(project.read('report.txt')).toContain('FAILED  1 of 20 words cases fails with');
    const failures = project.read('report.xml').match(/<testcase name="case-\d+"[^>]*>\s*<failure/g) ?? [];
    expect(failures.map((found) => /case-\d+/.exec(found)?.[0])).toEqual(['case-04']);
    expect(project.read('report.xml')).toContain('<skipped message="a fresh trial passed:');
  });

  test('fails where a case is broken, asked no more than shows it', async () => {
    const project = await openBaselineProject();
    breakForGood(project, 'w05');
    const run = await project.compared(['run']);
    expect([run.code, run.codes]).toEqual([1, ['pass-rate-min']]);
    expect(project.asked.get('w05')).toBe(7);
    expect((await reportLatest(project)).decision).toEqual(run.report.decision);
  });

  test('fails where every case is broken, with no more calls than were planned', async () => {
    const project = await openBaselineProject();
    breakForGood(project, ...firstWords(20));
    const run = await project.compared(['run']);
    expect([run.code, run.codes]).toEqual([1, ['pass-rate-min']]);
    expect(countsOf(project.asked)).toBeLessThanOrEqual(40);
  });
});

describe('a must-pass case', () => {
  test.each([
    ['fails two of three fresh trials', [false, false, true, false], 1],
    ['passes two of them', [false, true, false, true], 0],
  ])('is judged when an edited prompt %s: %s', { tags: ['slow'] }, async (_name, passes, code) => {
    const project = await openBaselineProject();
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
    await project.accept();
    project.answers.set('w07', (asked) => (passes[asked] === true ? 'w07' : 'sorry'));
    const run = await project.compared(fresh);
    expect([run.code, run.codes, project.asked.get('w07')]).toEqual([code, code === 1 ? ['must-pass'] : [], 4]);
    // The accepted prompt is asked beside it, to say whose change it was.
    expect([...project.askedAccepted]).toEqual([['w07', 3]]);
  });
});

describe('gate.confirm', () => {
  const situations: readonly [string, readonly string[], boolean][] = [
    ['every case of a first run fails', firstWords(12), false],
    ['every case of an edited prompt fails', firstWords(12), true],
    ['a case of an edited prompt fails', ['w05'], true],
    ['a contract of an edited prompt fails', ['w07'], true],
  ];

  test.each(['0', '5%'].flatMap((budget) => situations.map((situation) => [budget, ...situation] as const)))(
    'budget: %s pays for no fresh trial, so nothing fails and nothing passes where %s',
    async (budget, _name, words, isEdited) => {
      const project = await openBaselineProject();
      gate(project, `{ confirm: { budget: ${budget} } }`);
      project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
      project.write(casesFile, project.read(casesFile).split('\n').slice(0, 12).join('\n'));
      if (isEdited) await project.accept();
      breakForGood(project, ...words);
      const run = await project.compared(fresh);
      expect([run.code, run.codes]).toEqual([4, ['unsettled']]);
      expect([countsOf(project.asked), project.askedAccepted.size]).toEqual([12, 0]);
      expect((await reportLatest(project)).decision).toEqual(run.report.decision);
    },
  );

  test.each<[string, readonly string[], number]>([
    ['passes what is not settled', ['w05'], 0],
    ['does not pass a must-pass case', ['w07'], 4],
  ])('under gate.unsettled: warn a budget of 0 %s', async (_name, words, code) => {
    const project = await openBaselineProject();
    gate(project, '{ unsettled: warn, confirm: { budget: 0 } }');
    project.edit(casesFile, '"id":"case-07"', '"id":"case-07","mustPass":true');
    await project.accept();
    breakForGood(project, ...words);
    expect((await project.compared(fresh)).code).toBe(code);
  });

  test.each([
    ['10%', 4, 22],
    ['100%', 1, 40],
  ])('a budget of %s holds where everything is broken', async (budget, code, calls) => {
    const project = await openBaselineProject();
    gate(project, `{ confirm: { budget: ${budget} } }`);
    await project.accept();
    breakForGood(project, ...firstWords(20));
    const run = await project.compared(fresh);
    expect(run.code).toBe(code);
    expect(countsOf(project.asked) + countsOf(project.askedAccepted)).toBeLessThanOrEqual(calls);
  });

  test('cases: 1 asks no further case once one is broken', async () => {
    const project = await openBaselineProject();
    gate(project, '{ confirm: { cases: 1 } }');
    await project.accept();
    breakForGood(project, 'w05', 'w06');
    const run = await project.compared(fresh);
    expect([run.code, run.named]).toEqual([1, ['case-05']]);
    expect(run.report.decision.warnings.join()).toContain(
      'case-06 passed 1 of 1 trials on the baseline, and failed 1 of 1 trial now, and 2 of 2 fresh ones; it was not asked further',
    );
  });
});

test.each([
  ['an added case', false],
  ['a case that broke', true],
])('%s of many turns fails, although a pair of it takes more calls than were planned', async (_name, isAccepted) => {
  const project = openTempProject();
  const edited = isAccepted ? 21 : 20;
  const server = await startChatServer(({ text, body }) =>
    body['max_tokens'] === edited && text.startsWith('More') ? 'sorry' : 'fine',
  );
  const turns = Array.from({ length: 12 }, (_, index) => `{ user: "More ${index}" }`).join(', ');
  const single = Array.from({ length: 9 }, (_, index) => `  - { id: s${index}, vars: { word: s${index} } }\n`);
  const write = (maxTokens: number) =>
    project.write(
      'evals/talk.eval.yaml',
      `prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: "openai:gpt-4o-mini", params: { max_tokens: ${maxTokens} } }]
defaults: { assert: [{ equals: fine }] }
cases:
  - { id: long, vars: { word: long }, turns: [${turns}] }
${single.join('')}`,
    );
  write(20);
  const { env } = server;
  if (isAccepted) {
    await project.run(['run'], { env });
    await project.run(['baseline', 'accept'], { env });
    write(edited);
  }
  const { code, report } = await project.report(['run', '--cache', 'refresh'], { env });
  expect([code, report.decision.outcome]).toEqual([1, 'failed']);
});

describe('another model', () => {
  /** Twenty cases that the old model answers rightly; the suite now names the new one. */
  async function openModels(
    answer: (word: string, asked: number) => ChatReply,
    old?: () => ChatReply,
    ...flags: string[]
  ) {
    const project = openTempProject('baseline');
    const asked = new Map<string, number>();
    let isOld = true;
    const models: string[] = [];
    const server = await startChatServer(({ text, model }) => {
      const word = wordOf(text);
      if (model === 'gpt-4o-mini') {
        if (isOld) return { body: completionOf(word, model) };
        models.push(word);
        return old?.() ?? { body: completionOf(word, model) };
      }
      const before = asked.get(word) ?? 0;
      asked.set(word, before + 1);
      return answer(word, before);
    });
    const { env } = server;
    await project.run(['run', ...flags], { env });
    await project.run(['baseline', 'accept'], { env });
    isOld = false;
    project.write(suiteFile, project.read(suiteFile).replace('gpt-4o-mini', 'gpt-4.1-mini'));
    const run = await project.report([...fresh, ...flags], { env });
    return { ...run, askedOld: models, codes: run.report.decision.breaches.map(({ code }) => code), env, project };
  }
  const retired = () => ({ status: 404, body: { error: { message: 'gone', code: 'model_not_found' } } });

  test('is compared with the old one if it breaks a case', async () => {
    const run = await openModels((word) => (word === 'w05' ? 'sorry' : word));
    expect([run.code, run.codes]).toEqual([1, ['case-broken']]);
    expect(new Set(run.askedOld)).toEqual(new Set(['w05']));
  });

  test.each([
    ['a broken case fails by its own trials', (word: string) => (word === 'w05' ? 'sorry' : word), 1, ['case-broken']],
    ['a flaky case passes', (word: string, n: number) => (word === 'w05' && n === 0 ? 'sorry' : word), 0, []],
    [
      'a drop of the average fails by the stored trials',
      (word: string, n: number) => ((Number(word.slice(1)) + n) % 2 === 0 ? 'sorry' : word),
      1,
      ['pass-rate-regressed'],
    ],
    ['every case fails', () => 'sorry', 1, ['case-broken']],
  ] as const)('stands in for a retired one: %s', { tags: ['slow'] }, async (_name, answer, code, codes) => {
    const run = await openModels(answer, retired, '--trials', '3');
    expect(run.code).toBe(code);
    expect([...new Set(run.codes)]).toEqual(codes);
    const later = JSON.parse((await run.project.run(['report', 'latest', '-r', 'json'], { env: run.env })).stdout);
    expect(later.decision).toEqual(run.report.decision);
    const isSaid = run.report.decision.warnings.join().includes('the accepted prompt could not be asked again');
    expect(isSaid).toBe(code === 1);
  });

  test('without a price is not asked under --max-cost', { tags: ['slow'] }, async () => {
    const project = openTempProject('baseline');
    const server = await startChatServer(({ text, model }) =>
      model === 'new' && text.endsWith('w05') ? 'sorry' : wordOf(text),
    );
    const { env } = server;
    const use = (model: string, more = '') =>
      project.write(suiteFile, project.read(suiteFile).replace(/use: .*\n/, `use: openai:${model}\n${more}`));
    use('old');
    await project.run(['run'], { env });
    await project.run(['baseline', 'accept'], { env });
    use('new', '    price: { input: 1, output: 1 }\n');
    const { code, report } = await project.report([...fresh, '--max-cost', '5'], { env });
    expect(code).toBe(1);
    expect(report.decision.warnings.join()).toContain('no price is known for old');
  });
});

describe('an accepted prompt that can not be asked', () => {
  test('since the address changed: the case fails by its own trials', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    project.edit(suiteFile, 'use: openai:', `baseURL: ${otherAddress(project)}\n    use: openai:`);
    breakForGood(project, 'w05');
    project.answers.set('w06', (asked) => (asked === 0 ? 'sorry' : 'w06'));
    const run = await project.compared(fresh);
    expect([run.code, run.named, run.comparison.cases['flaky']]).toEqual([1, ['case-05'], ['case-06']]);
    expect(project.askedAccepted.size).toBe(0);
    expect(run.report.decision.warnings.join()).toContain(
      'the accepted prompt was not asked again: it was asked at another address',
    );
  });

  test('since a header has another value: nothing is said to be unchanged', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, 'use: openai:', 'headers: { X-Model: first }\n    use: openai:');
    await project.acceptUnchanged();
    project.edit(suiteFile, 'X-Model: first', 'X-Model: other');
    breakForGood(project, 'w05');
    const run = await project.compared(fresh);
    expect([run.code, run.named]).toEqual([1, ['case-05']]);
    expect(run.report.decision.warnings.join()).toContain('a header of provider "mini" has changed');
  });

  test.each([
    ['a program', 'exec:node answer.mjs', 'answer.mjs'],
    ['a module', 'module:answer.mjs', 'answer.mjs'],
  ])('since it is %s that was edited', { tags: 'slow' }, async (_name, use, file) => {
    const project = openTempProject();
    const answer = (wrong: string) =>
      use.startsWith('exec')
        ? `let text = ''; process.stdin.on('data', (part) => { text += part; }).on('end', () => {
             const { messages } = JSON.parse(text); const word = messages.at(-1).content;
             process.stdout.write(word === '${wrong}' ? 'sorry' : word); });`
        : `export default ({ messages }) => ({ text: messages.at(-1).content === '${wrong}' ? 'sorry' : messages.at(-1).content });`;
    project.write(`evals/${file}`, answer('none'));
    project.write(
      'evals/own.eval.yaml',
      `prompts: [{ id: v1, text: "{{ word }}" }]
providers: [{ id: app, use: "${use}" }]
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
${firstWords(3)
  .map((word) => `  - { id: ${caseOf(word)}, vars: { word: ${word} } }\n`)
  .join('')}`,
    );
    const env = { PATH: process.env['PATH'] ?? '' };
    const first = await project.run(['run'], { env });
    expect([first.code, first.stderr]).toEqual([0, expect.any(String)]);
    await project.run(['baseline', 'accept'], { env });
    project.write(`evals/${file}`, answer('w03'));
    const { code, report } = await project.report(['run'], { env });
    expect([code, report.decision.breaches.map(({ caseId }) => caseId)]).toEqual([1, ['case-03']]);
    expect(report.decision.warnings.join()).toContain('the code of provider "app" has changed');
  });
});

describe('accepting a run that asked the accepted prompt again', () => {
  test('stores the trials of the new prompt alone', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    breakForGood(project, 'w05');
    const broken = await project.compared(fresh);
    expect([broken.code, countsOf(project.askedAccepted)]).toEqual([1, 4]);
    expect((await project.llmcheck('baseline', 'accept', '--known-failures')).code).toBe(0);
    const rows = project.read(baselineFile).trim().split('\n').slice(2);
    const row = JSON.parse(rows.find((line) => line.includes('"caseId":"case-05"')) ?? '');
    expect(row.trials.map(({ status }: { status: string }) => status)).toEqual(['failed']);
    const shown = JSON.parse((await project.llmcheck('baseline', 'show', '--json')).stdout).find(
      (found: { case: string }) => found.case === 'case-05',
    );
    expect(shown.passed).toMatch(/^0 of /);
    // It is known from now on, and neither of its prompts is asked about it.
    project.editPrompt();
    project.forget();
    const later = await project.compared(fresh);
    expect([later.code, later.comparison.cases['stillFailing'], project.asked.get('w05')]).toEqual([0, ['case-05'], 1]);
    expect(project.askedAccepted.size).toBe(0);
  });

  test('and comparing it with another run counts the planned trials alone', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept('--trials', '2');
    project.answers.set('w05', (asked) => (asked < 2 ? 'sorry' : 'w05'));
    await project.llmcheck(...fresh, '--trials', '2');
    const compared = await project.compared(['compare', baselineFile, 'latest']);
    expect(compared.comparison.passRate).toMatchObject({ baseline: 1, candidate: 0.95 });
    const { stdout } = await project.llmcheck('history', '-r', 'json');
    const [suite] = JSON.parse(stdout).suites;
    const found = suite.cases.find(({ caseId }: { caseId: string }) => caseId === 'case-05');
    expect(found.points.at(-1)).toMatchObject({ passed: 0, judged: 2 });
  });
});

describe('a run that is cut short while it asks again', () => {
  test.each(['asked', 'askedAccepted'] as const)(
    '(%s) and resumed says what a whole run says',
    { tags: 'slow' },
    async (side) => {
      const project = await openBaselineProject();
      await project.accept();
      let interrupt: ((name: 'SIGINT') => void) | undefined;
      project.changeModel();
      project.answers.set('w05', () => {
        if ((project[side].get('w05') ?? 0) === 2) interrupt?.('SIGINT');
        return project.askedAccepted.has('w05') && project.server.requests.at(-1)?.body.includes('"max_tokens":20')
          ? 'w05'
          : 'sorry';
      });
      const whole = await project.compared(fresh);
      expect([whole.code, whole.named]).toEqual([1, ['case-05']]);
      project.forget();
      const cut = await project.compared([...fresh, '-j', '1'], {
        onReady: (signal) => {
          interrupt = signal;
        },
      });
      expect([cut.code, cut.report.run.stopReason]).toEqual([130, 'interrupted']);
      interrupt = undefined;
      const sent = project.server.requests.length;
      const resumed = await project.compared(['run', '--resume']);
      expect(resumed.report.decision).toEqual(whole.report.decision);
      // Nothing that was answered is asked once more.
      expect(project.server.requests.length - sent).toBeLessThan(10);
    },
  );
});

describe('shards', () => {
  async function runShards(project: BaselineProject, count: number, ...flags: string[]) {
    const records: string[] = [];
    const codes: number[] = [];
    for (let index = 1; index <= count; index += 1) {
      const before = new Set(project.files('.llmcheck/runs'));
      codes.push((await project.llmcheck(...fresh, ...flags, '--shard', `${index}/${count}`)).code);
      records.push(project.files('.llmcheck/runs').find((file) => !before.has(file)) ?? '');
    }
    return { records, codes };
  }

  test('that are merged find a case that the change broke', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    breakForGood(project, 'w05');
    const { records, codes } = await runShards(project, 2);
    expect(codes.toSorted((a, b) => a - b)).toEqual([0, 1]);
    const merged = await project.compared(['merge', ...records]);
    expect([merged.code, merged.named]).toEqual([1, ['case-05']]);
    expect((await reportLatest(project)).decision).toEqual(merged.report.decision);
  });

  test('that are merged find a case broken in each of them', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    await project.accept();
    breakForGood(project, ...firstWords(20));
    const { records, codes } = await runShards(project, 4);
    expect(codes).toEqual([1, 1, 1, 1]);
    expect((await project.compared(['merge', ...records])).code).toBe(1);
  });

  test.each<[string, (project: BaselineProject) => void]>([
    ['drifted', (project) => (project.changeModel(), breakForGood(project, 'w05'))],
    ['flaky', (project) => project.answers.set('w05', (asked) => (asked < 2 ? 'sorry' : 'w05'))],
  ])('that are merged pass where a case is %s', { tags: ['slow'] }, async (kind, change) => {
    const project = await openBaselineProject();
    // Enough calls in each shard to ask both prompts.
    await project.accept('--trials', '2');
    change(project);
    const { records, codes } = await runShards(project, 2, '--trials', '2');
    expect(codes).toEqual([0, 0]);
    const merged = await project.compared(['merge', ...records]);
    expect([merged.code, merged.comparison.cases[kind]]).toEqual([0, ['case-05']]);
  });

  test('that are merged find a drop of the average', { tags: 'slow' }, async () => {
    const project = await openBaselineProject();
    await project.accept('--trials', '3');
    failOften(project);
    const { records } = await runShards(project, 2, '--trials', '3');
    const merged = await project.compared(['merge', ...records]);
    expect([merged.code, merged.codes]).toEqual([1, ['pass-rate-regressed']]);
  });
});
