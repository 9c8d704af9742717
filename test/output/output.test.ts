import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type ChatServer, completionOf, startChatServer, wordOf } from '../support/chat-server.ts';
import { openTempProject, type TempProject } from '../support/temp-project.ts';
import { normalise, type Place } from './normalise.ts';
import { richScenarios } from './rich-scenarios.ts';
import { scenarios as plainScenarios, type Scenario, type Step } from './scenarios.ts';

const scenarios = [...plainScenarios, ...richScenarios];

/**
 * Whole commands over the fixtures, with all that they print and write. A change inside the program must not change
 * a byte of the snapshots; a change that users see shows up here, and `vitest run test/output -u` accepts it.
 */
describe('a command prints and writes what it did before', () => {
  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    { tags: ['slow'] },
    async (name, scenario) => {
      const project = openTempProject(scenario.fixture);
      for (const [file, text] of Object.entries(scenario.files ?? {})) project.write(file, text);
      const answers = new Map(Object.entries(scenario.answers ?? {}));
      const asked = new Map<string, number>();
      const server = await startChatServer(({ text, model, messages }) => {
        const word = wordOf(text.replace(/^Please say/, 'Say'));
        const answered = messages.filter(({ role }) => role === 'assistant').length;
        const keys = [`${messages[0]?.content} #${answered}`, `${model} ${text}`, `${model} ${word}`, text, word];
        const answer =
          scenario.reply?.(text, model) ??
          keys.map((key) => answers.get(key)).find((found) => found !== undefined) ??
          word;
        if (typeof answer === 'number') return { status: answer, body: { error: { message: `status ${answer}` } } };
        const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
        const times = (asked.get(text) ?? 0) + 1;
        asked.set(text, times);
        // As real APIs do: two answers that take equally long would be one answer otherwise.
        const id = `chatcmpl-${times}`;
        return { body: { ...completionOf(answer, model, callsOf(answer, answered)), id, usage } };
      });
      const transcript: string[] = [];
      for (const [index, step] of scenario.steps.entries()) {
        transcript.push(...(await play(step, index, { scenario, project, server, answers })));
      }
      const place = { root: project.root, port: server.port };
      transcript.push(...listFiles(project, scenario, place));
      const text = normalise(transcript.join('\n'), place);
      await expect(text).toMatchFileSnapshot(`snapshots/${name}.txt`);
    },
  );

  test('and every scenario has a name of its own', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  });
});

/** The tool calls of an answer such as `call find {"id":7}; find {"id":8}`. */
function callsOf(answer: string, answered: number): object {
  const [, calls] = /^call (.*)$/.exec(answer) ?? [];
  const written = calls?.split('; ').map((call, at) => {
    const [name = '', args = ''] = call.split(/ (.*)/);
    return { id: `call_${answered}_${at}`, type: 'function', function: { name, arguments: args } };
  });
  return written === undefined ? {} : { content: null, tool_calls: written };
}

interface Stage {
  readonly scenario: Scenario;
  readonly project: TempProject;
  readonly server: ChatServer;
  readonly answers: Map<string, string | number>;
}

async function play(step: Step, index: number, { scenario, project, server, answers }: Stage): Promise<string[]> {
  if ('answers' in step) {
    for (const [word, answer] of Object.entries(step.answers)) answers.set(word, answer);
    return [`== answers ${JSON.stringify(step.answers)}`];
  }
  if ('edit' in step) {
    const before = project.read(step.edit);
    const after = before.replace(step.from, step.to);
    if (after === before) throw new Error(`${step.edit} does not hold ${step.from}`);
    project.write(step.edit, after);
    return [`== edit ${step.edit}: ${step.from} -> ${step.to}`];
  }
  if ('write' in step) {
    project.write(step.write, step.text);
    return [`== write ${step.write}`];
  }
  const before = server.requests.length;
  const { code, stdout, stderr } = await project.run(step.run, {
    env: { ...server.env, ...scenario.env },
    // Where a line breaks depends on how long a run took.
    columns: 400,
    // Runs of one scenario are minutes apart, so that their ids differ and their order is clear.
    now: () => new Date(Date.UTC(2026, 0, 5, 12, index)),
    randomSeed: index + 1,
  });
  return [
    `== llmcheck ${step.run.join(' ')}`,
    `exit code ${code}, ${server.requests.length - before} requests`,
    ...block('stdout', stdout),
    ...block('stderr', sortLines(stderr)),
  ];
}

/** Calls end in any order, and each writes its line of progress. */
function sortLines(text: string): string {
  return text.split('\n').sort().join('\n').trim();
}

function block(title: string, text: string): string[] {
  return text.trim() === '' ? [] : [`-- ${title}`, text.trimEnd()];
}

/** What the commands left behind: records and baselines as lines in a fixed order, reports as they are. */
function listFiles(project: TempProject, scenario: Scenario, place: Place): string[] {
  const given = new Set(Object.keys(scenario.files ?? {}));
  return project
    .files()
    .filter((file) => isOutput(file) && !given.has(file))
    .flatMap((file) => {
      const text = project.read(file);
      const isRecord = file.startsWith('.llmcheck/runs/');
      return [
        `== file ${file}`,
        isRecord ? sortRecord(text, place) : file.endsWith('.html') ? dataOf(text) : text.trimEnd(),
      ];
    });
}

/** What a page holds beside its program. */
function dataOf(page: string): string {
  return page
    .split('\n')
    .filter((line) => line.startsWith('<title>') || line.startsWith('<script type="application/json"'))
    .join('\n');
}

function isOutput(file: string): boolean {
  if (file.startsWith('.llmcheck/')) return /^\.llmcheck\/runs\/[^/]+\.jsonl$/.test(file);
  return /baseline\.jsonl$|\.cover\.json$|^out\/|answers\.jsonl$/.test(file);
}

/** Rows of a record after these are compared by their digest, so that the snapshots stay readable. */
const shownRows = 3;

function sortRecord(text: string, place: Place): string {
  const [header = '', ...rows] = text.trimEnd().split('\n');
  rows.sort();
  const rest = rows.slice(shownRows);
  const digest = createHash('sha256')
    .update(normalise(rest.join('\n'), place))
    .digest('hex')
    .slice(0, 10);
  return [
    header,
    ...rows.slice(0, shownRows),
    ...(rest.length === 0 ? [] : [`and ${rest.length} rows: ${digest}`]),
  ].join('\n');
}
