import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { makeBrokenPrompt, topicsOf } from '../../../bench/parts/broken-prompt.ts';
import { createRandom } from '../../../src/text/random.ts';
import { type ChatReply, type ChatServer, completionOf, startChatServer } from '../../support/chat-server.ts';
import { commitAll, initRepository, runGit } from '../../support/git.ts';
import { startJudgeServer } from '../../support/judge-server.ts';
import { prepareSpawn } from '../../support/spawn-cli.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const rules = Array.from({ length: 8 }, (_, index) => `Rule ${index + 1}: keep to point number ${index + 1}.`);
const v1 = `# Triage\n\nSort the mail into a queue.\n\n${rules.map((rule) => `- ${rule}`).join('\n')}\n\nMail: {{ mail }}\n`;
/** Changes six lines: two of them break the case. */
const v2 = v1
  .replace('Sort the mail into a queue.', 'Sort each mail into one queue. Be quick.')
  .replace('point number 2', 'item number 2')
  .replace('point number 4', 'refunds as legal matters')
  .replace('point number 6', 'item number 6')
  .replace('point number 7', 'brief answers, without a reason')
  .replace('\n- Rule 8: keep to point number 8.', '');

interface JsonBisect {
  readonly cases: readonly {
    readonly caseId: string;
    readonly verdict: string;
    readonly sentence: string;
    readonly why?: string;
    readonly probes: number;
    readonly sets: readonly { readonly hunks: readonly { readonly file?: { line: number } }[] }[];
  }[];
  readonly spent: { readonly trials: number; readonly cached: number; readonly usd: number | null };
}

/** A model that answers by what the prompt says. */
function serve(answer: (prompt: string, index: number) => ChatReply): Promise<ChatServer> {
  return startChatServer(({ body, index }) => answer(JSON.stringify(body), index));
}

const obedient = () => serve((prompt) => (prompt.includes('legal matters') ? 'legal' : 'billing'));

const refused = { status: 400, body: { error: { message: 'this prompt is not allowed' } } };

const versions = `  - { id: v1, file: ../prompts/v1.md }
  - { id: v2, file: ../prompts/v2.md, replaces: v1 }`;
const refund = '{ id: refund, vars: { mail: I want my money back }, assert: [{ equals: billing }] }';

interface Planted {
  readonly prompts?: string;
  readonly cases?: string;
  /** Further keys of the suite. */
  readonly keys?: string;
  readonly files?: Readonly<Record<string, string>>;
}

function openProject({ prompts = versions, cases = refund, keys = '', files = {} }: Planted = {}): TempProject {
  const project = openTempProject();
  const texts = { 'prompts/v1.md': v1, 'prompts/v2.md': v2, ...files };
  for (const [name, text] of Object.entries(texts)) project.write(name, text);
  const provider = '{ id: mini, use: openai:test-model, price: { input: 1, output: 1 }, params: { max_tokens: 100 } }';
  project.write('evals/triage.eval.yaml', `prompts:\n${prompts}\nproviders: [${provider}]\ncases: [${cases}]\n${keys}`);
  return project;
}

async function bisect(project: TempProject, { env }: Pick<ChatServer, 'env'>, ...argv: readonly string[]) {
  const named = argv.includes('--case') ? argv : ['--case', 'refund', ...argv];
  const result = await project.run(['bisect', '--json', ...named], { env });
  if (!result.stdout.startsWith('{')) throw new Error(`exit ${result.code}: ${result.stderr}`);
  const outcome = JSON.parse(result.stdout) as JsonBisect;
  const [first] = outcome.cases;
  if (first === undefined) throw new Error(`no case: ${result.stderr}`);
  return { ...result, ...outcome, ...first };
}

describe('bisect', () => {
  it('names the line that breaks a case, shows that the rest does not, and pays nothing twice', {
    tags: ['slow'],
  }, async () => {
    const server = await obedient();
    const project = openProject();
    const result = await project.run(['bisect', '--case', 'refund'], { env: server.env });
    expect(result.stdout).toContain(
      'Line 8 of prompts/v2.md alone breaks refund: 5 of 5 trials fail; without it v2 passes 5 of 5.',
    );
    expect(result.stdout).toContain('+ - Rule 4: keep to refunds as legal matters.');
    expect(result.code).toBe(0);
    const sent = server.requests.length;
    const again = await bisect(project, server, '--case', 'triage/refund');
    expect(server.requests.length).toBe(sent);
    expect(again.spent).toEqual({ trials: sent, cached: sent, usd: 0 });
  });

  it('reports lines that break a case only together as one set, and separate ones apart', {
    tags: ['slow'],
  }, async () => {
    const isBoth = (prompt: string) => prompt.includes('legal matters') && prompt.includes('brief answers');
    const both = await serve((prompt) => (isBoth(prompt) ? 'legal' : 'billing'));
    expect((await bisect(openProject(), both)).sentence).toBe(
      'Lines 8 and 11 of prompts/v2.md together break refund: 5 of 5 trials fail, and with no fewer of them; without them v2 passes 5 of 5.',
    );
    const isAny = (prompt: string) => prompt.includes('legal matters') || !prompt.includes('Rule 8');
    const either = await serve((prompt) => (isAny(prompt) ? 'legal' : 'billing'));
    const { sentence, sets } = await bisect(openProject(), either);
    expect(sets).toHaveLength(2);
    expect(sentence).toBe(
      'Line 8 of prompts/v2.md alone breaks refund: 5 of 5 trials fail. So does the removal of "- Rule 8: keep to point number 8." (line 12 of prompts/v1.md) alone: 5 of 5 trials fail; without them v2 passes 5 of 5.',
    );
  });

  it.each<readonly [string, Planted, (prompt: string) => boolean, string]>([
    [
      'a parameter',
      {
        prompts: `  - { id: v1, file: ../prompts/v1.md, params: { temperature: 0, top_p: 1 } }
  - { id: v2, file: ../prompts/v1.md, replaces: v1, params: { temperature: 1, top_p: 0.5 } }`,
      },
      (prompt) => prompt.includes('"temperature":1'),
      'params.temperature (0 → 1) alone breaks refund',
    ],
    [
      'a tool',
      {
        prompts: ['Sends it.', 'Sends it to legal.']
          .map((text, index) => {
            const tool = `{ type: function, function: { name: route, description: ${text}, parameters: { type: object } } }`;
            return `  - { id: v${index + 1}, file: ../prompts/v${index + 1}.md, replaces: v1, params: { tools: [${tool}] } }`;
          })
          .join('\n')
          .replace(', replaces: v1', ''),
      },
      (prompt) => prompt.includes('to legal.'),
      'tools.route.function.description alone breaks refund',
    ],
    [
      'a message',
      {
        prompts: `  - { id: v1, messages: [{ role: system, content: Sort it. }, { role: user, content: "{{ mail }}" }] }
  - { id: v2, replaces: v1, messages: [{ role: system, content: Sort it. }, { role: assistant, content: Ready. }, { role: user, content: "{{ mail }}" }] }`,
      },
      (prompt) => prompt.includes('Ready.'),
      'Line 3 of evals/triage.eval.yaml alone breaks refund',
    ],
    [
      'two files',
      {
        prompts: ['1', '2']
          .map((of) => {
            const file = (name: string) => `{ role: ${name}, file: ../prompts/${name}${of}.md }`;
            return `  - { id: v${of}, replaces: v1, messages: [${file('system')}, ${file('user')}] }`;
          })
          .join('\n')
          .replace(', replaces: v1', ''),
        files: {
          'prompts/system1.md': 'Sort it.\nBe kind.',
          'prompts/system2.md': 'Sort it.\nBe quick and legal.',
          'prompts/user1.md': 'The mail:\n\n{{ mail }}',
          'prompts/user2.md': 'Here it is:\n\n{{ mail }}\n\nAnswer at once.',
        },
      },
      (prompt) => prompt.includes('quick and legal') && prompt.includes('at once'),
      'Line 2 of prompts/system2.md and line 5 of prompts/user2.md together break refund',
    ],
    [
      'a partial',
      {
        prompts: `  - { id: v1, file: ../old/triage.prompt }
  - { id: v2, file: ../new/triage.prompt, replaces: v1 }`,
        files: {
          'old/triage.prompt': '{{role "system"}}\nSort it.\n{{> rules}}\n{{role "user"}}\n{{mail}}\n',
          'old/_rules.prompt': 'Be kind.\nTake your time.\n',
          'new/triage.prompt': '{{role "system"}}\nSort it well.\n{{> rules}}\n{{role "user"}}\n{{mail}}\n',
          'new/_rules.prompt': 'Be kind.\nTake it to legal.\n',
        },
      },
      (prompt) => prompt.includes('to legal'),
      'Line 2 of new/_rules.prompt alone breaks refund',
    ],
    [
      'a prompt that was written in another language of templates',
      {
        prompts: `  - { id: v1, file: ../prompts/v1.md }
  - { id: v2, file: ../prompts/v2.prompt, replaces: v1 }`,
        files: { 'prompts/v2.prompt': v2.replace('{{ mail }}', '{{mail}}') },
      },
      (prompt) => prompt.includes('legal matters'),
      'The text "- Rule 4: keep to refunds as legal matters." alone breaks refund',
    ],
    [
      'a block of a template, whose ends make no prompt alone',
      {
        files: {
          'prompts/v2.md': v1
            .replace('Sort the mail into a queue.', '{% if mail %}\nSort the mail into a queue.')
            .replace('\nMail:', '\nEverything is legal matters.\n{% endif %}\nMail:'),
        },
      },
      (prompt) => prompt.includes('legal matters'),
      'Line 15 of prompts/v2.md alone breaks refund',
    ],
  ])('finds %s', async (_name, planted, fails, blamed) => {
    const server = await serve((prompt) => (fails(prompt) ? 'legal' : 'billing'));
    const { sentence, code, verdict } = await bisect(openProject(planted), server);
    expect(sentence).toContain(`${blamed}: 5 of 5 trials fail`);
    expect(sentence).toMatch(/; without (?:it|them) v2 passes 5 of 5\.$/);
    expect([verdict, code]).toEqual(['found', 0]);
  });
});

describe('bisect blames nothing', () => {
  it.each<readonly [string, Planted, (prompt: string, index: number) => ChatReply, object, string]>([
    [
      'where the earlier prompt fails too',
      {},
      () => 'legal',
      { verdict: 'failed-before', code: 0 },
      'fails with v1 as well: 5 of 5 trials fail',
    ],
    [
      'where the case passes again',
      {},
      () => 'billing',
      { verdict: 'passes', code: 0 },
      'does not fail with v2: 5 of 5 trials pass',
    ],
    [
      'where both prompts are the same',
      { files: { 'prompts/v2.md': v1 } },
      () => 'legal',
      { verdict: 'same', code: 0, probes: 0 },
      'Nothing that v2 sends differs from v1.',
    ],
    [
      'where the case is too flaky',
      {},
      (_prompt, index) => (index % 2 === 0 ? 'legal' : 'billing'),
      { verdict: 'undecided', code: 4, sets: [] },
      'with the prompt of today, it fails 13 of 25 trials',
    ],
    [
      'where the provider stops to answer',
      {},
      (prompt, index) =>
        index >= 12
          ? { status: 401, body: { error: { message: 'no more' } } }
          : prompt.includes('legal matters')
            ? 'legal'
            : 'billing',
      { verdict: 'undecided', code: 3, sets: [] },
      'Undecided: ',
    ],
    [
      'where stored answers alone answer the suite',
      { keys: 'recordings: answers.jsonl\n', files: { 'evals/answers.jsonl': '' } },
      () => 'legal',
      { verdict: 'undecided', code: 4, probes: 0 },
      '--cache use asks its provider',
    ],
    [
      'where nothing was accepted',
      { prompts: '  - { id: v2, file: ../prompts/v2.md }' },
      () => 'legal',
      { verdict: 'undecided', code: 4, probes: 0 },
      'nothing was accepted, and no version replaces another',
    ],
  ])('%s', async (_name, planted, answer, expected, said) => {
    const result = await bisect(openProject(planted), await serve(answer));
    expect(result).toMatchObject(expected);
    expect(result.sentence).toContain(said);
  });

  it('where it is interrupted, and goes on later', async () => {
    let interrupt = (): void => {};
    const server = await serve((prompt, index) => {
      if (index === 12) interrupt();
      return prompt.includes('legal matters') ? 'legal' : 'billing';
    });
    const project = openProject();
    const onReady = (signal: (name: 'SIGINT') => void): void => {
      interrupt = () => signal('SIGINT');
    };
    const stopped = await project.run(['bisect', '--case', 'refund'], { env: server.env, onReady });
    expect([stopped.code, stopped.stdout]).toEqual([130, expect.stringContaining('Undecided: the search was stopped')]);
    const found = await bisect(project, server);
    expect([found.verdict, found.spent.cached >= 10]).toEqual(['found', true]);
  });

  it('once the budget is used up, and says what is known by then', async () => {
    const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
    const server = await serve((prompt) => {
      const text = prompt.includes('legal matters') ? 'legal' : 'billing';
      return { body: { ...completionOf(text), usage } };
    });
    const project = openProject();
    const result = await bisect(project, server, '--max-cost', '0.02');
    expect(result).toMatchObject({ verdict: 'undecided', code: 4, sets: [] });
    expect(result.sentence).toMatch(/^Undecided: --max-cost is used up\. The cause is among /);
    // With more money it goes on where it was.
    const sent = server.requests.length;
    const found = await bisect(project, server);
    expect(found).toMatchObject({ verdict: 'found', code: 0 });
    expect(found.spent.cached).toBe(sent);
  });
});

describe('what the change is compared with', () => {
  it.each<readonly [string, readonly string[], string]>([
    ['the prompt of a commit', ['--from', 'git:main'], 'Line 8 of prompts/v2.md'],
    ['another prompt of the suite', ['--from', 'v1'], 'Line 8 of prompts/v2.md'],
    ['a prompt file', ['--from', 'prompts/v1.md'], 'Line 8 of prompts/v2.md'],
    ['the accepted baseline', [], 'Line 8 of prompts/v2.md'],
    ['a baseline file', ['--from', 'evals/triage.baseline.jsonl'], 'Line 8 of prompts/v2.md'],
  ])('may be %s', async (_name, argv, blamed) => {
    const server = await obedient();
    const versionsOf = argv.includes('v1')
      ? versions.replace(', replaces: v1', '')
      : '  - { id: v2, file: ../prompts/v2.md }';
    const project = openProject({ prompts: versionsOf, files: { 'prompts/v2.md': v1 } });
    const accepted = await project.run(['run', '--update-baseline', '-q'], { env: server.env });
    expect(accepted.code).toBe(0);
    initRepository(project.root);
    project.write('prompts/v2.md', v2);
    const { sentence, code } = await bisect(project, server, ...argv);
    expect(sentence).toMatch(
      new RegExp(`^${blamed} alone breaks refund: 5 of 5 trials fail; without it v2 passes 5 of 5`),
    );
    expect(code).toBe(0);
  });
});

describe('a search', () => {
  it('of several cases tries first what broke the others, and shares the error', async () => {
    const server = await obedient();
    const project = openProject({ cases: `${refund}, ${refund.replaceAll('refund', 'invoice')}` });
    await project.run(['run', '-q'], { env: server.env });
    const { stdout } = await project.run(['bisect', '--json'], { env: server.env });
    const { cases } = JSON.parse(stdout) as JsonBisect;
    expect(cases.map(({ sentence }) => sentence)).toEqual([
      expect.stringContaining('breaks refund: 6 of 6 trials fail'),
      expect.stringContaining('breaks invoice: 6 of 6 trials fail'),
    ]);
    // Both prompts, the line alone, and the change without it.
    expect(cases[1]?.probes).toBe(4);
    expect(cases[0]?.probes).toBeGreaterThan(4);
  });

  it('bounds by --dry-run what it sends, and then sends nothing', async () => {
    const server = await serve((prompt, index) =>
      prompt.includes('legal matters') === (index % 4 !== 0) ? 'legal' : 'billing',
    );
    const project = openProject();
    const { stdout, code } = await project.run(['bisect', '--case', 'refund', '--dry-run'], { env: server.env });
    const [, calls = '', usd = ''] = /7 hunks: at most 22 prompts, (\d+) calls, at most \$([\d.]+)/.exec(stdout) ?? [];
    expect([code, server.requests.length]).toEqual([0, 0]);
    const { spent } = await bisect(project, server);
    expect(server.requests.length).toBeLessThanOrEqual(Number(calls));
    expect(spent.usd).toBeLessThanOrEqual(Number(usd));
    expect(spent.usd).toBeGreaterThan(0);
  });

  it('reads a prompt in code as what it makes for the case, and takes a version that is not selected', {
    tags: ['slow'],
  }, async () => {
    const server = await obedient();
    const code = (text: string) =>
      `export default ({ mail }) => ${JSON.stringify(text)}.replace('{{ mail }}', mail);\n`;
    const project = openProject({
      prompts: '  - { id: v2, module: ../prompts/v2.mjs }',
      files: { 'prompts/v2.mjs': code(v1) },
    });
    await project.run(['run', '--update-baseline', '-q'], { env: server.env });
    project.write('prompts/v2.mjs', code(v2));
    expect((await bisect(project, server)).sentence).toMatch(
      /^The text "- Rule 4: keep to refunds as legal matters\." alone breaks refund: 5 of 5 .* without it v2 passes 5 of 5\.$/,
    );
    const selected = await bisect(openProject(), server, '--prompt', 'v2');
    expect(selected.sentence).toContain('Line 8 of prompts/v2.md alone breaks refund');
  });

  it.each(['headers: { x-team: a }', 'structured: true', 'baseURL: "http://127.0.0.1:1"'])(
    'does not acquit the change where the provider has %s too',
    async (setting) => {
      const server = await serve(() => 'legal');
      const project = openProject();
      initRepository(project.root);
      const suite = project.read('evals/triage.eval.yaml');
      project.write('evals/triage.eval.yaml', suite.replace('id: mini,', `id: mini, ${setting},`));
      const { code, sentence } = await bisect(project, server, '--from', 'git:main');
      expect([code, sentence]).toEqual([4, expect.stringContaining('other settings of provider "mini" have changed')]);
    },
  );

  it('asks no model without a price where --max-cost holds, such as that of another time', async () => {
    const server = await obedient();
    const project = openProject();
    const suite = project.read('evals/triage.eval.yaml');
    project.write('evals/triage.eval.yaml', suite.replace('test-model', 'old-model'));
    initRepository(project.root);
    project.write('evals/triage.eval.yaml', suite);
    const { code, why } = await bisect(project, server, '--from', 'git:main', '--max-cost', '9');
    expect([code, why]).toEqual([4, "no price is known for old-model, so --max-cost can't be held"]);
    expect(server.requests).toEqual([]);
  });

  it('refuses cases that are skipped or unknown together, and asks nothing', async () => {
    const server = await obedient();
    const project = openProject({ cases: refund.replace('vars:', 'skip: later, vars:') });
    const { code, stderr } = await project.run(['bisect', '--case', 'refund', '--case', 'other'], { env: server.env });
    expect([code, server.requests]).toEqual([2, []]);
    expect(stderr).toContain('--case refund: the case is skipped');
    expect(stderr).toContain('--case other: no suite has it');
    expect(stderr).toContain('remove its `skip` to search it');
  });

  it('says where a named case runs on none of the selected prompts', async () => {
    const server = await obedient();
    const project = openProject({ cases: refund.replace('vars:', 'prompts: [v2], vars:') });
    const { code, stderr } = await project.run(['bisect', '--case', 'refund', '--prompt', 'v1'], { env: server.env });
    expect([code, server.requests]).toEqual([4, []]);
    expect(stderr).toContain('the named cases run on none of the selected prompts and providers');
  });

  it('does not acquit the change where other files are put into the workspace', async () => {
    const project = openProject();
    project.write('evals/shop/order.json', '{}');
    project.write(
      'evals/triage.eval.yaml',
      `prompts:\n${versions.replace('replaces: v1', 'replaces: v1, workspace: { rules.md: ../prompts/v2.md }')}
providers: [{ id: agent, use: "exec:node agent.mjs", workspace: shop }]\ncases: [${refund}]\n`,
    );
    for (const from of [[], ['--from', 'v1']]) {
      const { code, why, probes } = await bisect(project, { env: {} }, ...from);
      expect([code, why, probes]).toEqual([4, expect.stringContaining('into its workspace are others'), 0]);
    }
  });

  it('does not acquit the change where a file that the prompt attaches has changed', { tags: ['slow'] }, async () => {
    const prompts = '  - { id: v2, messages: [{ role: user, content: "{{ mail }}", attach: [plan.png] }] }';
    const project = openProject({ prompts });
    writeFileSync(project.path('evals/plan.png'), Buffer.from('89ff', 'hex'));
    initRepository(project.root);
    writeFileSync(project.path('evals/plan.png'), Buffer.from('89fe', 'hex'));
    for (const commits of [[], ['--commits']]) {
      const { code, why, probes } = await bisect(project, { env: {} }, ...commits, '--from', 'git:HEAD');
      expect([code, why, probes]).toEqual([4, expect.stringContaining('plan.png that it attached has changed'), 0]);
    }
  });

  it('skips prompts that the API refuses, and says what could not be distinguished', async () => {
    // Refuses any prompt with one of two sentences and not the other.
    const server = await serve((prompt) => {
      if (prompt.includes('Be quick') !== prompt.includes('refunds as legal')) return refused;
      return prompt.includes('refunds as legal') ? 'legal' : 'billing';
    });
    const { verdict, sentence } = await bisect(openProject(), server);
    expect(verdict).toBe('found');
    expect(sentence).toMatch(
      /^Lines 3[^;]* and 8 of prompts\/v2\.md alone break refund: 5 of 5 trials fail, and they could not be told apart; without them v2 passes 5 of 5\.$/,
    );
  });

  it('says what it knows where the change without the cause makes no prompt', async () => {
    const text = (mail: string) => `Sort it.\n\n${mail}\n\nMail: {{ mail }}\n`;
    const project = openProject({
      files: {
        'prompts/v1.md': text('Be kind.'),
        // Two lines need the first one, so that no one of them can be left out.
        'prompts/v2.md': text('Be kind.\n{% assign queue = mail %}\nLegal: {{ queue }}.\n{{ queue }} is the queue.'),
      },
    });
    const server = await serve((prompt) => (prompt.includes('Legal:') ? 'legal' : 'billing'));
    const { code, sentence } = await bisect(project, server);
    expect(code).toBe(4);
    expect(sentence).toMatch(
      /^Undecided: the change without it can't be judged: .* no valid prompt\. Known so far: lines 4–5 of prompts\/v2\.md alone break refund: 5 of 5 trials fail, and they could not be told apart\.$/,
    );
  });

  it('asks the judges of a case', async () => {
    const judge = await startJudgeServer(
      ({ parts }) => JSON.stringify({ reason: 'read', pass: parts['answer'] !== 'legal' }),
      (text) => (text.includes('legal matters') ? 'legal' : 'billing'),
    );
    const project = openProject({
      cases: '{ id: refund, vars: { mail: money }, assert: [{ rubric: It names a queue for money. }] }',
      keys: 'judges: [openai:gpt-4o]\n',
    });
    expect((await bisect(project, judge)).sentence).toContain('Line 8 of prompts/v2.md alone breaks refund: 5 of 5');
    expect(judge.judged.length).toBeGreaterThan(5);
  });

  it('names a case that is not there, and needs one where no run failed', async () => {
    const project = openProject();
    const unknown = await project.run(['bisect', '--case', 'refunds']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('did you mean "refund"?');
    expect((await project.run(['bisect'])).stderr).toContain('there is no stored run');
    const server = await serve(() => 'billing');
    await project.run(['run', '-q'], { env: server.env });
    const none = await project.run(['bisect'], { env: server.env });
    expect([none.code, none.stderr]).toEqual([4, expect.stringContaining('no case failed in the latest run')]);
  });

  it('finds what was planted in prompts at random, half of them with a flaky case', { tags: ['slow'] }, async () => {
    const random = createRandom(5);
    let prompt = makeBrokenPrompt(random, 'one', 12);
    let flake = 0;
    const server = await startChatServer(({ text }) => (prompt.fails(text) !== random() < flake ? 'legal' : 'billing'));
    for (const [index, kind] of (['one', 'one', 'two separate', 'two together'] as const).entries()) {
      prompt = makeBrokenPrompt(random, kind, 6 + 3 * index);
      flake = index % 2 === 0 ? 0 : 0.2;
      const project = openProject({ files: { 'prompts/v1.md': prompt.before, 'prompts/v2.md': prompt.after } });
      const { sets, probes } = await bisect(project, server);
      const topics = sets.map(({ hunks }) => topicsOf(JSON.stringify(hunks)).toSorted((a, b) => a - b));
      expect(topics.toSorted(([a = 0], [b = 0]) => a - b)).toEqual(prompt.planted);
      expect(probes).toBeLessThanOrEqual(4 * Math.log2(prompt.hunks) + 10);
    }
  });

  it('that was killed goes on without paying twice', { tags: 'slow' }, async () => {
    const spawn = prepareSpawn();
    let onHeld = (): void => {};
    const held = new Promise<void>((resolve) => {
      onHeld = resolve;
    });
    let isHeld = true;
    // The third round of trials waits for its answers when the process is killed.
    const server = await serve((prompt, index) => {
      if (isHeld && index === 14) onHeld();
      if (isHeld && index >= 10) return 'hang';
      return prompt.includes('legal matters') ? 'legal' : 'billing';
    });
    const project = openProject();
    const argv = ['bisect', '--case', 'refund', '--json'];
    const killed = spawn(argv, { cwd: project.root, env: server.env });
    await held;
    killed.child.kill('SIGKILL');
    await killed.ended;
    isHeld = false;
    const { ended } = spawn(argv, { cwd: project.root, env: server.env });
    const outcome = JSON.parse((await ended).stdout) as JsonBisect;
    expect(outcome.cases[0]?.verdict).toBe('found');
    expect(outcome.spent.cached).toBe(10);
    expect(server.requests.length).toBe(outcome.spent.trials + 5);
  });
});

describe('bisect --commits', () => {
  async function openHistory(): Promise<{ server: ChatServer; project: TempProject; commits: readonly string[] }> {
    const server = await obedient();
    const project = openProject({ prompts: '  - { id: v2, file: ../prompts/v2.md }', files: { 'prompts/v2.md': v1 } });
    project.write('.gitignore', '.llmcheck/\n');
    initRepository(project.root);
    runGit(project.root, 'tag', 'start');
    const edits: readonly (readonly [string, string])[] = [
      ['number 2', 'number two'],
      ['point number 4', 'refunds as legal matters'],
      ['number 6', 'number six'],
      ['number 7', 'number seven'],
    ];
    const commits = edits.map(([from, to]) => {
      project.write('prompts/v2.md', project.read('prompts/v2.md').replace(from, to));
      project.write('notes.md', to);
      return commitAll(project.root, `Say ${to}`);
    });
    return { server, project, commits };
  }

  it('names the commit, and the line of it, within its bound', { tags: ['slow'] }, async () => {
    const { server, project, commits } = await openHistory();
    const argv = ['--commits', '--from', 'git:start'];
    const { stdout } = await project.run(['bisect', '--case', 'refund', '--json', '--dry-run', ...argv], {
      env: server.env,
    });
    expect(server.requests).toHaveLength(0);
    const short = commits[1]?.slice(0, 12) ?? '';
    const { sentence, code, spent, probes } = await bisect(project, server, ...argv);
    // Four versions: the two sides of the change that breaks the case are among them.
    expect(probes).toBe(4);
    expect([code, sentence]).toEqual([
      0,
      `Commit ${short} "Say refunds as legal matters" breaks refund. Line 8 of git:${short}:prompts/v2.md alone breaks refund: 5 of 5 trials fail; without it v2 passes 5 of 5.`,
    ]);
    const bound = JSON.parse(stdout) as { calls: number; usd: number; searches: readonly object[] };
    expect(bound.searches).toMatchObject([{ hunks: 1 }]);
    expect(spent.trials).toBeLessThanOrEqual(bound.calls);
    expect(spent.usd).toBeLessThanOrEqual(bound.usd);
  });

  it('names changes that are not committed, and blames nothing where the first commit fails', {
    tags: 'slow',
  }, async () => {
    const { server, project } = await openHistory();
    const argv = ['--commits', '--from'];
    expect((await bisect(project, server, ...argv, 'git:HEAD')).verdict).toBe('same');
    expect((await bisect(project, server, ...argv, 'git:HEAD~1')).sentence).toContain('fails with git:HEAD~1 as well');
    project.write('prompts/v2.md', project.read('prompts/v2.md').replace('refunds as legal matters', 'point number 4'));
    commitAll(project.root, 'Undo it');
    project.write('prompts/v2.md', project.read('prompts/v2.md').replace('number 3', 'number three, as legal matters'));
    expect((await bisect(project, server, ...argv, 'git:HEAD')).sentence).toMatch(
      /^Changes that are not committed break refund\. Line 7 of prompts\/v2\.md alone breaks refund: 5 of 5/,
    );
    const refused = await project.run(['bisect', '--commits', '--case', 'refund']);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--commits --from git:main')]);
  });

  it('passes over a commit whose suite can not be loaded, and says where the ref has no such prompt', {
    tags: ['slow'],
  }, async () => {
    const { server, project } = await openHistory();
    const path = 'evals/triage.eval.yaml';
    const suite = project.read(path);
    project.write(path, 'suite: [');
    commitAll(project.root, 'Break the suite');
    project.write(path, suite);
    project.write('prompts/v2.md', project.read('prompts/v2.md').replace('number 1', 'number one'));
    commitAll(project.root, 'Mend the suite');
    const argv = ['--commits', '--from'];
    expect(await bisect(project, server, ...argv, 'git:start')).toMatchObject({
      code: 0,
      sentence: expect.stringContaining('"Say refunds as legal matters" breaks refund'),
    });
    project.write(path, suite.replace('id: v2', 'id: v3'));
    expect(await bisect(project, server, ...argv, 'git:start')).toMatchObject({
      code: 4,
      sentence: expect.stringContaining('git:start has no earlier version of prompt "v3"'),
    });
  });
});

describe('ci github --blame', () => {
  async function openJob(edited = v2) {
    const server = await obedient();
    const project = openProject({ prompts: '  - { id: v2, file: ../prompts/v2.md }', files: { 'prompts/v2.md': v1 } });
    await project.run(['run', '--update-baseline', '-q'], { env: server.env });
    initRepository(project.root);
    project.write('prompts/v2.md', edited);
    const act = async (usd: string, args = '-q') => {
      const flags = ['--args', args, '-r', 'json=out.json', '-r', 'html=page.html', '-r', 'junit=junit.xml'];
      const env = { ...server.env, GITHUB_STEP_SUMMARY: project.path('summary.md') };
      return project.run(['ci', 'github', '--blame', usd, ...flags], { env });
    };
    return { server, project, act };
  }

  it('names the line in annotations, summary, page and reports, and the verdict stays', {
    tags: ['slow'],
  }, async () => {
    const { project, act } = await openJob();
    const { code, stdout, stderr } = await act('1');
    const sentence = 'Line 8 of prompts/v2.md alone breaks refund: 5 of 5 trials fail; without it v2 passes 5 of 5.';
    expect(code).toBe(1);
    expect(stderr).toContain(`bisect: ${sentence}`);
    expect(stdout).toContain(`::error file=prompts/v2.md,line=8,col=1,title=breaks refund (triage · v2)::${sentence}`);
    for (const file of ['summary.md', 'page.html', 'junit.xml'])
      expect(project.read(file)).toContain(sentence.slice(0, 40));
    const { suites } = JSON.parse(project.read('out.json')) as { suites: { cases: { blame?: object }[] }[] };
    expect(suites[0]?.cases[0]?.blame).toEqual({ sentence, at: { file: 'prompts/v2.md', line: 8, column: 1 } });
  });

  it('says why where it can say nothing, and asks nothing where nothing is broken', { tags: ['slow'] }, async () => {
    const { project, act } = await openJob();
    const short = await act('0.0001');
    expect([short.code, short.stderr]).toEqual([
      1,
      expect.stringContaining('bisect: Undecided: --max-cost is used up.'),
    ]);
    const suite = project.read('evals/triage.eval.yaml');
    project.write('evals/triage.eval.yaml', suite.replace('price: { input: 1, output: 1 }, ', ''));
    const unpriced = await act('1');
    expect([unpriced.code, unpriced.stderr]).toEqual([1, expect.stringContaining('the edits were not searched')]);
    expect((await act('none')).code).toBe(2);
    const sound = await openJob(v1);
    const { code, stderr } = await sound.act('1');
    expect([code, stderr]).toEqual([0, expect.not.stringContaining('bisect')]);
  });
});
