import { describe, expect, test } from 'vitest';
import { startChatServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';
import {
  type BaselineProject,
  baselineFile,
  firstWords,
  openBaselineProject,
  otherAddress,
  suiteFile,
} from './baseline-project.ts';

const provider = 'use: openai:';

/** How sure a run on the cache is that nothing got worse, after `edit`. */
async function certaintyAfter(
  prepare: string,
  edit: (project: BaselineProject) => void | Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const project = await openBaselineProject();
  if (prepare !== '') project.edit(suiteFile, provider, `${prepare}\n    ${provider}`);
  const env = { ...project.server.env, OWN_KEY: 'a-key-0123456789', OWN_MODEL: 'one' };
  await project.run(['run'], { env });
  await project.run(['baseline', 'accept'], { env });
  const { report, code } = await project.compared(['run'], { env: { ...env, ...edit(project) } });
  expect(code).toBe(0);
  return report.decision.certainty?.kind;
}

describe('a run whose answers are those of the baseline is unchanged', () => {
  test.each<[string, string, (project: BaselineProject) => void | Readonly<Record<string, string>>]>([
    ['where nothing was edited', '', () => undefined],
    ['where a header is the same', 'headers: { X-Model: one }', () => undefined],
    [
      'where a header has the same value, written otherwise',
      'headers: { X-Model: one }',
      (project) => {
        project.edit(suiteFile, 'X-Model: one', 'x-model: "one"');
      },
    ],
    [
      'where limits and prices were edited',
      '',
      (project) => {
        project.edit(
          suiteFile,
          provider,
          `limits: { concurrency: 2 }\n    price: { input: 1, output: 1 }\n    ${provider}`,
        );
      },
    ],
    ['where a key was replaced', 'headers: { X-Api-Key: { env: OWN_KEY } }', () => ({ OWN_KEY: 'another-key-12345' })],
  ])('%s', async (_name, prepare, edit) => {
    expect(await certaintyAfter(prepare, edit)).toBe('unchanged');
  });

  test.each<[string, string, (project: BaselineProject) => void | Readonly<Record<string, string>>]>([
    [
      'a header was added',
      '',
      (project) => project.edit(suiteFile, provider, `headers: { X-Model: other }\n    ${provider}`),
    ],
    [
      'a header was edited',
      'headers: { X-Model: one }',
      (project) => project.edit(suiteFile, 'X-Model: one', 'X-Model: two'),
    ],
    [
      'a header was removed',
      'headers: { X-Model: one }',
      (project) => project.edit(suiteFile, 'headers: { X-Model: one }\n    ', ''),
    ],
    [
      'the variable of a header has another value',
      'headers: { X-Model: { env: OWN_MODEL } }',
      () => ({ OWN_MODEL: 'two' }),
    ],
    [
      'the variable of a key is another one',
      'apiKeyEnv: OPENAI_API_KEY',
      (project) => {
        project.edit(suiteFile, 'apiKeyEnv: OPENAI_API_KEY', 'apiKeyEnv: OTHER_API_KEY');
        return { OTHER_API_KEY: 'sk-other-0123456789' };
      },
    ],
    [
      'OPENAI_BASE_URL has another value',
      '',
      (project) => ({
        OPENAI_BASE_URL: otherAddress(project),
      }),
    ],
    [
      'the base URL of the suite is another one',
      '',
      (project) => {
        const other = otherAddress(project);
        project.edit(suiteFile, provider, `baseURL: ${other}\n    apiKeyEnv: OPENAI_API_KEY\n    ${provider}`);
      },
    ],
    ['a parameter was edited', '', (project) => project.editPrompt()],
    [
      'a tool was added',
      '',
      (project) => {
        const tool = '{ type: function, function: { name: find, parameters: { type: object } } }';
        project.edit(suiteFile, 'params: {', `params: { tools: [${tool}],`);
      },
    ],
    [
      'the baseline does not say which adapter asked',
      '',
      (project) => {
        project.write(baselineFile, project.read(baselineFile).replace(/"adapterVersion":"[^"]+",/, ''));
      },
    ],
    [
      'the address was edited in the baseline',
      '',
      (project) => {
        project.write(
          baselineFile,
          project.read(baselineFile).replace(/"baseUrl":"[^"]+"/, '"baseUrl":"https://example.com"'),
        );
      },
    ],
  ])('but not where %s', async (_name, prepare, edit) => {
    expect(await certaintyAfter(prepare, edit)).toBe('unseen');
  });

  test('and a drop under another header on old answers is no drift', async () => {
    const project = await openBaselineProject();
    project.edit(suiteFile, provider, `headers: { X-Model: first }\n    ${provider}`);
    await project.acceptUnchanged();
    project.edit(suiteFile, 'X-Model: first', 'X-Model: other');
    project.answers.set('w03', 'sorry');
    const run = await project.compared(['run', '--cache', 'refresh']);
    expect([run.code, run.codes, run.named]).toEqual([1, ['case-broken'], ['case-03']]);
    expect(run.report.decision.warnings.join()).not.toContain('nothing that is sent has changed');
  });

  test('nor where a case drops under another OPENAI_BASE_URL', async () => {
    const project = await openBaselineProject();
    await project.acceptUnchanged();
    project.answers.set('w03', 'sorry');
    const OPENAI_BASE_URL = otherAddress(project);
    const run = await project.compared(['run'], { env: { OPENAI_BASE_URL } });
    expect([run.code, run.codes, run.named]).toEqual([1, ['case-broken'], ['case-03']]);
    expect(run.comparison.residue.join()).toContain('base URL: ');
  });
});

describe('answers of other settings', () => {
  const header = (project: BaselineProject, value: string) =>
    project.edit(suiteFile, /(headers: .*\n {4})?use: openai:/, `headers: { X-Model: ${value} }\n    ${provider}`);

  test('are asked for again, and the old ones are still there', async () => {
    const project = await openBaselineProject();
    header(project, 'one');
    await project.acceptUnchanged();
    const cached = async () => (await project.compared(['run'])).report.totals.cached;
    expect(await cached()).toBe(20);
    header(project, 'two');
    expect(await cached()).toBe(0);
    header(project, 'one');
    expect(await cached()).toBe(20);
  });

  test('are not pooled, and a part of them accepted does not stand for all', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    header(project, 'one');
    await project.acceptUnchanged();
    header(project, 'two');
    await project.acceptUnchanged('--cache', 'refresh', '-t', 'words/case-01');
    const rows = project.read(baselineFile).trim().split('\n').slice(2);
    expect(rows.filter((row) => row.includes('"pooled"'))).toEqual([]);
    expect(rows.filter((row) => row.includes('"otherVariant":true'))).toHaveLength(19);
    const run = await project.compared(['run']);
    expect(run.report.decision.certainty?.kind).toBe('unseen');
    project.answers.set('w03', 'sorry');
    const broken = await project.compared(['run', '--cache', 'refresh']);
    expect([broken.code, broken.named]).toEqual([1, ['case-03']]);
  });

  test('that a resumed run keeps are neither unchanged, nor accepted as those of now', { tags: ['slow'] }, async () => {
    const project = await openBaselineProject();
    header(project, 'two');
    await project.acceptUnchanged();
    header(project, 'one');
    await project.compared(['run', '--cache', 'refresh']);
    const file = project.files('.llmcheck/runs').at(-1) ?? '';
    const lines = project.read(file).trim().split('\n');
    project.write(file, `${lines.slice(0, 11).join('\n')}\n`);
    header(project, 'two');
    const resumed = await project.compared(['run', '--resume', '--require-conclusive']);
    expect([resumed.code, resumed.report.decision.certainty?.kind]).toEqual([4, 'unseen']);
    await project.llmcheck('baseline', 'accept');
    const later = await project.compared(['run']);
    expect(later.report.decision.certainty?.kind).toBe('unseen');
    await project.acceptUnchanged('--cache', 'refresh');
    expect((await project.compared(['run'])).report.decision.certainty?.kind).toBe('unchanged');
  });

  test('of a judge make a case a redefined one', async () => {
    const project = openTempProject();
    let verdict = true;
    const server = await startChatServer(({ model, text }) =>
      model === 'judge' ? JSON.stringify({ reason: 'So.', pass: verdict }) : text,
    );
    const { env } = server;
    const write = (value: string) =>
      project.write(
        'evals/judged.eval.yaml',
        `prompts: [{ id: v1, text: "{{ word }}" }]
providers: [{ id: mini, use: "openai:mini" }]
judges: [{ id: strict, use: "openai:judge", headers: { X-Model: ${value} } }]
defaults: { assert: [{ rubric: It is a word. }] }
cases: [{ id: one, vars: { word: one } }, { id: two, vars: { word: two } }]
`,
      );
    write('one');
    await project.run(['run'], { env });
    await project.run(['baseline', 'accept'], { env });
    const same = await project.report(['run'], { env });
    expect([same.code, same.report.decision.certainty?.kind]).toEqual([0, 'unchanged']);
    write('two');
    verdict = false;
    const edited = await project.report(['run', '--cache', 'refresh'], { env });
    expect([edited.code, edited.report.decision.outcome]).toEqual([1, 'failed']);
    expect(edited.report.decision.warnings.join()).not.toContain('nothing that is sent has changed');
  });
});

describe('code of the project', () => {
  const module = (more: string) => `export default ({ messages }) => ({ text: messages.at(-1).content });${more}\n`;
  const program = (more: string) => `process.stdin.on('data', (part) => {
    process.stdout.write(JSON.parse(String(part)).messages.at(-1).content);
  });${more}\n`;

  test.each([
    ['module:answer.mjs', module, 'unchanged'],
    ['exec:node answer.mjs', program, 'unchanged'],
  ])('%s is unchanged as long as its file is', { tags: ['slow'] }, async (use, code, kind) => {
    const project = openTempProject();
    project.write('evals/answer.mjs', code(''));
    const cases = firstWords(2).map((word) => `  - { id: ${word}, vars: { word: ${word} } }\n`);
    project.write(
      'evals/own.eval.yaml',
      `prompts: [{ id: v1, text: "{{ word }}" }]
providers: [{ id: app, use: "${use}" }]
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
${cases.join('')}`,
    );
    const env = { PATH: process.env['PATH'] ?? '' };
    const first = await project.run(['run'], { env });
    expect([first.code, first.stdout]).toEqual([0, expect.any(String)]);
    await project.run(['baseline', 'accept'], { env });
    const same = await project.report(['run'], { env });
    expect(same.report.decision.certainty?.kind).toBe(kind);
    project.write('evals/answer.mjs', code(' // edited'));
    const edited = await project.report(['run'], { env });
    expect([edited.code, edited.report.decision.certainty?.kind]).toEqual([0, 'unseen']);
  });
});
