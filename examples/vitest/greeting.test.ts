import { describeSuite } from 'llmcheck/vitest';
import { expect, test } from 'vitest';

describeSuite('evals/greeting.eval.ts');

test('an answer of the app itself', async () => {
  const answer = 'Welcome back, Ada!';
  await expect(answer).toPassChecks([{ contains: 'Ada' }, { length: { max: 10, unit: 'words' } }]);
});
