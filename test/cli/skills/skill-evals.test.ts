import { describe, expect, test } from 'vitest';
import { openTempProject, plannedTrialsOf, type TempProject, trialsOf } from '../../support/temp-project.ts';

/** An agent that works says so and shows what it was asked; an idle one says nothing. The judge believes what it reads. */
const agent = `input=$(cat)
printf '%s\\n' "$input" >> "\${0%/*}/asked.jsonl"
printf 'DONE '
printf '%s' "$input" | sed 's/.*"content":"\\(.*\\)/\\1/'
`;

const judge = `if grep -q '<<<answer [^>]*>>>\\\\nDONE'; then pass=true; else pass=false; fi
echo "{\\"reason\\":\\"as read\\",\\"pass\\":$pass}"
`;

function openSkills(mode: 'works' | 'idle', config = ''): TempProject {
  const project = openTempProject();
  project.write('agent.sh', mode === 'works' ? agent : 'cat > /dev/null\n');
  project.write('judge.sh', judge);
  const own = `providers: [{ id: agent, use: "exec:sh ${project.path('agent.sh')}" }]
judges: [{ id: judge, use: "exec:sh ${project.path('judge.sh')}" }]
`;
  project.write('llmcheck.config.yaml', config === '' ? own : config);
  return project;
}

function addSkill(project: TempProject, name: string, evals: unknown, text = `Work as ${name} does.`): string {
  const folder = `skills/${name}`;
  project.write(`${folder}/SKILL.md`, `---\nname: ${name}\ndescription: Use it for ${name}.\n---\n\n${text}\n`);
  project.write(`${folder}/evals/evals.json`, JSON.stringify(evals, null, 2));
  return `${folder}/evals/evals.json`;
}

/** The forms in which public repositories write them. */
const forms: Readonly<Record<string, unknown>> = {
  expectations: {
    skill_name: 'expectations',
    evals: [
      {
        id: 1,
        prompt: 'Review the report.',
        expected_output: 'A review.',
        files: [],
        expectations: ['It is short.', 'It is a list.'],
      },
    ],
  },
  'typed-texts': {
    skill_name: 'typed-texts',
    evals: [
      {
        id: 0,
        prompt: 'Close the account 0x12.',
        expected_output: 'A command.',
        files: [],
        assertions: [
          { id: 'short', text: 'Leads with the command', type: 'semantic' },
          { id: 'dry', text: 'Mentions --dry-run', type: 'string_match' },
        ],
      },
    ],
  },
  'plain-assertions': {
    skill_name: 'plain-assertions',
    evals: [
      {
        id: 1,
        prompt: 'Build a form.',
        expected_output: 'A form.',
        assertions: ['Labels are visible'],
        files: ['data/form.sql'],
      },
    ],
  },
  'output-only': {
    skill_name: 'output-only',
    evals: [{ id: 1, prompt: 'Plan a trip.', expected_output: 'A plan of three days.', files: [] }],
  },
  'named-assertions': {
    skill_name: 'named-assertions',
    evals: [
      {
        id: 0,
        name: 'onboarding',
        prompt: 'Redesign the onboarding.',
        expected_output: 'Four steps.',
        files: [],
        assertions: [{ name: 'has-4-steps', description: 'All 4 steps are there' }],
      },
    ],
  },
  'own-keys': {
    skill_name: 'own-keys',
    evals: [
      {
        id: 0,
        prompt: 'Convert cnt.vhd.',
        expected_output: 'A module.',
        files: [],
        must_have: ['module\\s+cnt'],
        manual_review_expected: true,
      },
    ],
  },
  'other-languages': {
    skill_name: 'other-languages',
    evals: [{ id: 1, prompt: '帮我整理今天的笔记。', expected_output: '两条笔记。', expect: '笔记是中文的' }],
  },
  remarks: {
    skill_name: 'remarks',
    _readme: ['Assertions use { text, passed, evidence }.'],
    version: '1.0.0',
    description: 'Trigger and behaviour.',
    evals: [
      { id: 1, prompt: 'Make a film.', expected_output: 'A brief.', assertions: ['Asks for a brief'], files: [] },
    ],
  },
  categories: {
    skill_name: 'categories',
    evals: [
      {
        id: 1,
        category: 'non-trigger',
        prompt: 'Write a hero section.',
        expected_output: 'The skill declines.',
        files: ['SKILL.md'],
      },
    ],
  },
  'kinds-of-checks': {
    skill_name: 'kinds-of-checks',
    evals: [
      {
        id: 0,
        name: 'mail',
        prompt: 'Write a mail.',
        files: [],
        assertions: [
          { text: 'Has one ask', kind: 'manual' },
          { text: 'No dashes', kind: 'script' },
        ],
      },
    ],
  },
  scorers: {
    skill_name: 'scorers',
    evals: [
      {
        id: 1,
        eval_name: 'rename',
        prompt: 'Rename {{ add }} to {% sum %}.',
        scorers: [
          { type: 'regex', name: 'renames', pattern: 'DONE Rename \\{\\{ add' },
          { type: 'llm_judge', name: 'no-grep', criterion: 'Does it avoid {{ grep }}?' },
          { type: 'regex', name: 'no-sed', pattern: '^(?![^]*sed )' },
          { type: 'regex', name: 'no-awk', pattern: 'DONE', negate: true, text: 'Does it avoid awk?' },
        ],
      },
    ],
  },
  behaviours: [
    {
      skills: ['behaviours'],
      query: 'Extract the text.',
      files: [],
      expected_behavior: ['Reads the file', 'Saves output.txt'],
    },
  ],
};

async function runAll(mode: 'works' | 'idle') {
  const project = openSkills(mode);
  const paths = Object.entries(forms).map(([name, evals]) =>
    addSkill(project, name, evals, 'Use {{ braces }} and {% tags %}.'),
  );
  project.write('skills/plain-assertions/data/form.sql', 'create table form ();');
  const { report, stderr, code } = await project.report(['run', ...paths, '--no-baseline']);
  return { project, report, stderr, code, trials: trialsOf(report) };
}

describe('evals of skills in twelve forms', { tags: 'slow' }, () => {
  test('run unchanged against an agent, with and without the skill', async () => {
    const { project, report, stderr, code, trials } = await runAll('works');
    expect(report.suites.map(({ suite }) => suite).toSorted()).toEqual(Object.keys(forms).toSorted());
    expect([code, new Set(trials.map(({ status }) => status))]).toEqual([0, new Set(['passed'])]);
    expect(stderr).toContain('"must_have" is not read, in 1 of 1 evals');
    expect(stderr).toContain('"manual_review_expected" is not read');
    const asked = project
      .read('asked.jsonl')
      .trim()
      .split('\n')
      .map(
        (line) => JSON.parse(line) as { suite: string; prompt: string; messages: { role: string; content: string }[] },
      );
    const systems = asked.map(({ prompt, messages }) => [
      prompt,
      messages.find(({ role }) => role === 'system')?.content,
    ]);
    const instructed = systems.filter(([, system]) => system?.includes('Use {{ braces }} and {% tags %}.') === true);
    expect(instructed).toEqual(systems.filter(([prompt]) => prompt === 'with-skill'));
    expect(systems.filter(([prompt, system]) => prompt === 'without-skill' && system !== undefined)).toEqual([]);
    expect(new Set(systems.map(([prompt]) => prompt))).toEqual(new Set(['with-skill', 'without-skill']));
    const promptOf = (suite: string) => asked.find((one) => one.suite === suite)?.messages.at(-1)?.content;
    expect(promptOf('scorers')).toBe('Rename {{ add }} to {% sum %}.');
    expect(promptOf('plain-assertions')).toBe(
      'Build a form.\n\n<file path="data/form.sql">\ncreate table form ();\n</file>',
    );
    // What is expected is in no request to the agent.
    expect(asked.filter(({ messages }) => JSON.stringify(messages).includes('A plan of three days'))).toEqual([]);
    const names = trials.find(({ suite }) => suite === 'scorers')?.checks.map(({ name }) => name);
    expect(names).toEqual(['renames', 'no-grep', 'no-sed', 'no-awk']);
  });

  test('an agent that does nothing passes none', async () => {
    const { code, trials } = await runAll('idle');
    expect(code).toBe(1);
    expect(trials.length).toBeGreaterThanOrEqual(24);
    expect(trials.flatMap(({ checks }) => checks.filter(({ pass }) => pass))).toEqual([]);
    expect(new Set(trials.map(({ status }) => status))).toEqual(new Set(['failed']));
  });
});

describe('an agent with a workspace', () => {
  /** Says what it finds: the files, by their paths, and the last message. */
  const looker = `import { readdirSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
const { messages } = JSON.parse(readFileSync(0, 'utf8'));
const files = readdirSync('.', { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
const content = existsSync('data/a.csv') ? readFileSync('data/a.csv', 'utf8') : 'no data';
console.log(JSON.stringify({ messages, content, files: files.map((one) => join(one.parentPath, one.name)).sort() }));
`;

  const data = {
    evals: [
      { id: 1, prompt: 'Sum a.', files: ['data/a.csv', 'SKILL.md'], assertions: [{ type: 'contains', value: '1;2' }] },
      {
        id: 2,
        prompt: 'Sum b.',
        files: [{ path: 'sums/data/b' }],
        assertions: [{ type: 'contains', value: 'b/c.csv' }],
      },
    ],
  };

  function openLooker(providers: string): { readonly project: TempProject; readonly path: string } {
    const project = openSkills('works', `providers: [${providers}]\n`);
    project.write('agent.mjs', looker);
    project.write('empty/.gitkeep', '');
    const path = addSkill(project, 'sums', data);
    project.write('skills/sums/scripts/sum.py', 'print(3)\n');
    project.write('skills/sums/data/a.csv', '1;2\n');
    project.write('skills/sums/data/b/c.csv', '3;4\n');
    return { project, path };
  }

  const agentIn = (project: string) => `{ id: agent, use: "exec:node agent.mjs", workspace: ${project} }`;

  test('finds the skill with it alone, and the files of the eval, but no right answer', { tags: 'slow' }, async () => {
    const { project, path } = openLooker(agentIn('empty'));
    const { report, stderr, code } = await project.report(['run', path, '--no-baseline', '--cache', 'off']);
    expect(code).toBe(0);
    expect(stderr).toContain('SKILL.md is a part of the skill');
    const seen = trialsOf(report).map(({ prompt, caseId, output }) => {
      const { files, messages } = JSON.parse(output ?? '') as {
        files: string[];
        messages: { role: string; content: string }[];
      };
      return { prompt, caseId, files, messages };
    });
    const filesOf = (prompt: string) => seen.find((one) => one.prompt === prompt && one.caseId === '1')?.files;
    const installed = ['.agents', '.claude'].flatMap((folder) =>
      ['SKILL.md', 'data/a.csv', 'data/b/c.csv', 'scripts/sum.py'].map((file) => `${folder}/skills/sums/${file}`),
    );
    expect(filesOf('without-skill')).toEqual(['.gitkeep', 'data/a.csv']);
    expect(filesOf('with-skill')).toEqual([...installed, '.gitkeep', 'data/a.csv'].sort());
    expect(seen.find(({ caseId }) => caseId === '2')?.files).toContain('sums/data/b/c.csv');
    // The text of the skill is not sent too: whether an agent loads it is its own decision.
    expect(new Set(seen.map(({ messages }) => messages.map(({ role }) => role).join()))).toEqual(new Set(['user']));
    expect(seen.find(({ caseId }) => caseId === '1')?.messages.at(-1)?.content).toBe(
      'Sum a.\n\nFiles in the working folder:\n- data/a.csv',
    );
  });

  test('finds no report of the evals, which shows what is right', async () => {
    const { project } = openLooker(agentIn('empty'));
    const request = 'Sum the column "b" of the table.';
    const path = addSkill(project, 'long', {
      evals: [{ id: 1, prompt: request, assertions: [{ type: 'contains', value: 'files' }] }],
    });
    project.write('skills/long/notes.md', 'Sum the column\n');
    project.write('skills/long/report.json', JSON.stringify({ cases: [{ input: request, reason: 'It is 7.' }] }));
    project.write('skills/long/report.md', `- ${request}: It is 7.\n`);
    const { report, stderr } = await project.report(['run', path, '--no-baseline', '--prompt', 'with-skill']);
    const [{ output } = {}] = trialsOf(report);
    expect(output).toContain('skills/long/notes.md');
    expect(output).not.toContain('report');
    expect(stderr).toContain('skills/long/report.json holds requests of the evals');
  });

  test('is asked again after a change of the skill, and without the skill is not', { tags: 'slow' }, async () => {
    const { project, path } = openLooker(agentIn('empty'));
    const argv = ['run', path, '--no-baseline'];
    await project.report(argv);
    project.write('skills/sums/scripts/sum.py', 'print(4)\n');
    const { report } = await project.report(argv);
    const cached = trialsOf(report).map(({ prompt, cached: isCached }) => [prompt, isCached]);
    expect(new Map(cached as [string, boolean][])).toEqual(
      new Map([
        ['with-skill', false],
        ['without-skill', true],
      ]),
    );
    const imported = await project.run(['import', 'skill-evals', path, '-o', 'evals/deep/sums.eval.yaml']);
    expect(imported.stderr).not.toContain('error');
    const again = await project.report(['run', 'evals/deep/sums.eval.yaml', '--no-baseline', '--cache', 'replay']);
    expect(again.code).toBe(0);
  });

  test('is asked beside a model, which is sent the text', { tags: 'slow' }, async () => {
    const { project, path } = openLooker(`{ id: model, use: "exec:node agent.mjs" }, ${agentIn('empty')}`);
    const { report } = await project.report(['run', path, '--no-baseline']);
    const asked = trialsOf(report).map(({ prompt, provider, output }) => [
      `${prompt} on ${provider}`,
      output?.includes('<file path=') === true,
    ]);
    expect(new Map(asked as [string, boolean][])).toEqual(
      new Map([
        ['without-skill on agent', false],
        ['with-skill on agent', false],
        ['without-skill-text on model', true],
        ['with-skill-text on model', true],
      ]),
    );
  });

  test('is refused where the skill is in its workspace anyway', async () => {
    const { project, path } = openLooker(agentIn('full'));
    project.write('full/.claude/skills/sums/SKILL.md', '');
    const { code, stderr } = await project.run(['validate', path]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('has the skill already: full/.claude/skills/sums')]);
  });
});

test('an eval that says nowhere what must hold is shown, and never passes', async () => {
  const project = openSkills('works');
  const path = addSkill(project, 'silent', {
    cases: [
      { id: 1, prompt: 'a' },
      { id: 2, prompt: 'b', expectations: ['c'] },
    ],
  });
  const { report } = await project.report(['run', path, '--no-baseline', '--prompt', 'with-skill']);
  expect(trialsOf(report).map(({ caseId, checks }) => [caseId, checks.length])).toEqual([
    ['1', 0],
    ['2', 1],
  ]);
  expect(report.totals).toMatchObject({ planned: 1, passed: 1, observed: 1 });
});

describe('mistakes in evals', () => {
  const evals = forms['expectations'];

  test('a config without providers or judges is named, once', async () => {
    const none = openSkills('works', 'gate: {}\n');
    const path = addSkill(none, 'expectations', evals);
    const missing = await none.run(['validate', path]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('add providers:');
    expect(missing.stderr).toContain('add judges:');
    expect(missing.stderr).toContain('2 errors');
    none.write('llmcheck.config.yaml', 'providers: ["replay:agent"]\n');
    const { code, stderr } = await none.run(['validate', path]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('a judge decides whether an expectation is met')]);
    expect(stderr).toContain('to llmcheck.config.yaml');
    expect(stderr).toContain('skills/expectations/evals/evals.json:4:5');
    expect(stderr).toContain('1 error');
  });

  test('a missing model takes from no eval what it expects', async () => {
    const project = openSkills('works', 'gate: {}\n');
    const path = addSkill(project, 'expected', { evals: [{ id: 1, prompt: 'a', expected_output: 'b' }] });
    const { code, stderr } = await project.run(['validate', path]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('add judges:')]);
    expect(stderr).not.toContain('says nowhere');
  });

  test('the folder of a skill in place of its evals is answered with their path', async () => {
    const project = openSkills('works');
    const path = addSkill(project, 'expectations', evals);
    const { code, stderr } = await project.run(['validate', 'skills/expectations']);
    expect([code, stderr]).toEqual([4, expect.stringContaining(`: write llmcheck run ${path}\n`)]);
  });

  test.each([
    ['no prompt', { evals: [{ id: 1, expectations: ['a'] }] }, 'the eval has no prompt'],
    ['a key that is misspelt', { evals: [{ id: 1, promt: 'a', expectations: ['a'] }] }, 'did you mean "prompt"?'],
    [
      'nothing expected',
      { evals: [{ id: 1, prompt: 'a' }] },
      'the eval says nowhere what must hold, so that its answer is shown and not judged',
    ],
    [
      'an empty expectation',
      { evals: [{ id: 1, prompt: 'a', expectations: [{ id: 'x' }] }] },
      'an item of expectations has no text',
    ],
    [
      'a missing file',
      { evals: [{ id: 1, prompt: 'a', files: ['no.mp4'], expectations: ['a'] }] },
      'the file no.mp4 of the eval is not there',
    ],
    [
      'a file outside',
      { evals: [{ id: 1, prompt: 'a', files: ['../../../../etc/passwd'], expectations: ['a'] }] },
      'is not there',
    ],
    [
      'should_trigger beside expectations, which are judged',
      { evals: [{ id: 1, prompt: 'a', should_trigger: true, expectations: ['a'] }] },
      '"should_trigger" is not read, in 1 of 1 evals',
    ],
    [
      'what is expected beside should_trigger alone',
      { evals: [{ id: 1, prompt: 'a', should_trigger: true, expected_output: 'b' }] },
      '"expected_output" is not read, in 1 of 1 evals',
    ],
    [
      'a flag that turns a check around',
      { evals: [{ id: 1, prompt: 'a', assertions: [{ type: 'regex', pattern: 'a', negate: true }] }] },
      'an item of assertions has no text',
    ],
    ['an empty list', { evals: [] }, 'the list of evals is empty'],
    ['another format', { prompts: [{ prompt: 'a' }] }, 'the file holds no list of evals'],
    ['two evals of one id', { evals: [1, 1].map((id) => ({ id, prompt: 'a', expectations: ['a'] })) }, 'id'],
    [
      'another name',
      { skill_name: 'other', evals: [{ id: 1, prompt: 'a', expectations: ['a'] }] },
      'skill_name is other',
    ],
  ])('%s is named at its place', async (_, written, message) => {
    const project = openSkills('works');
    const { stderr } = await project.run(['validate', addSkill(project, 'one', written)]);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/skills\/one\/evals\/evals\.json:\d+:\d+/);
  });

  test('evals without a SKILL.md are refused', async () => {
    const project = openSkills('works');
    project.write('evals/evals.json', JSON.stringify(evals));
    const { code, stderr } = await project.run(['validate', 'evals/evals.json']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('the SKILL.md of these evals is not there')]);
  });
});

describe('trigger evals', () => {
  const triggers = [
    { query: 'Merge two PDFs.', should_trigger: true },
    { query: 'Split this PDF.', should_trigger: true },
    { query: 'Write a poem.', should_trigger: false },
  ];

  /** Answers in one of the ways in which agents and models say which skill they load. */
  function openTriggers(program: string): TempProject {
    const project = openSkills('works');
    addSkill(project, 'pdf', forms['expectations']);
    project.write('skills/pdf/evals/trigger-eval.json', JSON.stringify({ skill_name: 'pdf', queries: triggers }));
    project.write('agent.sh', `input=$(cat)\n${program}\n`);
    return project;
  }

  const run = async (program: string) => {
    const { report, code } = await openTriggers(program).report([
      'run',
      'skills/pdf/evals/trigger-eval.json',
      '--no-baseline',
    ]);
    return { code, statuses: plannedTrialsOf(report).map(({ status }) => status), text: JSON.stringify(report) };
  };

  test('count which requests load the skill, by the answer of a model', { tags: 'slow' }, async () => {
    const { code, statuses, text } = await run(
      `case $input in *'- pdf: Use it for pdf.'*) ;; *) exit 1 ;; esac
case $input in *Merge*) echo '{"skill":"pdf"}' ;; *) echo '{"skill":"none"}' ;; esac`,
    );
    expect([code, statuses]).toEqual([1, ['passed', 'failed', 'passed']]);
    expect(text).toContain('"classes"');
  });

  test.each([
    ['its tool', { name: 'Skill', arguments: { skill: 'my-plugin:pdf' } }],
    ['its file', { name: 'Read', arguments: { file_path: '/repo/.claude/skills/pdf/SKILL.md' } }],
  ])('and by the steps of an agent that loads it by %s', async (_, call) => {
    const answerOf = (toolCalls: readonly object[]): string =>
      JSON.stringify({ text: 'Done.', steps: [{ toolCalls }, { text: 'Done.' }] });
    const { code, statuses } = await run(
      `case $input in *PDF*) echo '${answerOf([{ ...call, result: 'ok' }])}' ;; *) echo '${answerOf([])}' ;; esac`,
    );
    expect([code, statuses]).toEqual([0, ['passed', 'passed', 'passed']]);
  });

  test.each([
    ['no step', { text: '', steps: [] }],
    ['a step without a word', { text: ' ', steps: [{ text: '' }] }],
    ['no token', { text: 'Done.', steps: [{ text: 'Done.' }], usage: { inputTokens: 0, outputTokens: 0 } }],
  ])('an agent that does nothing, with %s, decides none of them', async (_, answer) => {
    const { code, statuses } = await run(`echo '${JSON.stringify(answer)}'`);
    expect([code, new Set(statuses)]).toEqual([3, new Set(['errored'])]);
  });

  test('an agent that says nothing of skills passes none', { tags: 'slow' }, async () => {
    const { code, statuses } = await run('echo Done.');
    expect(code).not.toBe(0);
    expect(new Set(statuses)).toEqual(new Set(['failed']));
  });
});

describe('import skill-evals', () => {
  test.each(['evals', 'trigger-eval'])('writes %s.json as a suite that runs alike', { tags: 'slow' }, async (file) => {
    const project = openSkills('works');
    const path = addSkill(project, 'scorers', forms['scorers'], 'Use {{ braces }}.');
    project.write(
      'skills/scorers/evals/trigger-eval.json',
      '[{ "query": "Rename {{ it }}.", "should_trigger": true }]',
    );
    const source = path.replace('evals.json', `${file}.json`);
    const written = await project.run(['import', 'skill-evals', source, '-o', 'evals/scorers.eval.yaml']);
    expect([written.code, written.stderr]).toEqual([0, '']);
    const asStands = await project.report(['run', source, '--no-baseline', '--cache', 'off']);
    const asSuite = await project.report(['run', 'evals/scorers.eval.yaml', '--no-baseline', '--cache', 'off']);
    const verdicts = ({ report }: typeof asSuite) =>
      // The agent says its trial's number, and two runs number their fresh trials apart.
      plannedTrialsOf(report).map(({ prompt, caseId, status, checks }) => [
        prompt,
        caseId,
        status,
        checks.map(({ reason }) => reason),
      ]);
    expect(verdicts(asSuite)).toEqual(verdicts(asStands));
    expect(verdicts(asSuite).length).toBeGreaterThan(0);
  });

  test('refuses what can not be run, and writes nothing', async () => {
    const project = openSkills('works', 'providers: ["replay:agent"]\n');
    const path = addSkill(project, 'one', forms['expectations']);
    const { code, stderr } = await project.run(['import', 'skill-evals', path]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('add judges')]);
    expect(project.files('evals')).toEqual([]);
  });
});

test('a judge sees the files that an agent left in its workspace, and their absence', { tags: 'slow' }, async () => {
  const project = openSkills('works');
  project.write('shop/cart.mjs', 'export const sum = 0;\n');
  project.write(
    'agent.mjs',
    `import { readFileSync, writeFileSync } from 'node:fs';
const { caseId } = JSON.parse(readFileSync(0, 'utf8'));
if (caseId === '1') writeFileSync('cart.mjs', 'export const sum = 42;\\n');
console.log('All done.');
`,
  );
  project.write(
    'judge.mjs',
    `import { readFileSync } from 'node:fs';
const { messages } = JSON.parse(readFileSync(0, 'utf8'));
const files = /<<<files \\w+>>>\\n([\\s\\S]*?)\\n<<<end of files/.exec(messages.at(-1).content)?.[1] ?? '';
console.log(JSON.stringify({ reason: files, pass: files.includes('changed cart.mjs:') && files.includes('42') }));
`,
  );
  project.write(
    'llmcheck.config.yaml',
    `providers: [{ id: agent, use: "exec:node ${project.path('agent.mjs')}", workspace: shop }]
judges: [{ id: judge, use: "exec:node ${project.path('judge.mjs')}" }]
`,
  );
  const path = addSkill(project, 'fix', {
    evals: [1, 2].map((id) => ({ id, prompt: `Fix ${id}`, expectations: ['The sum is 42.'] })),
  });
  const { report } = await project.report(['run', path, '--no-baseline', '--prompt', 'with-skill']);
  const found = plannedTrialsOf(report).map(({ caseId, status, checks }) => [caseId, status, checks[0]?.reason]);
  expect(found).toEqual([
    ['1', 'passed', expect.stringContaining('42')],
    ['2', 'failed', expect.stringContaining('no file was changed')],
  ]);
});
