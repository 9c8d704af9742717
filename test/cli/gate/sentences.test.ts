import { expect, test } from 'vitest';
import { startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

/** A suite of so many cases whose prompt is edited after it was accepted; the edited prompt breaks the first ones. */
async function compareEdited(cases: number, broken: number) {
  const project = openTempProject();
  const server = await startChatServer(({ text }) => {
    const isBroken = text.startsWith('Please') && Number(text.split('-').at(-1)) < broken;
    return isBroken ? 'sorry' : wordOf(text.replace('Please say: ', 'Say: '));
  });
  const write = (prompt: string) =>
    project.write(
      'evals/words.eval.yaml',
      `suite: words
prompts: [{ id: v1, text: "${prompt} {{ word }}" }]
providers: [openai:gpt-4o-mini]
defaults: { assert: [{ equals: "{{ word }}" }] }
cases: [{ file: words.jsonl }]
`,
    );
  const lines = Array.from({ length: cases }, (_, index) =>
    JSON.stringify({ id: `case-${index}`, vars: { word: `word-${index}` } }),
  );
  project.write('evals/words.jsonl', `${lines.join('\n')}\n`);
  write('Say:');
  const { env } = server;
  await project.run(['run', '-q'], { env });
  await project.run(['baseline', 'accept'], { env });
  write('Please say:');
  const { code, stdout } = await project.run(['run', '-q'], { env });
  const headline = stdout.split('\n').filter((line) => line !== '');
  return { code, headline: headline.slice(headline.findIndex((line) => /^[A-Z]{6,}/.test(line))).join(' ') };
}

test.each([
  [5, 'PASSED: no case broke; with 5 cases a drop of up to 44 points could go unnoticed'],
  [20, 'PASSED: no case broke; with 20 cases a drop of up to 17 points could go unnoticed'],
  [50, 'PASSED: no case broke; with 50 cases a drop of up to 8 points could go unnoticed'],
  [100, 'PASSED: certain: a larger drop than the gate tolerates is excluded'],
  [1000, 'PASSED: certain: a larger drop than the gate tolerates is excluded'],
])(
  'an edited prompt under which all of %i cases still pass is said to be as sure as they can be',
  async (cases, said) => {
    const { code, headline } = await compareEdited(cases, 0);
    expect([code, headline.replaceAll(/\s+/g, ' ')]).toEqual([0, expect.stringContaining(said)]);
  },
);

test.each([5, 20, 50, 100, 1000])('an edited prompt that breaks one of ten of %i cases fails', async (cases) => {
  const { code, headline } = await compareEdited(cases, Math.ceil(cases / 10));
  expect([code, headline]).toEqual([1, expect.stringContaining('FAILED')]);
});
