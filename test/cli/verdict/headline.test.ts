import { expect, test } from 'vitest';
import { startChatServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const suiteFile = 'evals/words.eval.yaml';
const words = Array.from({ length: 20 }, (_, index) => `w${index + 1}`);

const suite = `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers:
  - { id: mini, use: openai:gpt-4o-mini, params: { user: mini } }
  - { id: big, use: openai:gpt-4o-mini, params: { user: big } }
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
${words.map((word) => `  - { id: ${word}, vars: { word: ${word} } }`).join('\n')}
`;

test.each([
  ['it fell alike on both variants', false, '100 → 95 %'],
  ['one of two variants fixed a case as well', true, '100 → 95 % at worst'],
])('the pass rate in the headline where %s', { tags: 'slow' }, async (_name, isFixed, rate) => {
  const server = await startChatServer(({ text, body }) => {
    const word = text.split(' ').at(-1) ?? '';
    const isEdited = text.startsWith('Now. ');
    const isWrong = isEdited ? word === 'w3' : isFixed && body['user'] === 'big' && word === 'w9';
    return isWrong ? 'sorry' : word;
  });
  const { env } = server;
  const project = openTempProject();
  project.write(suiteFile, suite);
  await project.run(['run', '-q'], { env });
  await project.run(['baseline', 'accept', '--force'], { env });
  project.write(suiteFile, suite.replace('"Say:', '"Now. Say:'));
  const { code, stdout } = await project.run(['run', '-r', 'json'], { env });
  const { decision } = JSON.parse(stdout) as { readonly decision: { readonly headline: string } };
  expect(code).toBe(1);
  expect(decision.headline).toBe(`1 of 20 words cases broke with v1 (mini and big): pass rate ${rate}`);
});
