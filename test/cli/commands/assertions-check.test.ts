import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../../support/run-cli.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

interface Recorded {
  readonly caseId: string;
  readonly text: string;
}

function openProject(cases: string, answers: readonly Recorded[], defaults = ''): TempProject {
  const project = openTempProject();
  project.write(
    'evals/weak.eval.yaml',
    `suite: weak
prompts: [{ id: v1, text: "{{ q }}" }]
providers: [{ id: mini, use: "openai:gpt-4o-mini" }]
recordings: answers.jsonl
${defaults}cases:
${cases}`,
  );
  const lines = answers.map(({ caseId, text }) => {
    const completion = { text, toolCalls: [], finishReason: 'stop', latencyMs: 1 };
    return JSON.stringify({ format: 1, prompt: 'v1', provider: 'mini', caseId, trial: 0, completion });
  });
  project.write('evals/answers.jsonl', `${lines.join('\n')}\n`);
  return project;
}

interface Measured {
  readonly exitCode: number;
  readonly suites: readonly {
    readonly suite: string;
    readonly source: string | null;
    readonly measured: number;
    readonly mutants: number;
    readonly caught: number;
    readonly kinds: readonly { readonly mutation: string; readonly mutants: number; readonly caught: number }[];
    readonly weakCases: readonly {
      readonly caseId: string;
      readonly at: { readonly line: number };
      readonly survivors: readonly { readonly mutation: string; readonly detail: string }[];
    }[];
    readonly weakChecks: readonly { readonly check: string; readonly cases: number }[];
    readonly unmeasured: readonly { readonly caseId: string; readonly reason: string }[];
  }[];
}

async function check(project: TempProject, flags: readonly string[] = []) {
  const { code, stdout } = await project.run(['assertions', 'check', '--json', ...flags]);
  const measured = JSON.parse(stdout) as Measured;
  expect(measured.exitCode).toBe(code);
  const weak = measured.suites.flatMap(({ weakCases }) =>
    weakCases.map(({ caseId, survivors }) => [caseId, [...new Set(survivors.map(({ mutation }) => mutation))].sort()]),
  );
  const [suite] = measured.suites;
  if (suite === undefined) throw new Error('The project has a suite.');
  return { code, suite, weak: Object.fromEntries(weak) as Readonly<Record<string, readonly string[]>> };
}

const weakCases = `  - { id: vacuous, vars: { q: a }, assert: [{ not: { contains: guaranteed } }] }
  - { id: long, vars: { q: b }, assert: [{ length: { min: 5 } }] }
  - { id: field, vars: { q: c }, assert: [{ jsonPath: { path: $.queue, value: billing } }] }
  - { id: amount, vars: { q: d }, assert: [{ json: true, name: is JSON }, { regex: "total" }] }
  - { id: strong, vars: { q: e }, assert: [{ equals: "shipped on 3 June" }] }
`;

const weakAnswers = [
  { caseId: 'vacuous', text: 'Your refund is on its way.' },
  { caseId: 'long', text: 'It takes five days.' },
  { caseId: 'field', text: '{"queue": "billing", "note": "x"}' },
  { caseId: 'amount', text: '{"total": 12}' },
  { caseId: 'strong', text: 'shipped on 3 June' },
];

describe('assertions check', () => {
  test("finds none of the project's own suites weak", { tags: ['slow'] }, async () => {
    const cwd = join(import.meta.dirname, '../../..');
    const { code, stdout } = await runCli(['assertions', 'check', '--from', 'recordings'], { cwd });
    expect(stdout).toContain('STRONG');
    expect(code).toBe(0);
    expect(stdout).not.toContain('not measured');
  });

  test('names each weak case with what it let pass, and each check that failed for nothing', async () => {
    const { code, suite, weak } = await check(openProject(weakCases, weakAnswers));
    expect(code).toBe(1);
    expect(suite).toMatchObject({ suite: 'weak', source: 'evals/answers.jsonl', measured: 5, unmeasured: [] });
    expect(weak).toEqual({
      vacuous: ['appended', 'emptied', 'hedged', 'negated', 'prefixed', 'refusal', 'swapped', 'truncated'],
      long: ['appended', 'hedged', 'negated', 'prefixed', 'refusal', 'swapped', 'truncated'],
      field: ['field-dropped'],
      amount: ['number-changed'],
    });
    expect(suite.weakCases.map(({ at }) => at.line)).toEqual([6, 7, 8, 9]);
    expect(suite.weakCases[2]?.survivors).toEqual([{ mutation: 'field-dropped', detail: 'without $.note' }]);
    expect(suite.weakChecks).toEqual([{ check: 'not', assertion: 'not', cases: 1 }]);
    expect(suite.mutants).toBe(suite.caught + suite.weakCases.flatMap(({ survivors }) => survivors).length);
  });

  test('says it in words', async () => {
    const { stdout } = await openProject(weakCases, weakAnswers).run(['assertions', 'check']);
    expect(stdout).toContain(
      'weak case field · v1 × mini (evals/weak.eval.yaml:8) still passes with\n    field-dropped: without $.note',
    );
    expect(stdout).toContain('weak check not: failed for no wrong answer of the 1 case that has it');
    expect(stdout).toMatch(/WEAK: 4 cases and 1 check \(exit code 1\)\n$/);
  });

  test('leaves what its other checks let pass to the judge of a case, and says how much', async () => {
    const cases = '  - { id: judged, vars: { q: a }, assert: [{ regex: "." }, { rubric: It is polite. }] }\n';
    const judges = 'judges: [{ id: strict, use: openai:gpt-4o }]\n';
    const project = openProject(cases, [{ caseId: 'judged', text: 'Your refund is on its way.' }], judges);
    const { suite, weak } = await check(project);
    const left = suite.mutants - suite.caught;
    expect([left > 0, weak]).toEqual([true, {}]);
    expect((await project.run(['assertions', 'check'])).stdout).toContain(
      `${suite.caught} of ${suite.mutants} wrong answers caught, ${left} that only a judge could catch (no judge is called here)`,
    );
  });

  test('leaves out the kinds that are skipped', async () => {
    const project = openProject(weakCases, weakAnswers);
    const kinds = 'swapped,emptied,truncated,refusal,number-changed,negated,hedged,appended,prefixed';
    const { weak, suite } = await check(project, ['--skip', kinds]);
    expect(weak).toEqual({ field: ['field-dropped'] });
    expect(suite.kinds.map(({ mutation }) => mutation)).toEqual(['field-dropped']);
  });

  test('a check that only looks for a word lets a negation, a hedge and a retraction pass', async () => {
    const cases = (check: string) => `  - { id: a, vars: { q: a }, expected: billing, assert: [${check}] }
  - { id: b, vars: { q: b }, expected: legal, assert: [${check}] }
`;
    const answers = [
      { caseId: 'a', text: 'billing' },
      { caseId: 'b', text: 'legal' },
    ];
    const loose = await check(openProject(cases('{ contains: "{{ expected }}" }'), answers));
    expect(loose.weak).toEqual({
      a: ['appended', 'hedged', 'negated', 'prefixed'],
      b: ['appended', 'hedged', 'negated', 'prefixed'],
    });
    expect(loose.suite.weakCases[0]?.survivors.map(({ detail }) => detail)).toContain('"billing or legal"');
    expect(loose.suite.kinds).toContainEqual({ mutation: 'hedged', mutants: 2, caught: 0 });
    expect(loose.suite.kinds).toContainEqual({ mutation: 'swapped', mutants: 2, caught: 2 });
    const anchored = await check(openProject(cases('{ regex: "^{{ expected }}" }'), answers));
    expect(anchored.weak).toEqual({ a: ['appended', 'hedged'], b: ['appended', 'hedged'] });
    const strict = openProject(cases('{ equals: "{{ expected }}" }'), answers);
    expect((await check(strict)).weak).toEqual({});
    const { stdout } = await strict.run(['assertions', 'check', '--skip', 'refusal,emptied']);
    expect(stdout).toContain(
      'STRONG against wrong answers (swapped, truncated, negated, hedged, appended, prefixed): every case and every check noticed (exit code 0)',
    );
  });

  test('a value of JSON is hedged by that of another case', async () => {
    const schema = '{ json: true }, { regex: "billing|legal" }';
    const cases = ['a', 'b'].map((id) => `  - { id: ${id}, vars: { q: ${id} }, assert: [${schema}] }\n`).join('');
    const answers = [
      { caseId: 'a', text: '{"queue": "billing", "urgent": true}' },
      { caseId: 'b', text: '{"queue": "legal", "urgent": false}' },
    ];
    const { suite } = await check(openProject(cases, answers));
    const details = suite.weakCases[0]?.survivors.map(({ mutation, detail }) => `${mutation}: ${detail}`);
    expect(details).toEqual(
      expect.arrayContaining(['hedged: "billing or legal" at $.queue', 'negated: false at $.urgent']),
    );
  });

  test('does not hold the answer of a case with the same golden answer against a case, nor one of many others', async () => {
    const checks = '{ contains: "{{ expected }}" }, { not: { contains: not } }, { length: { max: 20 } }';
    const cases = `  - { id: a, vars: { q: a }, expected: billing, assert: [${checks}] }
  - { id: b, vars: { q: b }, expected: billing, assert: [${checks}] }
`;
    const answers = [
      { caseId: 'a', text: 'to: billing' },
      { caseId: 'b', text: 'goes to billing' },
    ];
    const { code, suite } = await check(openProject(cases, answers));
    expect([code, suite.weakCases, suite.weakChecks]).toEqual([0, [], []]);
  });

  test('a case that takes some answers of other cases is weak only where it takes them all', async () => {
    const project = openProject(
      `  - { id: a, vars: { q: a }, assert: [{ regex: "^(red|blue)$" }] }
  - { id: b, vars: { q: b }, assert: [{ equals: blue }] }
  - { id: c, vars: { q: c }, assert: [{ equals: green }] }
`,
      [
        { caseId: 'a', text: 'red' },
        { caseId: 'b', text: 'blue' },
        { caseId: 'c', text: 'green' },
      ],
    );
    const only = ['--skip', 'negated,hedged,appended,prefixed,truncated,refusal,emptied'];
    const { code, suite } = await check(project, only);
    expect([code, suite.weakCases, suite.kinds]).toEqual([0, [], [{ mutation: 'swapped', mutants: 6, caught: 5 }]]);
    project.write(
      'evals/weak.eval.yaml',
      project.read('evals/weak.eval.yaml').replace('^(red|blue)$', '^(red|blue|green)$'),
    );
    const all = await check(project, only);
    expect(all.weak).toEqual({ a: ['swapped'] });
    expect(all.suite.weakCases[0]?.survivors.map(({ detail }) => detail)).toEqual([
      'the answer to b',
      'the answer to c',
    ]);
  });

  test('takes the latest run first, then the baseline, then recordings; a named one alone', async () => {
    const project = openProject(weakCases, weakAnswers);
    const sources = async (flags: readonly string[] = []) => (await check(project, flags)).suite.source;
    expect(await sources()).toBe('evals/answers.jsonl');
    // Answers that were written by hand have no hash yet.
    expect((await project.run(['cache', 'import', 'evals/answers.jsonl'])).code).toBe(0);
    expect((await project.run(['run'])).code).toBe(0);
    const id = /^run (.+)$/.exec(String(await sources()))?.[1] ?? '';
    expect(await sources(['--run', id])).toBe(`run ${id}`);
    await project.run(['baseline', 'accept']);
    expect(await sources(['--from', 'baseline'])).toBe('evals/weak.baseline.jsonl');
    expect(await sources(['--from', 'recordings'])).toBe('evals/answers.jsonl');
  });

  test('measures each prompt on each of its providers by its own answers, and none that another one replaces', async () => {
    const project = openTempProject();
    project.write(
      'evals/many.eval.yaml',
      `prompts:
  - { id: old, text: "{{ q }}" }
  - { id: new, text: "{{ q }}!", replaces: old }
providers: [{ id: mini, use: "openai:gpt-4o-mini" }, { id: maxi, use: "openai:gpt-4o" }]
recordings: answers.jsonl
cases:
  - { id: a, vars: { q: a }, assert: [{ contains: ok }] }
  - { id: b, vars: { q: b }, assert: [{ contains: ok }] }
`,
    );
    const lines = [
      ['old', 'mini', 'a', 'ok'],
      ['new', 'mini', 'a', 'no'],
      ['new', 'mini', 'a', 'ok one'],
      ['new', 'maxi', 'b', 'ok two'],
      ['new', 'maxi', 'a', 'no'],
    ].map(([prompt, provider, caseId, text], trial) => {
      const completion = { text, toolCalls: [], finishReason: 'stop', latencyMs: 1 };
      return JSON.stringify({ format: 1, prompt, provider, caseId, trial, completion });
    });
    project.write('evals/answers.jsonl', `${lines.join('\n')}\n`);
    const { suite } = await check(project, ['--skip', 'negated,hedged,appended,prefixed,truncated,refusal,emptied']);
    expect(suite).toMatchObject({
      measured: 2,
      // Of maxi the stored answer to the other case is wrong here; of mini there is none.
      mutants: 1,
      caught: 1,
      weakCases: [],
      unmeasured: [
        { caseId: 'b', reason: 'no stored answer of it passes' },
        { caseId: 'a', reason: 'no stored answer of it passes' },
      ],
    });
  });

  test('says why a case is not measured', async () => {
    const judges = 'judges: [{ id: strict, use: openai:gpt-4o }]\n';
    const cases = `  - { id: judged, vars: { q: a }, assert: [{ rubric: It is polite. }] }
  - { id: watched, vars: { q: b }, observe: true, assert: [{ equals: x }] }
  - { id: left, vars: { q: b }, skip: later, assert: [{ equals: x }] }
  - { id: none, vars: { q: b }, assert: [{ equals: x }] }
`;
    const { suite } = await check(openProject(cases, [{ caseId: 'judged', text: 'Hello' }], judges));
    expect(suite.unmeasured).toEqual([
      { caseId: 'judged', reason: 'only a judge checks it' },
      { caseId: 'none', reason: 'no stored answer of it passes' },
    ]);
  });

  test.each([
    ['turns: [{ toolResult: { name: find, content: "1" } }]', 'Hello'],
    ['tools: { find: { when: { a: 1 }, returns: 1 } }', { text: 'Wait', toolCalls: [{ name: 'find', arguments: {} }] }],
  ])('takes no answer of a run whose conversation broke off: %s', { tags: 'slow' }, async (more, answer) => {
    const project = openProject(`  - { id: a, vars: { q: a }, ${more}, assert: [{ not: { contains: x } }] }\n`, []);
    const text = project.read('evals/weak.eval.yaml');
    const answers = text.replace('openai:gpt-4o-mini', 'module:answer.mjs').replace('recordings: answers.jsonl\n', '');
    project.write('evals/weak.eval.yaml', answers);
    project.write('evals/answer.mjs', `export default () => (${JSON.stringify(answer)});\n`);
    await project.run(['run']);
    const { code, suite } = await check(project);
    expect([code, suite.unmeasured]).toEqual([4, [{ caseId: 'a', reason: 'no stored answer of it passes' }]]);
  });

  test('measures nothing where no stored answer passes: exit code 4', async () => {
    const { code, suite } = await check(openProject(weakCases, [{ caseId: 'strong', text: 'no' }]));
    expect([code, suite.measured]).toEqual([4, 0]);
    expect(suite.unmeasured).toContainEqual({ caseId: 'strong', reason: 'no stored answer of it passes' });
  });

  test.each([
    [['--skip', 'swaped'], 'there is no swaped'],
    [['--run', 'x', '--from', 'baseline'], '--run goes with --from run'],
    [['--run', 'nothing'], 'there is no stored run "nothing"'],
  ])('refuses %j', async (flags, message) => {
    const { code, stderr } = await openProject(weakCases, weakAnswers).run(['assertions', 'check', ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test('a budget that is not known, a module and a snapshot are measured like the rest', { tags: 'slow' }, async () => {
    const project = openProject(
      `  - { id: own, vars: { q: a }, assert: [{ cost: { max: 1 } }, { module: check.mjs }] }
  - { id: kept, vars: { q: b }, assert: [{ snapshot: exact }] }
`,
      [
        { caseId: 'own', text: 'fine' },
        { caseId: 'kept', text: 'kept as it is' },
      ],
    );
    project.write('evals/check.mjs', "export default ({ text }) => ({ pass: text === 'fine' });");
    await project.run(['cache', 'import', 'evals/answers.jsonl']);
    await project.run(['run']);
    await project.run(['baseline', 'accept', '--force']);
    const { code, suite } = await check(project, ['--from', 'recordings']);
    expect([code, suite.measured, suite.weakCases, suite.weakChecks]).toEqual([0, 2, [], []]);
  });
});
