import { expect, test } from 'vitest';
import { commitAll, initRepository, runGit } from '../../support/git.ts';
import { openTempProject } from '../../support/temp-project.ts';

const suiteOf = (schema: string, more = '') => `prompts: [{ id: v1, text: "Say: {{ a }}" }]
providers: [openai:m]
contract: { output: ${schema} }
cases: [{ id: one, vars: { a: x }, observe: true }]
${more}`;

const [sound, broken, faulty] = ['{ enum: [a, b] }', '{ enum: [a, b, c] }', '{ type: strnig }'];

/** Two suites in a repository. */
function openSuites() {
  const project = openTempProject();
  const writeBoth = (a: string, b: string) => {
    project.write('evals/a.eval.yaml', suiteOf(a));
    project.write('evals/b.eval.yaml', suiteOf(b));
  };
  writeBoth(sound, sound);
  initRepository(project.root);
  const env = { PATH: process.env['PATH'] ?? '' };
  const check = async (...argv: string[]) => {
    const { code, stdout, stderr } = await project.run(
      ['contract', 'check', ...argv, '--against', 'git:HEAD', '-r', 'json'],
      { env },
    );
    const report = stdout === '' ? undefined : (JSON.parse(stdout) as Record<'findings' | 'notes', unknown[]>);
    return { code, stderr, findings: report?.findings.length, notes: report?.notes };
  };
  return { ...project, writeBoth, check };
}

test('the break of any suite counts, and every schema that can not be read is named', { tags: 'slow' }, async () => {
  const project = openSuites();
  expect(await project.check()).toMatchObject({ code: 0, findings: 0, notes: [] });
  project.writeBoth(broken, sound);
  expect(await project.check()).toMatchObject({ code: 1, findings: 1 });
  project.writeBoth(sound, broken);
  expect(await project.check()).toMatchObject({ code: 1, findings: 1 });
  project.writeBoth(faulty, faulty);
  const { code, stderr } = await project.check();
  expect(code).toBe(2);
  expect(stderr.match(/evals\/[ab]\.eval\.yaml:\d+/g)).toEqual(['evals/a.eval.yaml:3', 'evals/b.eval.yaml:3']);
});

test('a suite that is gone is no concern of a check of others, and a new one alone passes', async () => {
  const project = openSuites();
  project.write('evals/new.eval.yaml', suiteOf(sound));
  expect(await project.check('evals/new.eval.yaml')).toMatchObject({
    code: 0,
    findings: 0,
    notes: [expect.stringContaining('new: there is no such suite at git:HEAD')],
  });
  runGit(project.root, 'rm', '-q', 'evals/b.eval.yaml');
  expect(await project.check('evals/a.eval.yaml')).toMatchObject({ code: 0, notes: [] });
});

test('a suite with another id is found by its file', async () => {
  const project = openSuites();
  project.write('evals/a.eval.yaml', suiteOf(broken, 'suite: renamed\n'));
  expect(await project.check('evals/a.eval.yaml')).toMatchObject({ code: 1, findings: 1, notes: [] });
});

test('what is named and finds no suite makes the check incomplete, unless something breaks', {
  tags: 'slow',
}, async () => {
  const project = openSuites();
  const named = ['evals/a.eval.yaml', 'none/*.eval.yaml'];
  expect((await project.check(...named)).code).toBe(4);
  project.write('llmcheck.config.yaml', 'suites: [evals/*.eval.yaml, "none/*.eval.yaml"]\n');
  expect((await project.check()).code).toBe(0);
  project.write('llmcheck.config.yaml', 'suites: [evals/*.eval.yaml, none/one.eval.yaml]\n');
  commitAll(project.root);
  expect((await project.check()).code).toBe(4);
  project.writeBoth(broken, sound);
  expect((await project.check()).code).toBe(1);
  expect((await project.check(...named)).code).toBe(1);
});
