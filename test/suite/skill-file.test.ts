import { describe, expect, test } from 'vitest';
import { createProblems } from '../../src/suite/documents/locate.ts';
import { parseText } from '../../src/suite/documents/read-document.ts';
import { openProjectFiles } from '../../src/suite/files/project-files.ts';
import { findProject } from '../../src/suite/files/project-place.ts';
import { findSkill, isSkillSuite, placeSkill } from '../../src/suite/skills/skill-file.ts';
import { buildProvider } from '../support/build-case.ts';
import { openTempProject } from '../support/temp-project.ts';

const skillText = (name: string) => `---\nname: ${name}\ndescription: Does ${name}.\n---\n# ${name}\n`;
const evalsText = '{"skill_name": "mail", "evals": []}';

async function open(
  files: Readonly<Record<string, string>>,
  evals = 'mail/evals/evals.json',
  named: string | undefined = 'mail',
) {
  const project = openTempProject();
  for (const [path, text] of Object.entries({ [evals]: evalsText, ...files })) project.write(path, text);
  const problems = createProblems();
  const projectFiles = openProjectFiles(findProject(project.root), project.root);
  const path = project.path(evals);
  const document = parseText({ file: evals, folder: project.root }, evalsText, problems);
  if (document === undefined) throw new Error('the evals can be read');
  const skill = await findSkill(path, named, document, { files: projectFiles, problems });
  const place = (requests: readonly string[], providers = [buildProvider({ id: 'model' })]) => {
    if (skill === undefined) throw new Error('there is a skill');
    const context = {
      files: projectFiles,
      problems,
      config: { providers, judges: [] },
      suiteFolder: project.path('evals'),
    };
    return placeSkill(path, skill, { document, requests }, context);
  };
  return { project, skill, problems, place, said: () => problems.list().map(({ message }) => message) };
}

test.each([
  ['evals.json', true],
  ['a/Evals.JSON', true],
  ['trigger-eval.json', true],
  ['trigger_evals.json', true],
  ['my-evals.json', false],
  ['evals.yaml', false],
  ['evals.json.bak', false],
])('%s holds evals of a skill: %s', (path, is) => {
  expect(isSkillSuite(path)).toBe(is);
});

describe('the skill of evals', () => {
  test.each<[string, Readonly<Record<string, string>>, string | undefined]>([
    ['above their folder', { 'mail/SKILL.md': skillText('mail'), 'mail/evals/SKILL.md': skillText('beside') }, 'mail'],
    [
      'beside them',
      { 'mail/evals/SKILL.md': skillText('mail'), 'mail/skills/mail/SKILL.md': skillText('below') },
      'mail',
    ],
    [
      'by its name in skills',
      { 'mail/skills/mail/SKILL.md': skillText('mail'), 'mail/.claude/skills/mail/SKILL.md': skillText('agent') },
      'mail',
    ],
    [
      'by its name for an agent',
      { 'mail/.claude/skills/mail/SKILL.md': skillText('mail'), 'mail/mail/SKILL.md': skillText('below') },
      'mail',
    ],
    [
      'by its name alone',
      { 'mail/mail/SKILL.md': skillText('mail'), 'mail/skills/x/SKILL.md': skillText('x') },
      'mail',
    ],
    ['the only one of a plug-in', { 'mail/skills/other/SKILL.md': skillText('mail') }, 'mail'],
    ['none of two', { 'mail/skills/a/SKILL.md': skillText('a'), 'mail/skills/b/SKILL.md': skillText('b') }, undefined],
    ['none', {}, undefined],
  ])('is found %s', async (_, files, name) => {
    const { skill, said } = await open(files);
    expect(skill?.name).toBe(name);
    const absent =
      /^the SKILL\.md of these evals is not there: it was looked for in mail, mail\/evals, mail\/skills\/mail, /;
    expect(said().join('\n')).toMatch(name === undefined ? absent : /^$/);
  });

  test('is found in the plug-in that holds the evals themselves', async () => {
    const files = { 'mail/skills/post/SKILL.md': skillText('mail'), 'skills/x/SKILL.md': skillText('x') };
    const { skill, said } = await open(files, 'mail/evals.json');
    expect([skill?.name, said()]).toEqual(['mail', []]);
  });

  test('has its own name, which the evals should know, and its whole text', async () => {
    const { skill, said } = await open({ 'mail/SKILL.md': skillText('post') });
    expect(skill).toMatchObject({ name: 'post', description: 'Does post.', text: skillText('post') });
    expect(said()).toEqual(['skill_name is mail, and mail/SKILL.md is the skill post']);
    const plain = await open({ 'mail/SKILL.md': '# No head\n' });
    expect([plain.skill?.name, plain.skill?.description, plain.said()]).toEqual(['mail', '', []]);
    const nameless = await open({ 'mail/SKILL.md': '---\nname: [broken\n---\n' }, 'mail/evals/evals.json', '');
    expect(nameless.skill?.description).toBe('');
  });
});

describe('the files of a skill', () => {
  const agent = (workspace: string | true) =>
    buildProvider({ id: 'agent', adapter: 'exec', folder: '/nowhere', options: { workspace } });
  const files = {
    'mail/SKILL.md': skillText('mail'),
    'mail/scripts/run.py': 'print(1)',
    'mail/evals/answers.md': 'right',
    'mail/other.eval.yaml': 'x',
    'mail/llmcheck.config.yaml': '{}',
    'mail/trigger-evals.json': '[]',
  };

  test('are installed for agents where they look for skills, without what holds the answers', async () => {
    const { place } = await open(files);
    const models = [buildProvider({ id: 'model' })];
    expect(await place([], models)).toEqual({ agents: [], models: ['model'], workspace: {} });
    expect(await place([], [...models, agent(true)])).toEqual({
      agents: ['agent'],
      models: ['model'],
      workspace: {
        '.claude/skills/mail/SKILL.md': '../mail/SKILL.md',
        '.claude/skills/mail/scripts/run.py': '../mail/scripts/run.py',
        '.agents/skills/mail/SKILL.md': '../mail/SKILL.md',
        '.agents/skills/mail/scripts/run.py': '../mail/scripts/run.py',
      },
    });
  });

  test('are all beside its evals, but for these, where both are in one folder', async () => {
    const beside = { 'mail/SKILL.md': skillText('mail'), 'mail/scripts/run.py': 'print(1)' };
    const { place } = await open(beside, 'mail/evals.json');
    expect(Object.keys((await place([], [agent(true)])).workspace)).toEqual([
      '.claude/skills/mail/SKILL.md',
      '.claude/skills/mail/scripts/run.py',
      '.agents/skills/mail/SKILL.md',
      '.agents/skills/mail/scripts/run.py',
    ]);
  });

  test('are not those that report the evals', async () => {
    const [one, two] = ['Write a "kind" mail to Ann', 'Write an angry mail to Bob'];
    const reports = {
      ...files,
      'mail/both.md': `${one}\n${two}`,
      'mail/json.json': JSON.stringify([one, two]),
      'mail/one.md': two,
      'mail/short.md': 'Hi',
    };
    const { place, said } = await open(reports);
    const names = async (requests: readonly string[]) =>
      Object.keys((await place(requests, [agent(true)])).workspace).flatMap(
        (path) => /^\.claude\/skills\/mail\/([a-z]+)\.(?:md|json)$/.exec(path)?.[1] ?? [],
      );
    expect(await names([one, two])).toEqual(['one', 'short']);
    expect(said()).toHaveLength(2);
    // Of one long request alone, one is enough; short ones stand anywhere.
    expect(await names([two])).toEqual(['short']);
    expect(await names(['Hi'])).toEqual(['both', 'json', 'one', 'short']);
    expect(await names(['Hi', two])).toEqual(['short']);
  });

  test('must not be in the workspace of an agent already', async () => {
    const { place, said, project } = await open({ ...files, 'work/.agents/skills/mail/SKILL.md': 'x' });
    await place([], [{ ...agent('work'), folder: project.root }]);
    expect(said()).toEqual([
      'the workspace of provider "agent" has the skill already: work/.agents/skills/mail/SKILL.md',
    ]);
    const clean = await open(files);
    await clean.place([], [{ ...agent('work'), folder: clean.project.root }]);
    expect(clean.said()).toEqual([]);
  });
});
