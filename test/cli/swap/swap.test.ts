import { expect, test } from 'vitest';
import { startChatServer } from '../../support/chat-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

/** Answers "yes" to cases, but for those that a model gets wrong. Every model has the same latency and tokens. */
const simulated = `import { createHash } from 'node:crypto';
const wrong = { poor: 4 };
// Models of the name noisy5-x fail 5 % of the trials, the same ones in each run.
const isNoise = (model, number, trial) => {
  const percent = Number(/^noisy(\\d+)/.exec(model)?.[1] ?? 0);
  const hash = createHash('sha256').update([model, number, trial].join(' ')).digest();
  return hash.readUInt32BE(0) % 10_000 < percent * 100;
};
export const sim = {
  kind: 'provider',
  name: 'sim',
  summary: 'Answers by the name of the model',
  complete: ({ model, messages, trial }) => {
    if (model === 'gone') throw new Error('no such model');
    const number = Number(/c(\\d+)/.exec(messages.at(-1).content)?.[1]);
    const isWrong = (wrong[model] !== undefined && number % wrong[model] === 0) || isNoise(model, number, trial);
    const text = isWrong ? 'no' : 'yes';
    return { text, usage: { inputTokens: 100, outputTokens: 10 } };
  },
};
`;

const prices = `prices:
  usual: { input: 1, output: 4 }
  good: { input: 0.2, output: 0.8 }
  dear: { input: 3, output: 9 }
  twin: { input: 0.2, output: 0.8 }
  poor: { input: 0.1, output: 0.1 }
  gone: { input: 0.01, output: 0.01 }
  noisy5-usual: { input: 1, output: 1 }
  noisy5-same: { input: 0.8, output: 0.8 }
  noisy5-right: { input: 0.5, output: 0.5 }
  noisy30-weak: { input: 0.2, output: 0.2 }
  noisy60-poor: { input: 0.1, output: 0.1 }
`;

interface SuiteParts {
  readonly provider?: string;
  readonly more?: string;
}

function suiteText(name: string, { provider = '{ id: mini, use: "sim:usual" }', more = '' }: SuiteParts = {}): string {
  const cases = Array.from({ length: 40 }, (_, index) => `  - { id: c${index}, vars: { q: c${index} } }`);
  return `suite: ${name}
prompts: [{ id: v1, text: "Say yes: {{ q }}" }]
providers: [${provider}]
defaults: { assert: [{ equals: "yes" }] }
${more}cases:
${cases.join('\n')}
`;
}

function openProject(suites: Readonly<Record<string, SuiteParts>> = { a: {}, b: {} }): TempProject {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', `plugins: [./sim.mjs]\n${prices}`);
  project.write('sim.mjs', simulated);
  for (const [name, parts] of Object.entries(suites)) project.write(`evals/${name}.eval.yaml`, suiteText(name, parts));
  return project;
}

interface Swap {
  readonly provider: string;
  readonly conclusion: string;
  readonly cheapest: readonly string[];
  readonly candidates: readonly {
    readonly candidate: string;
    readonly verdict: string;
    readonly cellCostUsd: number | null;
  }[];
  readonly rows: readonly {
    readonly candidate: string;
    readonly suite: string;
    readonly verdict: string;
    readonly reasons: readonly string[];
    readonly broken: readonly string[];
    readonly cases: number;
  }[];
}

async function swap(project: TempProject, argv: readonly string[]) {
  const { code, stdout, stderr } = await project.run(['swap', ...argv, '--json']);
  const swaps = stdout === '' ? [] : (JSON.parse(stdout) as { readonly swaps: readonly Swap[] }).swaps;
  const verdicts = Object.fromEntries(
    (swaps[0]?.candidates ?? []).map(({ candidate, verdict }) => [candidate, verdict]),
  );
  return { code, stderr, swaps, verdicts, conclusion: swaps[0]?.conclusion ?? '' };
}

/** What the report says of the variants of its first suite. */
function variantsOf({ stdout }: { readonly stdout: string }) {
  const report = JSON.parse(stdout) as {
    readonly suites: readonly {
      readonly variants: readonly {
        readonly provider: string;
        readonly replacedBy?: string;
        readonly comparison?: { readonly outcome: string; readonly against: { readonly source: string } };
      }[];
    }[];
  };
  return report.suites[0]?.variants ?? [];
}

test('the cheapest model that holds in every suite is named, and no suite and no baseline changes', {
  tags: 'slow',
}, async () => {
  const project = openProject();
  await project.run(['run', '--update-baseline']);
  const before = ['evals/a.eval.yaml', 'evals/a.baseline.jsonl', 'evals/b.baseline.jsonl'].map((file) =>
    project.read(file),
  );
  const shown = await project.run(['swap', 'mini=sim:good,sim:dear,sim:poor'], { columns: 100 });
  expect(shown.code).toBe(1);
  expect(shown.stdout).toMatch(/sim:good\n +a +holds +100\.0 %, 0\.0 pts +−80\.0 %/);
  expect(shown.stdout).toMatch(/sim:poor\n +a +worse/);
  expect(shown.stdout.replaceAll(/\s+/g, ' ')).toContain(
    'sim:good is the cheapest that holds everywhere; −80.0 % in cost against mini; a drop of up to',
  );
  const run = await project.run(['run', '--swap', 'mini=sim:good,sim:dear']);
  expect(run.code).toBe(0);
  expect(run.stdout).toContain('mini and what could take its place');
  expect(
    ['evals/a.eval.yaml', 'evals/a.baseline.jsonl', 'evals/b.baseline.jsonl'].map((file) => project.read(file)),
  ).toEqual(before);
  const accepted = await project.run(['baseline', 'accept']);
  expect([accepted.code, accepted.stderr]).toEqual([2, expect.stringContaining('compares candidates for a provider')]);
  // All answers of the provider and the candidates are in the cache by now.
  const again = await project.report(['run', '--swap', 'mini=sim:good,sim:dear']);
  expect(again.report.totals).toMatchObject({ planned: 240, cached: 240 });
});

test.each([
  ['a candidate that errors everywhere never holds', ['sim:gone'], {}, 'nothing was compared with mini'],
  [
    'a candidate that errors everywhere does not hide another',
    ['sim:gone', 'sim:dear'],
    {},
    'sim:dear is the cheapest',
  ],
  ['one without a price is never the cheapest', ['sim:free', 'sim:dear'], {}, 'sim:dear is the cheapest'],
  ['one without a price alone', ['sim:free'], {}, 'sim:free holds everywhere, and no price is known'],
  ['two that cost the same', ['sim:good', 'sim:twin'], {}, 'sim:good and sim:twin are the cheapest that hold'],
  ['none holds', ['sim:poor'], {}, 'no candidate for mini holds everywhere'],
] as const)('%s', { tags: ['slow'] }, async (_, candidates, suites, said) => {
  const project = openProject({ a: {}, b: {}, ...suites });
  const { conclusion, swaps } = await swap(project, [`mini=${candidates.join(',')}`]);
  expect(conclusion).toContain(said);
  expect(swaps[0]?.candidates.map(({ candidate }) => candidate)).toEqual(candidates);
});

test('a candidate that lacks answers of some cases is compared in part, and is never said to hold', {
  tags: ['slow'],
}, async () => {
  const project = openProject({ a: { more: 'recordings: a.jsonl\n' }, b: {} });
  project.write('evals/a.jsonl', '');
  await project.run(['run', 'evals/a.eval.yaml', '--record']);
  const { code, verdicts, swaps, conclusion } = await swap(project, ['evals/a.eval.yaml', 'mini=sim:good']);
  expect([code, verdicts]).toEqual([3, { 'sim:good': 'partial' }]);
  expect(swaps[0]?.rows[0]?.reasons[0]).toBe('40 of 40 cells errored');
  expect(conclusion).toBe('nothing was compared with mini');
  // The cache holds all answers of the provider, and those of the candidate to some cases.
  await project.run(['run', 'evals/b.eval.yaml']);
  await project.run(['swap', 'evals/b.eval.yaml', 'mini=sim:good', '-t', 'b/c1*']);
  const part = await swap(project, ['evals/b.eval.yaml', 'mini=sim:good', '--cache', 'replay', '--max-errors', '90%']);
  expect(part.swaps[0]?.rows[0]?.cases).toBe(11);
  expect(part.verdicts).toEqual({ 'sim:good': 'undecided' });
  const strict = await swap(project, ['evals/b.eval.yaml', 'mini=sim:good', '--cache', 'replay']);
  expect([strict.verdicts, strict.conclusion]).toEqual([
    { 'sim:good': 'partial' },
    'no candidate for mini is known to hold: sim:good is not compared whole',
  ]);
});

test.each([
  ['equal names', ['mini=sim:good,sim:good'], 'two candidates are named sim:good'],
  ['an unknown provider', ['mni=sim:good'], 'did you mean "mini"?'],
  ['an unknown adapter', ['mini=smi:good'], 'unknown adapter "smi"'],
  ['no model', ['mini='], '--swap mini=: not ID=MODEL'],
  ['no provider', ['--swap', 'sim:good'], '--swap sim:good: not ID=MODEL'],
  ['nothing', [], 'no candidate is named'],
  ['the provider itself', ['mini=mini'], 'mini is what mini asks already'],
  ['its model', ['mini=sim:usual'], 'sim:usual is what mini asks already'],
  ['a judge', ['strict=sim:good'], 'it is a judge, and only models under test are compared'],
  ['the judge as a candidate', ['mini=sim:dear'], 'sim:dear would judge itself'],
  ['a baseline', ['mini=sim:good', '--update-baseline'], '--swap with --update-baseline'],
  ['a shard', ['mini=sim:good', '--shard', '1/2'], '--swap with --shard'],
  ['a budget without a price', ['mini=sim:free', '--max-cost', '1'], 'no price is known for sim:free'],
])('%s is a usage error, and nothing is sent', async (_, argv, said) => {
  const judged = 'judges: [{ id: strict, use: "sim:dear" }]\n';
  const project = openProject({ a: { more: judged } });
  const text = suiteText('a', { more: judged }).replace('[{ equals: "yes" }]', '[{ rubric: "Says yes" }]');
  project.write('evals/a.eval.yaml', text);
  const { code, stderr, stdout } = await project.run(['swap', ...argv]);
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr.replaceAll(/\s+/g, ' ')).toContain(said);
  expect(project.files('.llmcheck/runs')).toEqual([]);
});

test('a suite that does not ask the provider is named, and does not count as one where a candidate holds', async () => {
  const other = { provider: '"sim:good"' };
  const project = openProject({ a: {}, c: other });
  const { swaps, stderr, conclusion } = await swap(project, ['mini=sim:dear']);
  expect(stderr).toContain('suite c does not ask mini: nothing is compared there');
  expect(swaps[0]?.rows.map(({ suite }) => suite)).toEqual(['a']);
  expect(conclusion).toContain('sim:dear is the cheapest that holds;');
});

test('a run in which nothing was compared says so', async () => {
  const { code, conclusion, verdicts } = await swap(openProject(), ['mini=sim:good', '-t', 'nowhere']);
  expect([code, verdicts]).toEqual([4, { 'sim:good': 'partial' }]);
  expect(conclusion).toBe('nothing was compared with mini');
});

test('--compare takes two providers of a suite', { tags: ['slow'] }, async () => {
  const providers = '{ id: mini, use: "sim:usual" }, { id: big, use: "sim:dear" }, "sim:poor"';
  const project = openProject({ a: { provider: providers } });
  const run = await project.report(['run', '--compare', 'mini,big']);
  expect(run.code).toBe(0);
  const variants = variantsOf(run);
  expect(variants.map(({ provider, replacedBy, comparison }) => [provider, replacedBy, comparison?.outcome])).toEqual([
    ['big', undefined, 'passed'],
    ['mini', 'big', undefined],
  ]);
  const excluded = await project.run(['run', '--compare', 'mini,big', '--baseline', 'git:HEAD']);
  expect([excluded.code, excluded.stderr]).toEqual([2, expect.stringContaining('--compare with --baseline')]);
  const unknown = await project.run(['run', '--compare', 'mini,bgi']);
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('--compare bgi')]);
  const neither = await project.run(['run', '--compare', 'mni,bgi']);
  expect(neither.stderr).toContain('--compare mni: no suite has it');
  const mixed = await project.run(['run', '--compare', 'v1,mini']);
  expect(mixed.stderr).toContain('--compare mini: it is a provider, and v1 is a prompt');
});

test('a provider that replaces another is compared with it, or with what was accepted of it', {
  tags: ['slow'],
}, async () => {
  const old = '{ id: mini, use: "sim:usual" }';
  const project = openProject({ a: { provider: `${old}, { id: next, use: "sim:poor", replaces: mini }` } });
  const within = await project.report(['run']);
  expect(within.code).toBe(1);
  expect(variantsOf(within)).toMatchObject([{ provider: 'mini', replacedBy: 'next' }, { provider: 'next' }]);
  expect(variantsOf(within)[1]?.comparison?.against.source).toBe('this run');
  project.write('evals/a.eval.yaml', suiteText('a'));
  await project.run(['run', '--update-baseline']);
  project.write(
    'evals/a.eval.yaml',
    suiteText('a', { provider: `{ id: next, use: "sim:poor", replaces: mini }, ${old}` }),
  );
  const stored = await project.report(['run', '--provider', 'next']);
  expect(stored.code).toBe(1);
  expect(variantsOf(stored)[0]?.comparison?.against.source).toBe('evals/a.baseline.jsonl');
  project.write(
    'evals/a.eval.yaml',
    suiteText('a', { provider: `${old}, { id: next, use: "sim:poor", replaces: mnii }` }),
  );
  const { code, stderr } = await project.run(['validate']);
  expect(code).toBe(2);
  expect(stderr).toContain('the provider replaces "mnii", which is not a provider of this suite');
  expect(stderr).toContain('did you mean "mini"?');
});

const gaps = `suite: gaps
prompts:
  - id: v1
    messages: [{ role: user, content: "Look: {{ q }}", attach: ["{{ file }}"] }]
    params: { seed: 7, tools: [{ type: web_search }] }
providers:
  - id: mini
    use: openai:gpt-4o-mini
    baseURL: http://127.0.0.1:1/v1
    apiKeyEnv: OUR_KEY
    structured: true
    params: { temperature: 0, max_tokens: 20 }
contract: { output: { type: object, properties: { queue: { type: string } }, required: [queue], additionalProperties: false } }
judges: [{ id: strict, use: "openai:gpt-4o" }]
cases: [{ id: one, vars: { q: one, file: sound.wav }, assert: [{ rubric: Polite }] }]
`;

test.each([
  ['openai:gpt-5-mini', 'openai:gpt-5-mini is asked without temperature, which its API lacks'],
  ['anthropic:claude-haiku-4-5', 'anthropic:claude-haiku-4-5 is asked without seed, which its API lacks'],
  ['anthropic:claude-haiku-4-5', 'baseURL, apiKeyEnv of mini do not carry over to anthropic:claude-haiku-4-5'],
  ['anthropic:claude-haiku-4-5', 'lacks what suite gaps asks for: tools in the form of openai'],
  ['anthropic:claude-haiku-4-5', 'lacks what suite gaps asks for: files of type audio/wav'],
  ['groq:llama-3.3-70b-versatile', 'lacks what suite gaps asks for: structured output by a JSON Schema'],
  ['openai:gpt-5-mini', 'judge strict of suite gaps is of the family of openai:gpt-5-mini (GPT), and may favour it'],
])('what %s lacks is named before anything is sent: %s', async (candidate, said) => {
  const project = openTempProject();
  project.write('evals/gaps.eval.yaml', gaps);
  project.write('evals/sound.wav', 'RIFF');
  const { code, stderr } = await project.run(['swap', `mini=${candidate}`, '--dry-run']);
  expect([code, stderr]).toEqual([0, expect.stringContaining(said)]);
  expect(stderr).not.toContain('do not carry over to openai:');
});

test('a candidate gets what carries over, in the words of its API', async () => {
  const bodies: Readonly<Record<string, unknown>>[] = [];
  const server = await startChatServer(({ body }) => {
    bodies.push(body);
    return 'yes';
  });
  const project = openTempProject();
  const provider = '{ id: mini, use: "openai:gpt-4o-mini", params: { temperature: 0, max_tokens: 20, seed: 7 } }';
  project.write('evals/a.eval.yaml', suiteText('a', { provider }));
  const { code, stderr } = await project.run(['swap', 'mini=openai:gpt-5-mini', '-t', 'a/c1', '-t', 'a/c2'], {
    env: server.env,
  });
  expect([code, stderr]).toEqual([0, expect.stringContaining('asked without temperature')]);
  const { messages: _messages, ...sent } = bodies.find(({ model }) => model === 'gpt-5-mini') ?? {};
  expect(sent).toEqual({ model: 'gpt-5-mini', max_completion_tokens: 20, seed: 7 });
});

test('a candidate of another API is streamed as the provider is', async () => {
  const streamed = new Map<string, unknown>();
  const server = await startChatServer(({ body }) => {
    streamed.set(String(body['model']), body['stream']);
    return 'yes';
  });
  const project = openTempProject();
  const provider =
    '{ id: mini, use: "openai:gpt-4o-mini", stream: true, params: { max_tokens: 20 }, limits: { retries: 0 } }';
  project.write('evals/a.eval.yaml', suiteText('a', { provider }));
  const { OPENAI_BASE_URL: url = '', OPENAI_API_KEY: key = '' } = server.env;
  const env = { ...server.env, ANTHROPIC_BASE_URL: url.replace('/v1', ''), ANTHROPIC_API_KEY: key };
  await project.run(['swap', 'mini=anthropic:claude-haiku-4-5', '-t', 'a/c1'], { env });
  expect(Object.fromEntries(streamed)).toEqual({ 'gpt-4o-mini': true, 'claude-haiku-4-5': true });
});

test('the bound of --dry-run and --max-cost hold with candidates', async () => {
  const project = openProject({ a: {} });
  const dry = await project.run(['swap', 'mini=sim:dear,sim:poor', '--dry-run']);
  expect(dry.stdout).toContain('dry run: 120 cells');
  expect(project.files('.llmcheck')).toEqual([]);
  const capped = await swap(project, ['mini=sim:dear,sim:poor', '--max-cost', '0.01', '--cache', 'off']);
  expect(capped.code).toBe(4);
  expect(Object.values(capped.verdicts)).not.toContain('holds');
});

test('eight models that fail as often as the provider are neither better nor worse, in noise', {
  tags: 'slow',
}, async () => {
  const suites = Object.fromEntries(
    ['a', 'b'].map((id) => [id, { provider: '{ id: mini, use: "sim:noisy5-usual" }' }]),
  );
  const candidates = Array.from({ length: 8 }, (_, index) => `sim:noisy5-${index}`);
  const { swaps } = await swap(openProject(suites), [`mini=${candidates.join(',')}`]);
  const verdicts = new Set(swaps[0]?.rows.map(({ verdict }) => verdict));
  expect(swaps[0]?.rows).toHaveLength(16);
  expect([...verdicts].filter((verdict) => verdict !== 'holds' && verdict !== 'undecided')).toEqual([]);
});

test('in noise too, the cheapest of those that equal the provider is named', { tags: ['slow'] }, async () => {
  const provider = '{ id: mini, use: "sim:noisy5-usual" }';
  const candidates = 'sim:noisy5-same,sim:noisy5-right,sim:noisy30-weak,sim:noisy60-poor';
  const { code, swaps, verdicts } = await swap(openProject({ a: { provider } }), [
    `mini=${candidates}`,
    '--trials',
    '3',
  ]);
  expect([code, swaps[0]?.cheapest]).toEqual([1, ['sim:noisy5-right']]);
  expect([verdicts['sim:noisy30-weak'], verdicts['sim:noisy60-poor']]).toEqual(['worse', 'worse']);
});

test('a case that is restricted to the provider is asked of its candidates too', async () => {
  const project = openProject({ a: { provider: '{ id: mini, use: "sim:usual" }, "sim:twin"' } });
  project.write('evals/a.eval.yaml', project.read('evals/a.eval.yaml').replaceAll('vars:', 'providers: [mini], vars:'));
  const { swaps, verdicts } = await swap(project, ['mini=sim:good,sim:twin']);
  expect(verdicts).toEqual({ 'sim:good': 'holds', 'sim:twin': 'holds' });
  expect(swaps[0]?.rows.map(({ cases }) => cases)).toEqual([40, 40]);
});

test('a suite that compares two answers with each other is refused', async () => {
  const project = openProject({ a: { more: 'judges: [{ id: strict, use: "sim:dear" }]\n' } });
  const text = project.read('evals/a.eval.yaml');
  project.write('evals/a.eval.yaml', text.replace('[{ equals: "yes" }]', '[{ pairwise: "The clearer one" }]'));
  const { code, stderr } = await project.run(['swap', 'mini=sim:good']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('suite a has a pairwise check')]);
});
