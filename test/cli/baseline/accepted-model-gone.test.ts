// @module-tag slow
import { describe, expect, test } from 'vitest';
import { type ChatReply, completionOf, startChatServer, wordOf } from '../../support/chat-server.ts';
import { openTempProject } from '../../support/temp-project.ts';
import { casesFile, firstWords, suiteFile } from './baseline-project.ts';

const refusals = {
  'is gone (404)': { status: 404, body: { error: { message: 'gone', code: 'model_not_found' } } },
  'is not allowed (403)': { status: 403, body: { error: { message: 'no access' } } },
  'refuses every request (400)': { status: 400, body: { error: { message: 'unknown parameter' } } },
  'gives no answer that can be read': { body: { object: 'nothing' } },
} satisfies Record<string, ChatReply>;

interface GoneOptions {
  readonly cases: number;
  readonly refusal: ChatReply;
  /** Answers of the old model before it refuses. */
  readonly answered?: number;
  /** What the new model says; `asked` counts from 0. */
  readonly answer: (word: string, asked: number) => string;
}

/** Accepts the answers of one model, then runs another one, while the first refuses everything. */
async function runWithoutOldModel({ cases, refusal, answered = 0, answer }: GoneOptions) {
  const project = openTempProject('baseline');
  const asked = new Map<string, number>();
  let [isOld, askedOld] = [true, 0];
  const server = await startChatServer(({ text, model }) => {
    const word = wordOf(text);
    if (isOld) return { body: completionOf(word, model) };
    if (model === 'gpt-4o-mini') {
      askedOld += 1;
      return askedOld <= answered ? { body: completionOf(word, model) } : refusal;
    }
    const before = asked.get(word) ?? 0;
    asked.set(word, before + 1);
    return { body: completionOf(answer(word, before), model) };
  });
  const { env } = server;
  project.write(casesFile, project.read(casesFile).split('\n').slice(0, cases).join('\n'));
  await project.run(['run'], { env });
  await project.run(['baseline', 'accept'], { env });
  isOld = false;
  project.write(suiteFile, project.read(suiteFile).replace('gpt-4o-mini', 'gpt-4.1-mini'));
  const run = await project.report(['run', '--cache', 'refresh', '-j', '1'], { env });
  const later = JSON.parse((await project.run(['report', 'latest', '-r', 'json'], { env })).stdout);
  expect(later.decision).toEqual(run.report.decision);
  const codes = [...new Set(run.report.decision.breaches.map(({ code }) => code))];
  const sent = [...asked.values()].reduce((sum, count) => sum + count, 0);
  return { code: run.code, codes, warnings: run.report.decision.warnings.join('\n'), askedOld, sent };
}

const sayWrong = (wrong: readonly string[]) => (word: string) => (wrong.includes(word) ? 'sorry' : word);

// How a model refuses and how many cases there are do not depend on each other: one refusal meets every number.
describe.each(Object.entries(refusals))('an accepted model that %s', (name, refusal) => {
  const numbersOr = (numbers: readonly number[]) => (name === 'is gone (404)' ? numbers : [20]);

  test.each(numbersOr([2, 9, 10, 20]))(
    'is asked twice at most where one of %i cases broke, which is found',
    async (cases) => {
      const run = await runWithoutOldModel({ cases, refusal, answer: sayWrong(['w02']) });
      expect([run.code, run.codes]).toEqual([1, ['case-broken']]);
      expect(run.askedOld).toBeLessThanOrEqual(2);
      // Six failures show one suspect at 0.025.
      expect(run.sent).toBe(cases + 6);
      expect(run.warnings).toContain('the accepted prompt could not be asked again');
    },
  );

  test.each(numbersOr([9, 10, 20]))('hides no drop, though all of %i cases broke', async (cases) => {
    const run = await runWithoutOldModel({ cases, refusal, answer: () => 'sorry' });
    expect(run.code).toBe(1);
    expect(run.askedOld).toBeLessThanOrEqual(2);
    // Nine or ten failures confirm a case, and two cases of twenty are paid by as many calls as were planned.
    expect(run.sent).toBeLessThanOrEqual(Math.max(cases + 10, 2 * cases));
  });

  test.each(numbersOr([9, 10, 20]))('fails no run by its errors: of %i cases some flaked', async (cases) => {
    const flaky = firstWords(2);
    const run = await runWithoutOldModel({
      cases,
      refusal,
      answer: (word, asked) => (asked === 0 && flaky.includes(word) ? 'sorry' : word),
    });
    expect([run.code, run.codes]).toEqual([0, []]);
    expect(run.askedOld).toBeLessThanOrEqual(2);
  });
});

test.each<[cases: number, answered: number]>([
  [9, 1],
  [10, 1],
  [20, 1],
  [20, 2],
  [20, 3],
  [20, 4],
  [20, 8],
])(
  'in %i cases, an accepted model that goes after %i answers hides neither a broken case nor many',
  async (cases, answered) => {
    const refusal = refusals['is gone (404)'];
    const run = await runWithoutOldModel({ cases, refusal, answered, answer: () => 'sorry' });
    expect(run.code).toBe(1);
    const one = await runWithoutOldModel({ cases, refusal, answered, answer: sayWrong(['w02']) });
    expect([one.code, one.codes]).toEqual([1, ['case-broken']]);
  },
);
