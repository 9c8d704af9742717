import { expect, test } from 'vitest';
import { UserError } from '../../src/model/problem.ts';
import type { Case, PromptVersion, Suite } from '../../src/model/suite/suite.ts';
import { createAttachments, findAttached } from '../../src/plan/attachments.ts';
import type { Plan } from '../../src/plan/build-plan.ts';
import { compileTemplate } from '../../src/templates/template.ts';
import { buildCase, buildPrompt, buildProvider, buildSuite } from '../support/build-case.ts';
import { openTempProject, type TempProject } from '../support/temp-project.ts';

/** A prompt whose messages attach the files that these templates name. */
function attaching(id: string, ...attached: readonly (readonly string[])[]): PromptVersion {
  const template = { source: 'Look', variables: [], render: () => 'Look' };
  const messages = attached.map((paths) => ({
    role: 'user' as const,
    template,
    ...(paths.length === 0 ? {} : { attach: paths.map((path) => compileTemplate(path)) }),
  }));
  return buildPrompt({ id, messages });
}

const plain = attaching('plain', []);
const own = buildProvider({ id: 'own' });

function planOf(suites: readonly Suite[]): Plan {
  const planned = suites.map((suite) => ({
    suite,
    variants: suite.prompts.map((prompt) => ({ prompt, provider: own, params: {} })),
  }));
  return { suites: planned } as unknown as Plan;
}

const suiteOf = (prompts: readonly PromptVersion[], cases: readonly Case[], id = 'triage') =>
  buildSuite(cases, { id, path: `evals/${id}.eval.yaml`, prompts });

const at = (line: number) => ({ file: 'evals/triage.eval.yaml', line, column: 1 });
const seeing = (id: string, file: string, more: Partial<Case> = {}) => buildCase({ id, vars: { file }, ...more });

function problemsOf(project: TempProject, suites: readonly Suite[]): readonly string[] {
  const problems = createAttachments(project.root).findProblems(planOf(suites));
  return problems.map(({ code, message, at: place }) => `${place?.line} ${code}: ${message}`);
}

test('every file that a case of the plan names and that can’t be sent is a problem, at the last case that names it', () => {
  const project = openTempProject();
  project.write('evals/a.png', 'a');
  const both = attaching('both', [], ['{{ file }}', 'logo.png']);
  const cases = [
    seeing('a', 'a.png', { at: at(1) }),
    seeing('b', 'b.png', { at: at(2) }),
    seeing('text', 'notes.txt', { at: at(3) }),
    seeing('outside', '../../out.png', { at: at(4) }),
    seeing('elsewhere', 'c.png', { at: at(5), prompts: ['plain'] }),
    seeing('absolute', '/a.png', { at: at(6) }),
    buildCase({ id: 'without', vars: {}, at: at(7) }),
  ];
  expect(problemsOf(project, [suiteOf([plain], cases, 'none'), suiteOf([plain, both], cases)])).toMatchInlineSnapshot(`
    [
      "7 file-unreadable: attach: logo.png does not exist",
      "2 file-unreadable: attach: b.png does not exist",
      "3 invalid-value: attach: notes.txt is not an image, PDF or sound (.png, .jpg, .jpeg, .gif, .webp, .pdf, .wav, .mp3)",
      "4 file-unreadable: attach: ../../out.png does not exist",
      "6 file-unreadable: attach: /a.png does not exist",
    ]
  `);
});

test('a file is read once for a run, and a problem of two suites is one of each', () => {
  const project = openTempProject();
  const prompt = attaching('v1', ['{{ file }}']);
  const suites = ['one', 'two'].map((id) => suiteOf([prompt], [seeing('a', 'a.png', { at: at(1) })], id));
  expect(problemsOf(project, suites)).toHaveLength(2);
  project.write('evals/a.png', 'first');
  const attachments = createAttachments(project.root);
  const [suite = suiteOf([], [])] = suites;
  const first = attachments.describeFile(suite, 'a.png');
  expect(first).toMatchObject({ path: 'evals/a.png', mediaType: 'image/png', bytes: 5 });
  project.write('evals/a.png', 'another');
  expect(attachments.describeFile(suite, '../evals/a.png')).toBe(first);
  expect(createAttachments(project.root).describeFile(suite, 'a.png').bytes).toBe(7);
  expect(() => attachments.describeFile(suite, 'gone.png')).toThrow(UserError);
});

test('a prompt of the baseline is asked of the cases of its version', () => {
  const project = openTempProject();
  const accepted = { ...attaching('old', ['{{ file }}']), baselineOf: 'v1' };
  const cases = [
    seeing('a', 'a.png', { prompts: ['v1'], at: at(1) }),
    seeing('b', 'b.png', { prompts: ['old'], at: at(2) }),
  ];
  expect(problemsOf(project, [suiteOf([accepted], cases)])).toEqual([
    '1 file-unreadable: attach: a.png does not exist',
  ]);
});

test('the files that a suite sends along are those of all its prompts and cases', () => {
  const prompts = [plain, attaching('v1', ['{{ file }}', '{{ other }}']), attaching('v2', [], ['logo.png'])];
  const cases = [seeing('a', 'a.png'), seeing('b', '../b.png'), buildCase({ vars: { other: 'c.png' } })];
  expect([...findAttached(suiteOf(prompts, cases), '/project')]).toEqual([
    '/project/evals/a.png',
    '/project/evals/logo.png',
    '/project/b.png',
    '/project/evals/c.png',
  ]);
  expect(findAttached(suiteOf([plain], cases), '/project').size).toBe(0);
});

test.each([
  ['the template', 'a {{media url=photo}}', {}],
  ['one of its parts', 'a', { one: 'text', two: '{{~ media url=photo}}' }],
  ['none', 'a post in social media {{ mediaType }}', { one: 'text' }],
])(
  'a template of another language that names media in %s is rendered to see what it attaches',
  (where, source, partials) => {
    const template = { source, variables: [], language: { name: 'handlebars', partials }, render: () => '' };
    const messages = [
      { role: 'system' as const, template: { ...template, source: 'a', language: undefined } },
      { role: 'user' as const, template },
    ];
    const expand = () => [{ role: 'user', content: '', attach: ['x.png'] }];
    const prompt = { ...buildPrompt(), messages, expand } as unknown as PromptVersion;
    const found = [...findAttached(suiteOf([prompt], [buildCase()]), '/project')];
    expect(found).toEqual(where === 'none' ? [] : ['/project/evals/x.png']);
  },
);
