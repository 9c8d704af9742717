import { expect, test } from 'vitest';
import { promptTimeoutMs, renderPrompts } from '../../../src/programs/render-prompts.ts';
import { startEchoServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

async function validate(code: string, { prompt = 'module: ../p.mjs', top = '' } = {}) {
  const project = openTempProject();
  const server = await startEchoServer();
  project.write('p.mjs', code);
  project.write(
    'evals/s.eval.yaml',
    `prompts: [{ id: live, ${prompt} }]
providers: [openai:m]
${top}
cases:
  - { id: one, vars: { word: red, n: 1 }, assert: [{ contains: red }] }
  - { id: two, vars: { word: blue, n: 2 }, assert: [{ contains: blue }] }
`,
  );
  const { code: exit, stderr } = await project.run(['run'], { env: server.env });
  return { exit, stderr, sent: server.requests.length };
}

test.each<[why: string, code: string, says: string]>([
  [
    'throws',
    'export default ({ word }) => { if (word === "blue") throw new Error("no blue"); return word; };',
    'prompt "live" threw Error: no blue',
  ],
  [
    'depends on the clock',
    'export default ({ word }) => (new Date().getMonth() === 11 ? `Merry ${word}` : word);',
    'is not the same when it is made again',
  ],
  [
    'noted the time when it was loaded',
    'const day = new Date().toISOString().slice(0, 10);\nexport default ({ word }) => `${word} ${day}`;',
    'is not the same when it is made again',
  ],
  [
    'depends on chance',
    'export default ({ word }) => [{ role: "user", content: Math.random() < 0.01 ? "seldom" : word }];',
    'is not the same when it is made again: message 1 has "seldom", then',
  ],
  [
    'depends on the hour',
    'export default ({ word }) => `Good ${new Date().getHours() < 5 ? "night" : "day"}: ${word}`;',
    'is not the same when it is made again',
  ],
  [
    'returns a number',
    'export default ({ n }) => n;',
    'a prompt is a text, a list of {role, content}, or {messages, params, tools}',
  ],
  ['returns nothing', 'export default () => {};', 'returned no prompt but undefined'],
  [
    'returns a tool with a function',
    'export default ({ word }) => ({ messages: [{ role: "user", content: word }], tools: [{ name: "a", execute() {} }] });',
    '"execute" is a function, which is no data',
  ],
  [
    'returns an infinite parameter',
    'export default ({ word }) => ({ messages: [{ role: "user", content: word }], params: { seed: Infinity } });',
    '"seed" is Infinity, which is no data',
  ],
  [
    'returns other params by case',
    'export default ({ word, n }) => ({ messages: [{ role: "user", content: word }], params: { seed: n } });',
    'other params or tools than for case "one"',
  ],
  [
    'holds a key',
    'export default ({ word }) => `${word} sk-proj-abcdefgh1234567890ABCDEFGH`;',
    'holds an OpenAI key, which no variable has',
  ],
  ['is not exported', 'export const other = () => "";', 'exports no function "default", only other'],
  [
    'imports what is not there',
    'import { a } from "@/lib/a";\nexport default a;',
    "can't be loaded: Error: Cannot find package '@/lib'",
  ],
])('a prompt that %s sends nothing', { tags: 'slow' }, async (_, code, says) => {
  const { exit, stderr, sent } = await validate(code);
  expect([exit, sent]).toEqual([2, 0]);
  expect(stderr).toContain(says);
  expect(stderr).toContain('evals/s.eval.yaml:1:');
  expect(stderr).toMatch(/in case "(?:one|two)"/);
});

test('a prompt that never ends is stopped after ten seconds, here after less, and its case has the fault', {
  tags: 'slow',
}, async () => {
  const project = openTempProject();
  project.write('p.mjs', 'export default ({ word }) => (word === "blue" ? new Promise(() => {}) : word);');
  const module = { file: project.path('p.mjs'), exportName: 'default' };
  const vars = ['red', 'blue', 'green'].map((word) => ({ word }));
  const job = { module, vars, root: project.root, boundary: project.root, folder: project.root };
  const { first, second } = await renderPrompts(job, 4000);
  const stopped = { fault: 'took longer than 4000 ms' };
  expect(promptTimeoutMs).toBe(10_000);
  expect(first).toMatchObject([{ returned: 'red' }, stopped, { isFollowing: true }]);
  // The second time begins with the last case.
  expect(second).toMatchObject([{ isFollowing: true }, stopped, { digest: expect.stringMatching(/\w/) }]);
});

test('variables that are read and not there are errors, and those that no one reads are warnings', {
  tags: 'slow',
}, async () => {
  const missing = await validate('export default ({ word, tone = "calm" }) => `${word} ${tone}`;');
  expect([missing.exit, missing.sent]).toEqual([2, 0]);
  expect(missing.stderr).toContain('prompt "live" reads the variable "tone", which no case supplies');
  const top = 'contract: { input: { type: object, properties: { word: {}, n: {}, tone: {} }, required: [word] } }';
  const optional = await validate('export default ({ word, tone = "calm" }) => `${word} ${tone}`;', { top });
  expect([optional.exit, optional.sent]).toEqual([0, 2]);
  expect(optional.stderr).toContain('no template reads the variable "n"');
  const closed = 'contract: { input: { type: object, properties: { n: {} }, additionalProperties: false } }';
  const unknown = await validate('export default ({ word }) => word;', { top: closed });
  expect([unknown.exit, unknown.sent]).toEqual([2, 0]);
  expect(unknown.stderr).toContain('prompt "live" reads "word"');
});

const program = 'import sys, json\nfor line in sys.stdin:\n    vars = json.loads(line)\n';

test.each<[why: string, code: string, exit: number, says: string]>([
  ['answers', '    print(json.dumps([{"role": "user", "content": vars["word"]}]))\n', 0, ''],
  [
    'fails',
    '    assert vars["word"] != "blue"\n    print(json.dumps(vars["word"]))\n',
    2,
    'prompt "live" ended with exit code 1: ',
  ],
  ['shuffles', '    print(json.dumps(vars["word"] + str(hash("a"))))\n', 2, 'is not the same when it is made again'],
])('a program that %s', { tags: 'slow' }, async (_, body, wanted, says) => {
  const { exit, stderr, sent } = await validate(program + body, { prompt: 'exec: python3 ../p.mjs' });
  expect(stderr).toContain(says);
  expect([exit, sent]).toEqual([wanted, wanted === 0 ? 2 : 0]);
  expect(stderr.includes('evals/s.eval.yaml:1:')).toBe(wanted === 2);
});

test('the settings of a case file hold for prompts in code: its variables, and the prompts that it names', {
  tags: 'slow',
}, async () => {
  const project = openTempProject();
  const server = await startEchoServer();
  project.write('warm.mjs', 'export default ({ word, tone }) => `${tone} ${word}`;');
  project.write('cold.mjs', 'export default ({ word, degrees }) => `${degrees} ${word}`;');
  project.write('evals/warm.yaml', '- { id: one, vars: { word: red } }\n');
  project.write(
    'evals/s.eval.yaml',
    `prompts: [{ id: warm, module: ../warm.mjs }, { id: cold, module: ../cold.mjs }]
providers: [openai:m]
cases:
  - { file: warm.yaml, prompts: [warm], vars: { tone: kind }, assert: [{ contains: kind red }] }
  - { id: two, prompts: [cold], vars: { word: ice, degrees: 3 }, assert: [{ contains: 3 ice }] }
`,
  );
  const { code, stderr, stdout } = await project.run(['run'], { env: server.env });
  expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
  expect(server.requests.length).toBe(2);
});
