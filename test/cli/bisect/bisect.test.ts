import { describe, expect, it } from 'vitest';
import { type ChatReply, type ChatServer, completionOf, startChatServer } from '../../support/chat-server.ts';
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
  it('names the line that breaks a case, shows that the rest does not, and pays nothing twice', async () => {
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

  it('reports lines that break a case only together as one set, and separate ones apart', async () => {
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
