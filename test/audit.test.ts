import { expect, onTestFinished, test } from 'vitest';
import { findOwnFault } from '../audit/check-itself.ts';
import { describeOutcomes } from '../audit/describe-outcomes.ts';
import { runAudit } from '../audit/run-audit.ts';
import { startModelServer } from '../audit/server.ts';
import type { Way } from '../audit/way.ts';
import { ways } from '../audit/ways/index.ts';

async function startServer() {
  const server = await startModelServer();
  onTestFinished(() => server.close());
  return server;
}

const wrongAnswers: Way = {
  name: 'all answers are wrong',
  why: 'nobody looks',
  plant(project) {
    project.answer = () => 'nonsense';
  },
  modes: ['plain', 'cache'],
};

// These run many commands, and say nothing of time.
const slowTest = { timeout: 60_000 };

test('the audit finds what is planted in itself', { ...slowTest, tags: ['slow'] }, async () => {
  expect(await findOwnFault(await startServer())).toBeUndefined();
});

test('the audit says where a run says yes to a failure, and nothing of one that says no', slowTest, async () => {
  const outcomes = await runAudit(await startServer(), [wrongAnswers]);
  const planted = outcomes.filter(({ isPlanted }) => isPlanted);
  // The cache answers as before, so that exit 0 needs a reason, which this way does not give.
  expect(planted.map(({ mode, fault }) => [mode, fault])).toEqual([
    ['plain', undefined],
    ['cache', 'says yes to a failure'],
  ]);
  const text = describeOutcomes(outcomes, { ways: 1, isVerbose: false });
  expect(text).toBe(
    'all answers are wrong: says yes to a failure\n    cache: 0\n1 ways, 2 planted failures, 2 controls: 1 wrong\n',
  );
});

test('where the plan says yes, a no is wrong, and so is a yes without the words that it needs', slowTest, async () => {
  const says = (text: RegExp): Way => ({
    ...wrongAnswers,
    modes: ['cache'],
    green: { cache: { because: 'no model is asked', says: text } },
  });
  const refuses: Way = { ...wrongAnswers, modes: ['plain'], green: { plain: { because: 'a test' } } };
  const server = await startServer();
  const outcomes = await runAudit(server, [says(/6 cached/), says(/zebra/), refuses]);
  expect(outcomes.filter(({ isPlanted }) => isPlanted).map(({ fault }) => fault)).toEqual([
    undefined,
    'says nothing like /zebra/',
    'must end with 0: a test',
  ]);
});

test('a way that can not be planted is a fault, and no two ways have one name', slowTest, async () => {
  const broken: Way = { ...wrongAnswers, modes: ['plain'], plant: (project) => project.edit('gone.md', 'a', 'b') };
  const outcomes = await runAudit(await startServer(), [broken]);
  expect(outcomes.at(-1)?.fault).toContain('could not be run');
  expect(new Set(ways.map(({ name }) => name)).size).toBe(ways.length);
});
