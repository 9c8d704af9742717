import { expect, test } from 'vitest';
import { startEchoServer } from '../../support/chat-server.ts';
import { startServer } from '../../support/http-server.ts';
import { openTempProject, type TempProject } from '../../support/temp-project.ts';

// These start programs, and say nothing of time.
const slowTest = { timeout: 60_000 };

const judgeSource = (pass: boolean) =>
  `cat > /dev/null; echo '${JSON.stringify({ text: JSON.stringify({ reason: 'So it is.', pass }) })}'\n`;
const verdict = (pass: boolean) => ({ body: { text: JSON.stringify({ reason: 'So it is.', pass }) } });

function write(project: TempProject, judges: string, check: string) {
  project.write(
    'evals/kind.eval.yaml',
    `prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [openai:mini]
${judges === '' ? '' : `judges: [${judges}]\n`}cases:
  - { id: a, vars: { word: one }, assert: [${check}] }
  - { id: b, vars: { word: two }, assert: [{ contains: two }] }
`,
  );
}

interface Compared {
  readonly comparison?: { readonly cases: Readonly<Record<string, readonly string[]>> };
}

async function openProject() {
  const project = openTempProject();
  project.write('llmcheck.config.yaml', '');
  const server = await startEchoServer();
  return {
    project,
    accept: async (env: Readonly<Record<string, string>> = {}) => {
      await project.run(['run'], { env: { ...server.env, ...env } });
      expect((await project.run(['baseline', 'accept', '--force'])).code).toBe(0);
    },
    /** The exit code, and what the comparison calls each case. */
    compare: async (env: Readonly<Record<string, string>> = {}) => {
      const { code, report } = await project.report(['run'], { env: { ...server.env, ...env } });
      const [variant] = (report.suites[0]?.variants ?? []) as readonly Compared[];
      const named = Object.entries(variant?.comparison?.cases ?? {}).filter(([, ids]) => ids.includes('a'));
      return { code, kinds: named.map(([kind]) => kind) };
    },
  };
}

const rubric = '{ rubric: { value: It is kind., votes: 1 } }';

test.each([
  ['alone', rubric],
  ['within another check', `{ allOf: [{ not: { not: ${rubric} } }] }`],
])('a case whose judge is an edited program was accepted under other checks, %s', slowTest, async (_, check) => {
  const { project, accept, compare } = await openProject();
  write(project, '{ id: strict, use: "exec:sh judge.sh" }', check);
  project.write('evals/judge.sh', judgeSource(false));
  await accept();
  // The accepted file itself holds this failure.
  expect(await compare()).toEqual({ code: 0, kinds: ['stillFailing'] });
  project.write('evals/judge.sh', `${judgeSource(false)}\n`);
  expect(await compare()).toEqual({ code: 1, kinds: ['redefined'] });
});

test('so was one whose judge listens elsewhere, or is sent another body', slowTest, async () => {
  const { project, accept, compare } = await openProject();
  const judges = await Promise.all([startServer(verdict(false)), startServer(verdict(false))]);
  const [first, second] = judges;
  const http = (url: string | undefined, request = '{ q: "{{ messages }}" }') =>
    `{ id: strict, use: "http:judge", baseURL: "${url ?? ''}", request: ${request}, response: { text: $.text } }`;
  try {
    write(project, http(first?.url), rubric);
    await accept();
    expect((await compare()).code).toBe(0);
    write(project, http(second?.url), rubric);
    expect((await compare()).code).toBe(1);
    write(project, http(first?.url, '{ q: "{{ messages }}", how: kindly }'), rubric);
    expect((await compare()).code).toBe(1);
  } finally {
    for (const judge of judges) await judge.close();
  }
});

test.each([
  ['check', '', '{ exec: { value: sh check.sh, env: [MODE, APP_TOKEN] } }'],
  ['check within another', '', '{ not: { not: { exec: { value: sh check.sh, env: [MODE, APP_TOKEN] } } } }'],
  ['judge', '{ id: strict, use: "exec:sh judge.sh", env: [MODE, APP_TOKEN] }', rubric],
])('so was one whose %s is a program that is handed another value', slowTest, async (_, judges, check) => {
  const { project, accept, compare } = await openProject();
  project.write('evals/check.sh', `cat > /dev/null; echo '{"pass": false}'\n`);
  project.write('evals/judge.sh', judgeSource(false));
  write(project, judges, check);
  await accept({ MODE: 'mild', APP_TOKEN: 'token-9876543210' });
  // A credential says who asks.
  expect(await compare({ MODE: 'mild', APP_TOKEN: 'token-0123456789' })).toEqual({ code: 0, kinds: ['stillFailing'] });
  expect((await compare({ MODE: 'harsh', APP_TOKEN: 'token-9876543210' })).code).toBe(1);
});
