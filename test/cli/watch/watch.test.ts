import { renameSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Io } from '../../../src/cli/io.ts';
import { type ChatServer, startChatServer } from '../../support/chat-server.ts';
import { type CliResult, runCli } from '../../support/run-cli.ts';
import { type JsonReport, openTempProject, statusesOf, type TempProject } from '../../support/temp-project.ts';

interface Watched {
  readonly project: TempProject;
  readonly server: ChatServer;
  /** Texts that were asked for since it was called last, sorted. */
  asked(): readonly string[];
  /** What was printed since it was called last. */
  printed(): string;
  /** Tells of changed files and waits for the end of the round. */
  change(...names: readonly string[]): Promise<void>;
  fire(...names: readonly string[]): void;
  /** The end of the round that is going on. */
  round(): Promise<void>;
  signal(name: 'SIGINT' | 'SIGTERM'): void;
  readonly ended: Promise<CliResult>;
}

/** Says the last word; `broken` is an error of the server's. */
function answer(text: string): ReturnType<Parameters<typeof startChatServer>[0]> {
  const word = text.split(' ').at(-1) ?? '';
  return word === 'broken' ? { status: 400, body: { error: { message: 'said no' } } } : word;
}

const provider = 'providers: [{ id: mini, use: openai:gpt-4o-mini, params: { max_tokens: 20 } }]\n';

async function startWatch(
  argv: readonly string[] = [],
  reply: Parameters<typeof startChatServer>[0] = ({ text }) => answer(text),
  isReal = false,
): Promise<Watched> {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', 'suites: ["evals/*.eval.yaml"]\n');
  project.write(
    'evals/one.eval.yaml',
    `suite: one
prompts: [{ id: v1, file: prompts/v1.md }, { id: v2, file: prompts/v2.md }]
${provider}defaults: { assert: [{ equals: "{{expected}}" }] }
cases:
  - { id: red, vars: { word: red }, expected: red }
  - { file: "cases/*.jsonl" }
`,
  );
  project.write('evals/prompts/v1.md', 'One: {{ word }}');
  project.write('evals/prompts/v2.md', 'Two: {{ word }}');
  project.write('evals/cases/a.jsonl', '{"id":"blue","vars":{"word":"blue"},"expected":"blue"}\n');
  project.write(
    'evals/two.eval.yaml',
    `prompts: [{ id: v1, text: "Other: {{ word }}" }]
${provider}defaults: { assert: [{ contains: "{{ word }}" }] }
cases: [{ id: fine, vars: { word: fine } }, { id: broken, vars: { word: broken } }]
`,
  );
  const server = await startChatServer(reply);
  if (argv.includes('--last-failed')) await project.run(['run'], { env: server.env });
  let rounds = 0;
  let waiting = 0;
  let text = '';
  let onRound: () => void = () => undefined;
  let fire: (paths: ReadonlySet<string>) => void = () => undefined;
  const signals: ((name: 'SIGINT' | 'SIGTERM') => void)[] = [];
  const openWatcher: Io['openWatcher'] = isReal
    ? async (onBatch) => (await import('../../../src/cli/watch/file-watcher.ts')).openFileWatcher(onBatch)
    : (onBatch) => {
        fire = onBatch;
        return Promise.resolve({ watch: () => undefined, close: () => Promise.resolve() });
      };
  const ended = runCli(['run', '--watch', '-j', '1', ...argv], {
    cwd: project.root,
    env: server.env,
    openWatcher,
    onReady: (handler) => signals.push(handler),
    onOutput(output) {
      text += output;
      if (!output.startsWith('watching ')) return;
      rounds += 1;
      onRound();
    },
  });
  const round = (): Promise<void> =>
    new Promise((resolve) => {
      onRound = () => {
        if (rounds <= waiting) return;
        waiting += 1;
        onRound = () => undefined;
        resolve();
      };
      onRound();
    });
  let seen = 0;
  const watched: Watched = {
    project,
    server,
    ended,
    round,
    asked() {
      const found = server.requests.slice(seen);
      seen = server.requests.length;
      return found
        .map(({ body }) => (JSON.parse(body) as { messages: { content: string }[] }).messages[0]?.content ?? '')
        .sort();
    },
    printed() {
      const printed = text;
      text = '';
      return printed;
    },
    fire: (...names) => fire(new Set(names.map((name) => project.path(name)))),
    change(...names) {
      watched.fire(...names);
      return round();
    },
    signal: (name) => {
      for (const handler of signals) handler(name);
    },
  };
  await Promise.race([round(), ended]);
  return watched;
}

async function end(watched: Watched): Promise<CliResult> {
  watched.signal('SIGINT');
  return watched.ended;
}

describe('after the first run', () => {
  test('an edited prompt runs only its suite again, and of it only what the prompt is part of', async () => {
    const watched = await startWatch();
    expect(watched.asked()).toEqual(['One: blue', 'One: red', 'Other: broken', 'Other: fine', 'Two: blue', 'Two: red']);
    watched.printed();
    watched.project.write('evals/prompts/v2.md', 'Second: {{ word }}');
    await watched.change('evals/prompts/v2.md');
    expect(watched.asked()).toEqual(['Second: blue', 'Second: red']);
    const printed = watched.printed();
    expect(printed).toContain('evals/prompts/v2.md changed');
    expect(printed).toContain('✓ one/red · v2 × mini');
    const verdict = 'INCOMPLETE  1 two case could not be judged with v1 × mini\n';
    expect(printed.split(verdict)).toHaveLength(2);
    expect(printed.replace(verdict, '')).not.toMatch(/v1|two/);
    // What was found before still counts: five passed, and the one that errored.
    expect(printed).toContain('6 planned = 5 passed + 1 errored');
    expect(printed).toContain('ran 2 cells, 0 from the cache, kept 4');
    expect((await end(watched)).code).toBe(130);
  });

  test('an edit of what a prompt in code imports, or of its program, runs its cases again', {
    tags: 'slow',
  }, async () => {
    const watched = await startWatch();
    const { project } = watched;
    project.write('evals/word.mjs', "export const lead = 'Word';\n");
    project.write(
      'evals/make.mjs',
      "import { lead } from './word.mjs';\nexport default ({ word }) => `${lead}: ${word}`;\n",
    );
    project.write(
      'evals/lines.mjs',
      "import { createInterface } from 'node:readline';\nfor await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify('Line: ' + JSON.parse(line).word));\n",
    );
    project.write(
      'evals/two.eval.yaml',
      `prompts: [{ id: v1, module: make.mjs }, { id: v2, exec: node lines.mjs }]
${provider}defaults: { assert: [{ contains: "{{ word }}" }] }
cases: [{ id: fine, vars: { word: fine } }]
`,
    );
    await watched.change('evals/two.eval.yaml');
    watched.asked();
    project.write('evals/word.mjs', "export const lead = 'Other word';\n");
    await watched.change('evals/word.mjs');
    expect(watched.asked()).toEqual(['Other word: fine']);
    project.write('evals/lines.mjs', project.read('evals/lines.mjs').replace('Line:', 'Row:'));
    await watched.change('evals/lines.mjs');
    expect(watched.asked()).toEqual(['Row: fine']);
    expect((await end(watched)).code).toBe(130);
  });

  test('an edited case runs only its cells, and shows only those', { tags: ['slow'] }, async () => {
    const watched = await startWatch();
    watched.asked();
    watched.printed();
    const file = 'evals/one.eval.yaml';
    watched.project.write(file, watched.project.read(file).replace('word: red', 'word: green'));
    await watched.change(file);
    // Each fails, and is asked again to confirm it.
    expect([...new Set(watched.asked())]).toEqual(['One: green', 'Two: green']);
    const printed = watched.printed();
    expect(printed).toContain('    answer  green\n    equals: expected "red"\n');
    expect(printed).not.toMatch(/blue|fine|two/);
    // Back again it is answered from the cache.
    watched.project.write(file, watched.project.read(file).replace('word: green', 'word: red'));
    await watched.change(file);
    expect(watched.asked()).toEqual([]);
    expect(watched.printed()).toContain('ran 2 cells, 2 from the cache, kept 4');
    await end(watched);
  });

  test('its own suite asks again for what errored', async () => {
    const watched = await startWatch();
    watched.asked();
    watched.project.write('evals/two.eval.yaml', `${watched.project.read('evals/two.eval.yaml')}# a remark\n`);
    await watched.change('evals/two.eval.yaml');
    expect(watched.asked()).toEqual(['Other: broken']);
    await end(watched);
  });

  test('the config is a file of every suite: each asks again for what errored', async () => {
    const watched = await startWatch();
    watched.asked();
    watched.project.write('llmcheck.config.yaml', 'suites: ["evals/*.eval.yaml"] # a remark\n');
    await watched.change('llmcheck.config.yaml');
    expect(watched.asked()).toEqual(['Other: broken']);
    await end(watched);
  });

  test('mistakes are shown and watching goes on; what comes under a glob runs', async () => {
    const watched = await startWatch();
    watched.asked();
    watched.printed();
    watched.project.write('evals/cases/b.jsonl', '{"id":"new","vars":{"word":"new"},"expected":"new"');
    await watched.change('evals/cases/b.jsonl');
    expect(watched.printed()).toMatch(/evals\/cases\/b\.jsonl:1:\d+ error syntax/);
    watched.project.write('evals/cases/b.jsonl', '{"id":"new","vars":{"word":"new"},"expected":"new"}\n');
    await watched.change('evals/cases/b.jsonl');
    expect(watched.asked()).toEqual(['One: new', 'Two: new']);
    watched.project.write(
      'evals/three.eval.yaml',
      watched.project.read('evals/two.eval.yaml').replace('Other', 'Third'),
    );
    await watched.change('evals/three.eval.yaml');
    expect(watched.asked()).toEqual(['Third: broken', 'Third: fine']);
    await end(watched);
  });

  test('a change of a file on which no suite depends runs nothing', async () => {
    const watched = await startWatch();
    watched.asked();
    watched.printed();
    watched.fire('README.md', 'evals/notes.txt');
    watched.project.write('evals/prompts/v1.md', 'First: {{ word }}');
    await watched.change('evals/prompts/v1.md');
    expect(watched.printed()).not.toContain('README');
    expect(watched.asked()).toEqual(['First: blue', 'First: red']);
    await end(watched);
  });

  test('the cases that failed last stay the same, also once they pass', async () => {
    let isWrong = true;
    const watched = await startWatch(['--last-failed', '--cache', 'off'], ({ text }) =>
      isWrong && text.endsWith('red') ? 'no' : answer(text),
    );
    isWrong = false;
    for (const text of ['First', 'Second', 'Third']) {
      watched.asked();
      for (const prompt of ['v1', 'v2'])
        watched.project.write(`evals/prompts/${prompt}.md`, `${text} ${prompt}: {{ word }}`);
      await watched.change('evals/prompts/v1.md', 'evals/prompts/v2.md');
      expect(watched.asked()).toEqual([`${text} v1: red`, `${text} v2: red`]);
    }
    await end(watched);
  });

  test('a report in a file is of the whole, each time', async () => {
    const watched = await startWatch(['-r', 'json=out.json', '-r', 'terminal']);
    watched.project.write('evals/prompts/v2.md', 'Please say nothing of {{ word }} but nothing');
    await watched.change('evals/prompts/v2.md');
    const report = JSON.parse(watched.project.read('out.json')) as JsonReport;
    expect(report.totals).toMatchObject({ planned: 6, passed: 3, failed: 2, errored: 1 });
    expect(Object.keys(statusesOf(report)).sort()).toEqual(['blue', 'broken', 'fine', 'red']);
    expect(watched.project.files('.llmcheck/runs')).toHaveLength(1);
    await end(watched);
  });
});

test('a save while a round runs starts nothing more of it, and what was paid for is kept', {
  tags: 'slow',
}, async () => {
  let onAsked: (text: string) => void = () => undefined;
  const watched = await startWatch([], ({ text }) => {
    onAsked(text);
    return answer(text);
  });
  const words = Array.from({ length: 60 }, (_, index) => `w${index}`);
  const rows = words.map((word) => `${JSON.stringify({ id: word, vars: { word }, expected: word })}\n`);
  watched.project.write('evals/cases/a.jsonl', rows.join(''));
  words.push('red');
  await watched.change('evals/cases/a.jsonl');
  watched.asked();
  watched.project.write('evals/prompts/v1.md', 'First: {{ word }}');
  onAsked = () => {
    onAsked = () => undefined;
    watched.project.write('evals/prompts/v2.md', 'Second: {{ word }}');
    watched.fire('evals/prompts/v2.md');
  };
  await watched.change('evals/prompts/v1.md');
  const before = watched.asked();
  expect(before.length).toBeLessThan(30);
  expect(watched.printed()).toContain(`a file changed meanwhile: ${before.length} answers kept`);
  await watched.round();
  const after = watched.asked();
  // Each answer of the first prompt was paid for once, before or after.
  expect([...before, ...after].filter((text) => text.startsWith('First')).sort()).toEqual(
    words.map((word) => `First: ${word}`).sort(),
  );
  expect(after.filter((text) => text.startsWith('Second'))).toHaveLength(words.length);
  await end(watched);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends it with %i, and the record can be reported', async (name, code) => {
  const watched = await startWatch();
  watched.signal(name);
  expect((await watched.ended).code).toBe(code);
  expect((await watched.project.run(['report', '-r', 'json'])).stdout).toContain('"planned":6');
});

test('mistakes in files at the start are shown and can be fixed', async () => {
  const project = openTempProject();
  project.write('evals/x.eval.yaml', 'prompts: []\n');
  let text = '';
  let fire: (paths: ReadonlySet<string>) => void = () => undefined;
  const handlers: ((name: 'SIGINT') => void)[] = [];
  const { code } = await runCli(['run', '--watch'], {
    cwd: project.root,
    env: { PATH: process.env['PATH'] ?? '' },
    openWatcher: (onBatch) => {
      fire = onBatch;
      return Promise.resolve({ watch: () => undefined, close: () => Promise.resolve() });
    },
    onReady: (handler) => handlers.push(handler),
    onOutput(output) {
      text += output;
      if (!output.startsWith('watching ')) return;
      if (text.includes('PASSED')) {
        setImmediate(() => handlers[0]?.('SIGINT'));
        return;
      }
      project.write(
        'evals/x.eval.yaml',
        'prompts: [{ id: v1, text: "{{ a }}" }]\nproviders: ["exec:echo hello"]\ncases: [{ id: c, vars: { a: b }, assert: [{ contains: hello }] }]\n',
      );
      setImmediate(() => fire(new Set([project.path('evals/x.eval.yaml')])));
    },
  });
  expect(text).toMatch(/evals\/x\.eval\.yaml:1:\d+ error/);
  expect(code).toBe(130);
});

test.each([
  [['--dry-run'], '--dry-run'],
  [['--resume'], '--resume'],
  [['--update-baseline'], '--update-baseline'],
  [['--max-cost', 'x'], '--max-cost'],
  [['nowhere.eval.yaml'], 'nowhere.eval.yaml'],
])('%j with --watch is a usage error', async (argv, named) => {
  const project = openTempProject('echo');
  const openWatcher: Io['openWatcher'] = () =>
    Promise.resolve({ watch: () => undefined, close: () => Promise.resolve() });
  const { code, stderr } = await project.run(['run', '--watch', ...argv], { openWatcher });
  expect([code, stderr]).toEqual([2, expect.stringContaining(named)]);
});

// The system may need long to begin watching.
test('real files: an edit in place, and one by a copy that is renamed', { tags: ['slow'], retry: 1 }, async () => {
  const watched = await startWatch([], undefined, true);
  watched.asked();
  watched.project.write('evals/prompts/v2.md', 'Second: {{ word }}');
  await watched.round();
  expect(watched.asked()).toEqual(['Second: blue', 'Second: red']);
  watched.project.write('evals/prompts/v2.md.tmp', 'Third: {{ word }}');
  renameSync(watched.project.path('evals/prompts/v2.md.tmp'), watched.project.path('evals/prompts/v2.md'));
  await watched.round();
  expect(watched.asked()).toEqual(['Third: blue', 'Third: red']);
  watched.project.write('evals/cases/b.jsonl', '{"id":"new","vars":{"word":"new"},"expected":"new"}\n');
  await watched.round();
  expect(watched.asked()).toEqual(['One: new', 'Third: new']);
  expect((await end(watched)).code).toBe(130);
});
