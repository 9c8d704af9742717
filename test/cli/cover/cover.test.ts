import { describe, expect, it } from 'vitest';
import { makeRuledPrompt } from '../../../bench/parts/ruled-prompt.ts';
import { createRandom } from '../../../src/text/random.ts';
import { startBatchServer } from '../../support/batch-server.ts';
import { type ChatReply, type ChatServer, startChatServer } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

const prompt = `# Support

- For refund mail, name the form R7.
- For parcel mail, thank the customer.
- For legal mail, write nothing.

<example>
Mail: hello
Answer: hi
</example>

Mail: {{ mail }}
`;
const lines = { refund: 3, parcel: 4, legal: 5 };
const cases = ['refund', 'parcel'].map(
  (id) =>
    `{ id: ${id}, vars: { mail: a ${id} }, assert: [{ contains: Dear }${id === 'refund' ? ', { contains: R7 }' : ''}] }`,
);

interface JsonCover {
  readonly prompts: readonly {
    readonly why?: string;
    readonly instructions: readonly {
      readonly kind: string;
      readonly text: string;
      readonly name?: string;
      readonly file?: { readonly line: number };
      readonly verdict: string;
      readonly caseId?: string;
      readonly isStored: boolean;
      readonly sentence: string;
    }[];
  }[];
  readonly written: readonly string[];
  readonly spent: { readonly trials: number; readonly cached: number };
}

/** A model that does what the prompt says on the subject of the mail. */
function obey(text: string): string {
  const mail = /Mail: a (\w+)/.exec(text)?.[1] ?? '';
  const says = (rule: string) => text.includes(rule);
  if (mail === 'refund') return says('name the form R7') ? 'Dear customer, send R7' : 'Dear customer, send it';
  if (mail === 'parcel') return says('thank the customer') ? 'Dear customer, thanks' : 'Dear customer';
  return 'Dear all';
}

const serve = (answer: (text: string, index: number) => ChatReply = obey): Promise<ChatServer> =>
  startChatServer(({ messages, body, index }) =>
    answer(`${messages.map(({ content }) => content).join('\n')}${JSON.stringify(body['tools'] ?? '')}`, index),
  );

function openProject({ text = prompt, own = cases, keys = '', params = '' } = {}): TempProject {
  const project = openTempProject();
  project.write('prompts/v1.md', text);
  writeSuite(project, own, keys, params);
  return project;
}

function writeSuite(project: TempProject, own: readonly string[], keys = '', params = ''): void {
  const provider = `{ id: mini, use: openai:test-model, price: { input: 1, output: 1 }, params: { max_tokens: 100${params} } }`;
  project.write(
    'evals/mail.eval.yaml',
    `prompts: [{ id: v1, file: ../prompts/v1.md }]\nproviders: [${provider}]\ncases:\n${own.map((one) => `  - ${one}\n`).join('')}${keys}`,
  );
}

async function cover(project: TempProject, { env }: Pick<ChatServer, 'env'>, ...argv: readonly string[]) {
  const result = await project.run(['prompt', 'cover', '--json', ...argv], { env });
  if (!result.stdout.startsWith('{')) throw new Error(`exit ${result.code}: ${result.stderr}`);
  const outcome = JSON.parse(result.stdout) as JsonCover;
  const instructions = outcome.prompts.flatMap((one) => one.instructions);
  const verdictOn = (line: number) => instructions.find(({ file }) => file?.line === line)?.verdict;
  return { ...outcome, code: result.code, instructions, verdictOn };
}

describe('prompt cover', () => {
  it('finds what a case guards, what no check notices, and what has no effect', async () => {
    const server = await serve();
    const project = openProject();
    const { instructions, verdictOn, code, written } = await cover(project, server);
    expect(code).toBe(0);
    expect(written).toEqual(['evals/mail.cover.json']);
    expect(verdictOn(lines.refund)).toBe('guarded');
    expect(verdictOn(lines.parcel)).toBe('unnoticed');
    expect(verdictOn(lines.legal)).toBe('noEffect');
    expect(instructions.find(({ kind }) => kind === 'example')?.verdict).toBe('noEffect');
    expect(instructions.find(({ caseId }) => caseId === 'refund')?.sentence).toBe(
      'by refund: without it, 3 of 3 trials fail; with it, 3 of 3 pass (does not contain "R7": found "Dear customer, send it")',
    );
    const shown = await project.run(['prompt', 'cover', '--all'], { env: server.env });
    expect(shown.stdout).toContain('guarded, 1 without a sensor, 2 without effect here');
    expect(shown.stdout).toContain('A rule that decides 77.6 % of cases like these fails one of 2 cases');
  });

  it('asks only of new instructions and new cases, and pays nothing twice', { tags: ['slow'] }, async () => {
    const server = await serve();
    const project = openProject();
    await cover(project, server);
    const sent = server.requests.length;
    expect((await cover(project, server)).instructions.every(({ isStored }) => isStored)).toBe(true);
    expect((await cover(project, server, '--all')).spent.cached).toBe(
      (await cover(project, server, '--all')).spent.trials,
    );
    expect(server.requests.length).toBe(sent);

    project.write('prompts/v1.md', prompt.replace('- For legal', '- For party mail, dance.\n- For legal'));
    const added = await cover(project, server, '--require-guards');
    expect(added.code).toBe(1);
    expect((await cover(project, server, '--require-guards')).code).toBe(1);
    expect(added.instructions.filter(({ isStored }) => !isStored).map(({ file }) => file?.line)).toEqual([5]);

    // A case that guards what had no sensor.
    writeSuite(project, [...cases, '{ id: thanks, vars: { mail: a parcel }, assert: [{ contains: thanks }] }']);
    const guarded = await cover(project, server);
    expect(guarded.instructions.find(({ file }) => file?.line === lines.parcel)).toMatchObject({
      verdict: 'guarded',
      caseId: 'thanks',
    });
    // Without the case it is as it was.
    writeSuite(project, cases);
    expect((await cover(project, server)).verdictOn(lines.parcel)).toBe('unnoticed');
    // A case whose answers stay the same adds to those that were asked.
    writeSuite(project, [...cases, '{ id: bill, vars: { mail: a bill }, assert: [{ contains: Dear }] }']);
    const more = await cover(project, server);
    expect(more.instructions.find(({ file }) => file?.line === lines.parcel)?.sentence).toBe(
      'answers to parcel change without it, and no check of 3 cases notices',
    );
  });

  it('asks each of two cases that send the same', async () => {
    // The one without a guard is asked first.
    const own = [
      '{ id: greets, vars: { mail: a refund }, assert: [{ contains: Dear }] }',
      '{ id: names, vars: { mail: a refund }, assert: [{ regex: "R[0-9]" }] }',
    ];
    const { instructions } = await cover(openProject({ own }), await serve());
    expect(instructions.find(({ file }) => file?.line === lines.refund)).toMatchObject({
      verdict: 'guarded',
      caseId: 'names',
    });
  });

  it.each<readonly [string, (project: TempProject) => void]>([
    ['params of the provider', (project) => writeSuite(project, cases, '', ', temperature: 1')],
    ['the contract of the suite', (project) => writeSuite(project, cases, 'contract: { output: { type: string } }\n')],
    [
      'the check that guards',
      (project) => writeSuite(project, [cases[0]?.replace('R7', 'Dear') ?? '', ...cases.slice(1)]),
    ],
  ])('asks again where %s changed', async (_what, change) => {
    const server = await serve();
    const project = openProject();
    await cover(project, server);
    change(project);
    const again = await cover(project, server, '--require-guards', '--cache', 'refresh');
    expect(again.instructions.filter(({ isStored, verdict }) => isStored && verdict === 'guarded')).toEqual([]);
    expect(again.code).not.toBe(0);
  });

  it('asks again where the provider has another address', { tags: ['slow'] }, async () => {
    const project = openProject();
    await cover(project, await serve());
    const again = await cover(project, await serve());
    expect(again.instructions.filter(({ isStored }) => isStored)).toEqual([]);
  });

  it('keeps what was found of another model', async () => {
    const server = await serve();
    const project = openProject();
    const suite = project.read('evals/mail.eval.yaml');
    const stored = async () => (await cover(project, server)).instructions.map(({ isStored }) => isStored);
    await cover(project, server);
    project.write('evals/mail.eval.yaml', suite.replace('test-model', 'other-model'));
    expect(await stored()).not.toContain(true);
    project.write('evals/mail.eval.yaml', suite);
    expect(await stored()).not.toContain(false);
  });

  it('takes no verdict on another prompt of the suite, but that on the version that a prompt replaces', async () => {
    const server = await serve();
    const project = openProject({ text: '- For refund mail, name the form R7.\n\nMail: {{ mail }}\n' });
    // Names the form twice, so that neither instruction is missed.
    project.write(
      'prompts/v2.md',
      '- For refund mail, name the form R7.\n- Always name the form R7.\n\nMail: {{ mail }}\n',
    );
    const suite = project.read('evals/mail.eval.yaml');
    project.write('evals/mail.eval.yaml', suite.replace('v1.md }', 'v1.md }, { id: v2, file: ../prompts/v2.md }'));
    const verdicts = (found: Awaited<ReturnType<typeof cover>>) =>
      found.prompts.map(({ instructions }) =>
        instructions.filter(({ kind }) => kind === 'item').map(({ verdict, isStored }) => `${verdict} ${isStored}`),
      );
    expect(verdicts(await cover(project, server))).toEqual([['guarded false'], ['noEffect false', 'noEffect false']]);
    expect(verdicts(await cover(project, server))).toEqual([['guarded true'], ['noEffect true', 'noEffect true']]);
    project.write(
      'evals/mail.eval.yaml',
      suite.replace('v1.md }', 'v1.md }, { id: v3, file: ../prompts/v2.md, replaces: v1 }'),
    );
    expect(verdicts(await cover(project, server))).toEqual([['guarded true', 'noEffect false']]);
    expect(verdicts(await cover(project, server, '--prompt', 'v1'))).toEqual([['guarded true']]);
  });

  it('drops a verdict that does not hold with --all, and keeps those that it could not ask of', {
    tags: ['slow'],
  }, async () => {
    const server = await serve();
    const project = openProject();
    await cover(project, server);
    const kept = project.read('evals/mail.cover.json');
    expect((await cover(project, server, '--all', '--cache', 'off', '--max-cost', '0.0007')).code).toBe(4);
    expect(project.read('evals/mail.cover.json')).toBe(kept);
    writeSuite(project, [...cases, '{ id: bill, vars: { mail: a bill }, assert: [{ contains: Dear }] }']);
    expect((await cover(project, server, '--cache', 'off', '--max-cost', '0.0001')).code).toBe(4);
    expect(project.read('evals/mail.cover.json')).toBe(kept);
    writeSuite(project, cases);
    const careless = await serve(() => 'Dear customer, R7');
    const all = ['--all', '--cache', 'off', '--require-guards'];
    expect((await cover(project, careless, ...all)).code).toBe(1);
    expect((await cover(project, careless, '--require-guards')).code).toBe(1);
    expect(project.read('evals/mail.cover.json')).not.toContain('guarded');
  });

  it('keeps a verdict each on what a prompt says twice', async () => {
    // Only the first of two equal lines is obeyed.
    const server = await serve((text) => (/first\n+- Name R7/.test(text) ? 'Dear, R7' : 'Dear'));
    const project = openProject({ text: 'Rules first\n\n- Name R7\n\n# More\n\n- Name R7\n\n{{ mail }}' });
    const verdicts = async () => {
      const { instructions } = await cover(project, server);
      return instructions.filter(({ kind }) => kind === 'item').map(({ verdict }) => verdict);
    };
    expect(await verdicts()).toEqual(['guarded', 'noEffect']);
    expect(await verdicts()).toEqual(['guarded', 'noEffect']);
  });

  it('counts no case as asked that does not pass with the whole prompt', async () => {
    const server = await serve();
    const project = openProject({
      own: [...cases, '{ id: never, vars: { mail: a bill }, assert: [{ contains: nowhere }] }'],
    });
    const found = await cover(project, server);
    const sentences = ({ instructions }: typeof found) =>
      instructions.filter(({ verdict }) => verdict === 'noEffect').map(({ sentence }) => sentence);
    expect(sentences(found)[0]).toContain('2 cases asked');
    expect(sentences(await cover(project, server))).toEqual(sentences(found));
    // The other one that was asked may have been among those that are gone.
    writeSuite(project, cases.slice(1));
    const { instructions } = await cover(project, server);
    expect(instructions.find(({ verdict }) => verdict === 'unnoticed')).toMatchObject({
      isStored: true,
      sentence: 'answers to parcel change without it, and no check of 1 case notices',
    });
  });

  it('calls no flake a guard', async () => {
    const random = createRandom(4);
    const server = await serve((text) => (random() < 0.2 ? 'sorry' : obey(text)));
    const own = Array.from(
      { length: 12 },
      (_, index) => `{ id: c${index}, vars: { mail: a bill }, assert: [{ contains: Dear }] }`,
    );
    const { instructions } = await cover(openProject({ own }), server);
    expect(instructions.filter(({ verdict }) => verdict === 'guarded')).toEqual([]);
  });

  it('finds a tool description that a case guards', async () => {
    const tool =
      '{ type: function, function: { name: route, description: Use it for refunds., parameters: { type: object } } }';
    const server = await serve((text) =>
      text.includes('Use it for refunds.') ? 'Dear customer, R7' : 'Dear customer',
    );
    const { instructions } = await cover(openProject({ params: `, tools: [${tool}]` }), server);
    expect(instructions.find(({ kind }) => kind === 'tool')).toMatchObject({ name: 'route', verdict: 'guarded' });
  });

  it('leaves the files of a prompt in the workspace', async () => {
    const project = openTempProject();
    project.write('shop/order.json', '{}');
    project.write('rules.md', 'ship');
    project.write(
      'evals/agent.mjs',
      "import { existsSync } from 'node:fs';\nconsole.log(existsSync('rules.md') ? 'Done' : 'Lost');\n",
    );
    project.write(
      'evals/shop.eval.yaml',
      `prompts: [{ id: v1, text: "Be kind.\\n\\nGo on.", workspace: { rules.md: ../rules.md } }]
providers: [{ id: agent, use: "exec:node agent.mjs", workspace: ../shop }]
cases: [{ id: works, assert: [{ contains: Done }] }]
`,
    );
    const { instructions } = await cover(project, { env: { PATH: process.env['PATH'] ?? '' } });
    expect(instructions.map(({ sentence }) => sentence)).toEqual(
      Array.from({ length: 2 }, () => expect.stringContaining('1 case asked without it, none failed')),
    );
  });

  it.each<readonly [string, Parameters<typeof openProject>[0], (text: string) => ChatReply, number, string]>([
    ['no case passes', {}, () => 'nothing', 4, 'no case passes with the whole prompt'],
    ['the provider refuses everything', {}, () => ({ status: 401, body: '{}' }), 3, ''],
    ['no case can notice anything', { own: ['{ id: seen, observe: true, vars: { mail: x } }'] }, obey, 4, ''],
    ['there are no instructions', { text: '{{ mail }}' }, obey, 4, 'it has no instructions'],
  ])('does not end with 0 where %s', async (_what, planted, answer, code, why) => {
    const project = openProject(planted);
    const found = await cover(project, await serve(answer), '--require-guards');
    expect(found.code).toBe(code);
    expect(JSON.stringify(found.prompts)).toContain(why);
    expect(found.written).toEqual([]);
  });

  it('stops at --max-cost, and says of each instruction that it is undecided', async () => {
    const server = await serve();
    const { code, instructions } = await cover(openProject(), server, '--max-cost', '0.0007');
    expect(code).toBe(4);
    expect(instructions.some(({ verdict }) => verdict === 'undecided')).toBe(true);
    expect(instructions.map(({ sentence }) => sentence).join()).toContain('--max-cost is used up');
  });

  it('shows the most that it may send, and sends nothing', async () => {
    const server = await serve();
    const project = openProject();
    const dry = await project.run(['prompt', 'cover', '--dry-run', '--json'], { env: server.env });
    expect(server.requests).toEqual([]);
    const [{ calls, usd }] = (JSON.parse(dry.stdout) as { prompts: [{ calls: number; usd: number }] }).prompts;
    await cover(project, server);
    expect(server.requests.length).toBeLessThanOrEqual(calls);
    expect(usd).toBeGreaterThan(0);
  });

  it('asks first trials in two batches', async () => {
    const server = await startBatchServer('openai', (text) => text.replace(/^.*Say: /s, ''));
    const project = openTempProject();
    const words = ['one', 'two', 'three', 'four', 'five'];
    project.write(
      'evals/batched.eval.yaml',
      server.suite(words).replace('Say: {{ word }}', 'Be kind.\\n\\nSay: {{ word }}'),
    );
    const live = openTempProject();
    live.write('evals/batched.eval.yaml', project.read('evals/batched.eval.yaml'));
    const expected = await cover(live, server);
    const liveCount = server.liveCount;
    const found = await cover(project, server, '--batch');
    expect(found.prompts).toEqual(expected.prompts);
    expect(found.instructions.map(({ verdict }) => verdict)).toEqual(['noEffect', 'guarded']);
    expect(server.submissions.length).toBe(2);
    expect(server.liveCount - liveCount).toBeLessThan(liveCount / 2);
    expect(project.files('.llmcheck/batches')).toEqual([]);
  });

  it('refuses a damaged file of what is known', async () => {
    const project = openProject();
    project.write('evals/mail.cover.json', '{ "format": 1, "instructions": [{}] }');
    const result = await project.run(['prompt', 'cover'], { env: (await serve()).env });
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('evals/mail.cover.json does not say what guards a prompt: instructions.0.prompt');
  });

  it('finds the planted rules of a prompt, whose answers are worded differently each time', {
    tags: 'slow',
  }, async () => {
    const random = createRandom(7);
    const ruled = makeRuledPrompt(random, { rules: 8, cases: 10, flake: 0, isWordy: true });
    const own = ruled.cases.map(({ id, topic, wanted }) =>
      JSON.stringify({
        id,
        vars: { mail: `about topic${topic}x` },
        assert: ['Dear', ...wanted].map((word) => ({ contains: word })),
      }),
    );
    const server = await serve((text) => ruled.answer(text));
    const { instructions } = await cover(openProject({ text: ruled.prompt, own }), server, '-j', '1');
    const found = ruled.rules.map(({ text }) => instructions.find((one) => one.text.includes(text)));
    expect(found.map((one) => one?.verdict)).toEqual(ruled.rules.map(({ kind }) => kind));
  });
});
