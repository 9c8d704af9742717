import { expect, test } from 'vitest';
import { startChatServer } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';

const suite = (settings: string) => `prompts: [{ id: v1, text: Which? }]
providers: [{ id: mini, use: openai:gpt-4o-mini${settings} }]
cases: [{ id: a, assert: [{ contains: good }] }]
`;

test('an answer to other headers, or to another stream, is not taken from the cache', async () => {
  const project = openTempProject();
  const server = await startChatServer(() => 'good');
  const isCached = async (settings: string, env: Readonly<Record<string, string>> = {}) => {
    project.write('evals/a.eval.yaml', suite(settings));
    const { report } = await project.report(['run'], { env: { ...server.env, ...env } });
    return report.totals.cached === 1;
  };
  expect(await isCached('')).toBe(false);
  expect(await isCached('')).toBe(true);
  expect(await isCached(', headers: { x-route: a }')).toBe(false);
  expect(await isCached(', headers: { x-route: b }')).toBe(false);
  expect(await isCached(', headers: { X-Route: a }')).toBe(true);
  const ofVariable = ', headers: { x-route: { env: ROUTE } }';
  expect(await isCached(ofVariable, { ROUTE: 'c' })).toBe(false);
  expect(await isCached(ofVariable, { ROUTE: 'd' })).toBe(false);
  expect(await isCached(ofVariable, { ROUTE: 'c' })).toBe(true);
  // A key says who asks, so that its value does not count.
  const ofKey = ', headers: { x-token: { env: GATE_TOKEN } }';
  expect(await isCached(ofKey, { GATE_TOKEN: 'token-0123456789' })).toBe(false);
  expect(await isCached(ofKey, { GATE_TOKEN: 'token-9876543210' })).toBe(true);
  for (const file of project.files('.llmcheck/answers')) expect(project.read(file)).not.toMatch(/token-\d/);
  // The first answers are still there.
  expect(await isCached('')).toBe(true);
});
