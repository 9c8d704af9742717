import { expect, test } from 'vitest';
import { startChatServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const refused = (message: string, code = 'no') => ({ status: 400, body: { error: { code, message } } });

const suite = `suite: words
prompts: [{ id: v1, text: "Say: {{ word }}" }]
providers: [{ id: mini, use: openai:gpt-4o-mini, price: { input: 1000, output: 1000 } }]
defaults: { assert: [{ equals: "{{ word }}" }] }
cases:
`;
const caseOf = (word: string, more = '') => `  - { id: ${word}, vars: { word: ${word} }${more} }\n`;

test('the log of CI names each failure by its trial with the reason, and ends with what was counted and spent', async () => {
  const { env } = await startChatServer(({ text }) => {
    const word = text.slice('Say: '.length);
    if (word === 'broken') return refused('this is no request');
    if (word === 'filtered') return refused('this is filtered', 'content_filter');
    return word === 'bad' ? 'something else' : word;
  });
  const project = openTempProject();
  const words = ['good', 'bad', 'broken', 'filtered'].map((word) => caseOf(word)).join('');
  const more = 'gate: { confirm: { budget: 0 } }\n';
  project.write('evals/words.eval.yaml', suite + words + caseOf('later', ', skip: not yet') + more);
  const log = async () => (await project.run(['run', '--trials', '2'], { env: { ...env, CI: 'true' } })).stderr;
  const first = await log();
  expect(first).toMatch(/^✗ words\/bad · v1 × mini .*something else/m);
  expect(first).toMatch(/^✗ words\/bad · v1 × mini · trial 2 .*something else/m);
  expect(first).toMatch(/^! words\/broken · v1 × mini · trial 2 .*this is no request/m);
  expect(first).toMatch(/^✗ words\/filtered · v1 × mini · trial 2 .*this is filtered/m);
  expect(first).toContain('10/10, 2 passed, 4 failed, 2 errored, 2 skipped, spent $0.0600, took');
  expect(await log()).toContain('10/10, 2 passed, 4 failed, 2 errored, 2 skipped, 4 cached, spent $0, took');
  const resumed = await project.run(['run', '--resume'], { env });
  expect(resumed.stderr).toContain('4/4, 0 passed, 0 failed, 2 errored, 2 skipped, 6 kept from before, spent $0, took');
});

test('the log of CI tells trials of the accepted prompt from those of the new one', async () => {
  let isLater = false;
  const { env } = await startChatServer(({ text }) =>
    isLater && text.endsWith('two') ? 'wrong' : (text.split(' ').at(-1) ?? ''),
  );
  const project = openTempProject();
  const cases = ['one', 'two', 'three', 'four', 'five', 'six'].map((word) => caseOf(word)).join('');
  project.write('evals/words.eval.yaml', suite + cases);
  await project.run(['run', '--update-baseline'], { env });
  isLater = true;
  project.write('evals/words.eval.yaml', suite.replace('Say:', 'Please say:') + cases);
  const { stderr } = await project.run(['run', '--cache', 'off'], { env: { ...env, CI: 'true' } });
  expect(stderr).toMatch(/^✗ words\/two · v1 × mini · fresh trial /m);
  expect(stderr).toMatch(/^✗ words\/two · v1 × mini · accepted prompt /m);
});
