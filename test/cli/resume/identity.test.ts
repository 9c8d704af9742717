import { describe, expect, test } from 'vitest';
import type { RecordRow } from '../../../src/model/run/deciding-lines.ts';
import { startJudgeServer, verdict } from '../../support/judge-server.ts';
import { openTempProject, type TempProject, withoutTimes } from '../../support/temp-project.ts';

/** Five cells: each case once, `red` a second time. */
const suite = `suite: echo
prompts:
  - { id: v1, text: "Say: {{ word }}" }
providers:
  - id: mini
    use: openai:gpt-4o-mini
    params: { max_tokens: 20 }
    headers: { X-Team: evals }
    limits: { concurrency: 4, timeout: 30s }
    price: { input: 1, output: 2 }
judges:
  - { id: strict, use: openai:gpt-4o, params: { temperature: 0 } }
gate: { confirm: { budget: 0 } }
cases:
  - id: red
    vars: { word: red }
    tags: [warm]
    trials: 2
    expected: red
    assert: [{ equals: "{{expected}}" }]
  - id: green
    vars: { word: green }
    assert: [{ contains: green }, { length: { max: 9 }, weight: 2 }]
    threshold: 0.5
  - id: kind
    vars: { word: kind }
    assert: [{ rubric: { value: The answer is kind., votes: 1 } }]
  - id: odd
    vars: { word: odd }
    assert: [{ contains: even }]
`;
const all = ['green', 'kind', 'odd', 'red', 'red'];

interface Change {
  /** The suite of the second half, given that of the first. */
  readonly edit?: (text: string) => string;
  readonly prepare?: (project: TempProject) => void;
  readonly argv?: readonly string[];
  readonly env?: (url: string) => Readonly<Record<string, string>>;
}

const replace =
  (from: string, to: string): NonNullable<Change['edit']> =>
  (text) => {
    if (!text.includes(from)) throw new Error(`nothing to replace: ${from}`);
    return text.replaceAll(from, to);
  };

const [head = '', ...cases] = suite.split(/^(?= {2}- id: (?:red|green|kind|odd)$)/m);

/** What is changed between a run and its resumption, and the cases that are asked for again. */
const table: readonly (readonly [name: string, change: Change, asked: readonly string[]])[] = [
  ['nothing', {}, []],
  ['prompt text', { edit: replace('Say: {{ word }}', 'Say:  {{ word }}') }, all],
  ['prompt id', { edit: replace('id: v1', 'id: v2') }, all],
  ['provider id', { edit: replace('id: mini', 'id: small') }, all],
  ['model', { edit: replace('openai:gpt-4o-mini', 'openai:gpt-4.1-mini') }, all],
  ['the base URL', { env: (url) => ({ OPENAI_BASE_URL: `${url}/other/v1` }) }, all],
  ['a param', { edit: replace('max_tokens: 20', 'max_tokens: 21') }, all],
  ['a var', { edit: replace('{ word: green }', '{ word: greener }') }, ['green']],
  ['a case id', { edit: replace('id: green', 'id: verdant') }, ['verdant']],
  ['the golden answer', { edit: replace('expected: red', 'expected: reddish') }, ['red', 'red']],
  ['one trial more', { edit: replace('trials: 2', 'trials: 3') }, ['red']],
  ['one trial less', { edit: replace('trials: 2', 'trials: 1') }, []],
  ['a check', { edit: replace('contains: green', 'contains: gree') }, ['green']],
  ['the weight of a check', { edit: replace('weight: 2', 'weight: 3') }, ['green']],
  ['the threshold', { edit: replace('threshold: 0.5', 'threshold: 0.6') }, ['green']],
  ['the words of a rubric', { edit: replace('answer is kind.', 'answer is very kind.') }, ['kind']],
  ['votes of a judge', { edit: replace('votes: 1', 'votes: 3') }, ['kind']],
  ['the model of a judge', { edit: replace('use: openai:gpt-4o,', 'use: openai:gpt-4.1,') }, ['kind']],
  ['params of a judge', { edit: replace('temperature: 0', 'temperature: 1') }, ['kind']],
  ['a contract', { edit: (text) => `${text}contract: { output: { type: string } }\n` }, all],
  ['mustPass', { edit: replace('trials: 2', 'trials: 2\n    mustPass: true') }, ['red', 'red']],
  ['observe', { edit: replace('trials: 2', 'trials: 2\n    observe: true') }, ['red', 'red']],
  ['a group', { edit: replace('trials: 2', 'trials: 2\n    group: doc-12') }, ['red', 'red']],
  ['a new case', { edit: (text) => `${text}${(cases[1] ?? '').replace('id: green', 'id: new')}` }, ['new']],
  ['a case that is gone', { edit: () => [head, ...cases.slice(1)].join('') }, []],
  ['a skipped case', { edit: replace('trials: 2', 'trials: 2\n    skip: later') }, []],
  ['tags', { edit: replace('tags: [warm]', 'tags: [cold]') }, []],
  ['a description', { edit: replace('trials: 2', 'trials: 2\n    description: The first.') }, []],
  ['the order of cases', { edit: () => [head, ...cases.toReversed()].join('') }, []],
  ['the order of keys', { edit: replace('{ max: 9 }, weight: 2', '{ max: 9 }, weight: 2.0') }, []],
  ['comments and lines', { edit: (text) => text.replace('cases:', '# these\n\n\ncases:') }, []],
  ['a header', { edit: replace('X-Team: evals', 'X-Team: others') }, all],
  ['limits', { edit: replace('concurrency: 4, timeout: 30s', 'concurrency: 2, timeout: 20s, retries: 1') }, []],
  ['concurrency', { argv: ['-j', '1'] }, []],
  ['the API key', { env: () => ({ OPENAI_API_KEY: 'sk-test-another-key-0123' }) }, []],
  ['the name of the key', { edit: replace('X-Team: evals }', 'X-Team: evals }\n    apiKeyEnv: OTHER_KEY') }, []],
  ['the gate', { edit: replace('budget: 0 }', 'budget: 0 }, passRate: { min: 0.1 }') }, []],
  [
    'the file of the cases',
    {
      edit: () => `${head}  - file: moved.yaml\n`,
      prepare: (project) => project.write('evals/moved.yaml', cases.join('')),
    },
    [],
  ],
  [
    'the version of llmcheck',
    {
      prepare(project) {
        const [record = ''] = project.files('.llmcheck/runs');
        project.write(record, project.read(record).replace(/"version":"[^"]+"/, '"version":"0.0.1"'));
      },
    },
    [],
  ],
];

describe('a resumed run asks again for what is another cell, whatever else changed', () => {
  test.each(table)('%s', async (_name, { edit = (text) => text, prepare, argv = [], env }, asked) => {
    const server = await startJudgeServer(() => verdict(true));
    const variables = { ...server.env, OTHER_KEY: 'sk-test-of-other-name', ...env?.(server.url) };
    const project = openTempProject();
    project.write('evals/echo.eval.yaml', suite);
    await project.report(['run', '--cache', 'off'], { env: server.env });

    project.write('evals/echo.eval.yaml', edit(suite));
    prepare?.(project);
    const resumed = await project.report(['run', '--resume', '--cache', 'off', ...argv], { env: variables });
    expect(askedCases(project)).toEqual(asked);

    // What a run from the start says of the suite as it stands now.
    const whole = await project.report(['run', '--cache', 'off', ...argv], { env: variables });
    expect(resumed.code).toBe(whole.code);
    expect(withoutTimes(resumed.report)).toEqual(withoutTimes(whole.report));
  });
});

/** The cases of the cells that ran after the only record was resumed. */
function askedCases(project: TempProject): readonly string[] {
  const [record = ''] = project.files('.llmcheck/runs');
  const rows = project
    .read(record)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as RecordRow);
  const resumedAt = rows.findIndex(({ type }) => type === 'resume');
  return rows
    .slice(resumedAt)
    .flatMap((row) => (row.type === 'cell' && row.status !== 'skipped' ? [row.caseId] : []))
    .sort();
}
