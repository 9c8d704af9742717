import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ChatRequest, startChatServer } from '../../support/chat-server.ts';
import { commitAll, initRepository } from '../../support/git.ts';
import { openTempProject } from '../../support/temp-project.ts';

/** A model that follows each prompt only while it says what the baseline says. */
function answer({ messages, text }: ChatRequest): string {
  const [first] = messages;
  if (text.startsWith('Sort the e-mail.')) {
    if (!text.includes('Answer with the queue alone.')) return 'I would say billing';
    return text.includes('crashes') ? 'tech' : 'billing';
  }
  if (first?.content === 'Answer from the documents only.') {
    return text.includes('] Place') ? 'In Bern.' : text.includes(': We') ? 'At nine.' : 'Unknown.';
  }
  return first?.content === 'You help Bob.' || first?.content === 'You help Ann.' ? text : 'No.';
}

const typescriptApps = join(import.meta.dirname, '../../../fixtures/cli/prompts-in-code');

/**
 * In `prompts-in-js`, triage and answers are as a compiler writes them: a child loads them in a third of the time. The
 * orders are those of `prompts-in-code`.
 */
async function openApps(theme: 'prompts-in-code' | 'prompts-in-js' = 'prompts-in-js') {
  const project = openTempProject(theme);
  for (const part of ['orders', 'evals/orders.eval.yaml']) {
    cpSync(join(typescriptApps, part), project.path(part), { recursive: true });
  }
  const server = await startChatServer(answer);
  const run = (...argv: string[]) => project.run(argv, { env: server.env });
  return { project, server, run };
}

const edits: Readonly<Record<string, readonly [file: string, from: string, to: string]>> = {
  triage: ['triage/src/prompts/parts/rules.ts', 'Answer with the queue alone.', 'Answer freely.'],
  answers: ['answers/src/format.ts', ': ${text}', ' - ${text}'],
  orders: ['orders/src/agent/order-prompt.ts', 'You help ${', 'You serve ${'],
};

/** A line of the prompt's diff. */
const shown: Readonly<Record<string, string>> = {
  triage: '+ Answer freely.',
  answers: '[1] Hours {+-+} We open at nine.',
  orders: 'You {+serve+} ….',
};

test('functions of three apps are sent unchanged', { tags: 'slow' }, async () => {
  const { server, run } = await openApps('prompts-in-code');
  const { code } = await run('run');
  expect(code).toBe(0);
  const sent = server.requests.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  expect(sent.map(({ messages }) => messages)).toContainEqual([
    {
      role: 'user',
      content: 'Sort the e-mail.\nAnswer with the queue alone.\nQueues: billing, tech.\n\nA refund please',
    },
  ]);
  expect(sent).toContainEqual(
    expect.objectContaining({
      temperature: 0,
      max_tokens: 50,
      messages: [
        { role: 'developer', content: 'You help Ann.' },
        { role: 'user', content: 'Where is A-1?' },
      ],
      tools: [expect.objectContaining({ type: 'function' })],
    }),
  );
});

test.each(Object.keys(edits))('an edit of what the function of %s imports is red', { tags: 'slow' }, async (name) => {
  const { project, run, server } = await openApps('prompts-in-code');
  const suite = `evals/${name}.eval.yaml`;
  expect((await run('run', suite, '--update-baseline')).code).toBe(0);
  const [file, from, to] = edits[name] ?? ['', '', ''];
  expect(project.read(file)).toContain(from);
  project.write(file, project.read(file).replace(from, to));
  const argv = ['run', suite, '-r', 'markdown=diff.md'];
  const { code, report } = await project.report(argv, { env: server.env });
  expect(code).toBe(1);
  expect(report.decision.breaches.map((breach) => breach.code)).toContain('case-broken');
  expect(project.read('diff.md')).toContain(shown[name]);
});

test('a case that is added beside an edit keeps the others comparable', { tags: 'slow' }, async () => {
  const { project, run, server } = await openApps();
  const suite = 'evals/triage.eval.yaml';
  await run('run', suite, '--update-baseline');
  const [typed, from, to] = edits['triage'] ?? ['', '', ''];
  const file = typed.replace('.ts', '.js');
  project.write(
    suite,
    `${project.read(suite)}  - { id: more, vars: { email: More }, assert: [{ contains: billing }] }\n`,
  );
  const added = await run('run', suite, '-r', 'markdown');
  expect([added.code, added.stdout]).toEqual([0, expect.not.stringContaining('Prompt `')]);
  project.write(file, project.read(file).replace(from, to));
  const edited = await project.report(['run', suite, '-r', 'markdown=diff.md'], { env: server.env });
  expect(edited.code).toBe(1);
  // The accepted prompt is asked beside the edited one. The other two cases are not asked again.
  expect(edited.report.decision.breaches.map(({ message }) => message)).toEqual([
    expect.stringContaining('the accepted prompt failed 0 of 5'),
  ]);
  const refused = await run('run', suite, '--rerun-baseline');
  expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("can't be rendered for case more")]);
});

test('every command reads them, a changed import is a change, and an edit without effect is none', {
  tags: 'slow',
}, async () => {
  const { project, run } = await openApps();
  initRepository(project.root);
  await run('run');
  await run('baseline', 'accept');
  commitAll(project.root, 'baseline');
  const triage = 'evals/triage.eval.yaml';
  const orders = 'evals/orders.eval.yaml';
  expect((await run('validate', triage)).code).toBe(0);
  expect((await run('list', 'cases', triage)).stdout).toContain('refund');
  expect((await run('run', '--dry-run')).stdout).toContain('7 cells, 7 answered, 0 requests');
  expect((await run('assertions', 'check', triage)).stdout).toContain('triage');
  expect((await run('contract', 'check', orders)).code).toBe(0);
  project.write('orders/src/tools.ts', project.read('orders/src/tools.ts').replace("required: ['id']", 'required: []'));
  project.write(
    'triage/src/prompts/triage.js',
    project.read('triage/src/prompts/triage.js').replace('email.trim()', 'email.trim().normalize()'),
  );
  const changed = await run('run', '--changed', 'HEAD', '--dry-run');
  expect(changed.stderr).toContain('orders/src/tools.ts changed');
  expect(changed.stderr).toContain('triage/src/prompts/triage.js changed');
  expect(changed.stderr).not.toContain('answers/src');
  const against = await run('contract', 'check', orders, '--against', 'git:HEAD');
  const stored = await run('contract', 'check', orders);
  expect(against.stdout).toContain('find_order');
  expect(stored.stdout).toContain('find_order');
  // An edit that changes no message is no edit of the prompt.
  const again = await run('run', triage, '-r', 'markdown');
  expect([again.code, again.stdout]).toEqual([0, expect.not.stringContaining('normalize')]);
  expect((await run('run', triage, '--rerun-baseline')).code).toBe(0);
  expect(project.files('.llmcheck').filter((file) => file.includes('prompt-'))).toEqual([]);
});

test('a damaged table of messages in a baseline is an error at its line, and never green', {
  tags: 'slow',
}, async () => {
  const { project, run } = await openApps();
  const suite = 'evals/answers.eval.yaml';
  const path = 'evals/answers.baseline.jsonl';
  await run('run', suite, '--update-baseline');
  const whole = project.read(path);
  const damages: readonly (readonly [from: RegExp, to: string])[] = [
    [/"rendered":\{/, '"rendred":{'],
    [/"lines":\["/, '"lines":[7,"'],
    [/(\["user",")\d+/, '$199'],
    [/(\["user",")\d+/, '$1x'],
  ];
  for (const [from, to] of damages) {
    expect(whole).toMatch(from);
    project.write(path, whole.replace(from, to));
    const { code, stderr } = await run('run', suite);
    expect([code, stderr]).toEqual([2, expect.stringContaining('its "messages" has the wrong type or value')]);
    expect(stderr).toMatch(/answers\.baseline\.jsonl:\d+/);
  }
});

test('shards of prompts in code are merged into one run, and a program is compared with a function', {
  tags: 'slow',
}, async () => {
  const { project, run } = await openApps();
  const path = 'evals/triage.eval.yaml';
  project.write(
    'evals/lines.mjs',
    `import { createInterface } from 'node:readline';
for await (const line of createInterface({ input: process.stdin })) {
  const { email } = JSON.parse(line);
  const rule = email.includes('crashes') ? 'Answer freely.' : 'Answer with the queue alone.';
  console.log(JSON.stringify('Sort the e-mail.\\n' + rule + '\\n' + email));
}
`,
  );
  const suite = project
    .read(path)
    .replace('buildPrompt }]', 'buildPrompt }, { id: next, exec: node lines.mjs, replaces: live }]');
  project.write(path, suite);
  for (const shard of ['1/2', '2/2']) await run('run', path, '--shard', shard, '--no-baseline');
  const merged = await run('merge', ...project.files('.llmcheck/runs'));
  expect([merged.code, merged.stdout]).toEqual([1, expect.stringContaining('6 planned = 5 passed + 1 failed')]);
  const compared = await run('run', path, '--compare', 'live,next');
  expect([compared.code, compared.stdout]).toEqual([1, expect.stringContaining('crash')]);
});
