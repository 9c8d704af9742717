import { listRuns, type ModeName, mustPass } from '../modes.ts';
import { baselinePath, casesPath, type Item, type Project, promptPath, queueOf, suitePath } from '../project.ts';
import type { Asked } from '../server.ts';
import { greenIn, type Story, type Way } from '../way.ts';

const wrong = 'nonsense';
const editedPrompt = 'Edited: {{ email }}';

/** Tickets of one queue, numbered from 1; none has to pass. */
function useTickets(project: Project, count: number, more: (number: number) => Item = () => ({})): void {
  project.suite.cases = Array.from({ length: count }, (_, index) => {
    const id = `t${String(index + 1).padStart(3, '0')}`;
    return { id, vars: { email: `refund please ${id}` }, expected: 'billing', ...more(index + 1) };
  });
}

/** The number of the ticket in a request. */
function numberOf({ text }: Asked): number {
  return Number(/\bt(\d{3})\b/.exec(text)?.[1] ?? 0);
}

async function accept(project: Project, runs = 1): Promise<void> {
  for (let run = 0; run < runs; run += 1) {
    await mustPass(project, 'run', '--cache', 'off');
    await mustPass(project, 'baseline', 'accept');
  }
}

/** The new prompt is answered wrong where a request is one of these; the accepted prompt is answered as before. */
function breakEdited(project: Project, isBroken: (asked: Asked) => boolean = () => true): void {
  project.answer = (asked) => (asked.text.includes('Edited') && isBroken(asked) ? wrong : queueOf(asked.text));
}

/** Gives the exit code where it is the right one and the report says these words; a fault of the audit otherwise. */
function expectExit(project: Project, code: number, right: number, says?: RegExp): number {
  if (code !== right) throw new Error(`ended with ${code} in the place of ${right}`);
  if (says !== undefined && !says.test(project.output)) throw new Error(`says nothing like ${String(says)}`);
  return code;
}

const run = (project: Project, ...args: readonly string[]) => project.llmcheck('run', '--cache', 'off', ...args);

/** The model is gone for both prompts, in a change that edits the prompt. */
const drift = (name: string, args: readonly string[], broken: readonly [number, number], right: number): Story => ({
  name: `drift: ${name}`,
  why: 'the accepted prompt fails too, so no case was broken by this change',
  async story(project, isPlanted) {
    const [failing, count] = broken;
    useTickets(project, count);
    await accept(project);
    const before = project.read(baselinePath);
    if (!args.includes('--drift')) project.write(promptPath, editedPrompt);
    if (isPlanted) project.answer = (asked) => (numberOf(asked) <= failing ? wrong : queueOf(asked.text));
    const code = await run(project, ...args);
    if (!isPlanted) return code;
    if (project.read(baselinePath) !== before) throw new Error('accepts what failed');
    return expectExit(project, code, right);
  },
});

/** Both sides would be asked with what is written now, and that is what broke the answers. */
const sharedChange = (
  name: string,
  plant: (provider: Item, project: Project) => void,
  isBroken: (asked: Asked) => boolean,
): Story => ({
  name: `--rerun-baseline: ${name}`,
  why: 'both sides are asked with the settings of today, and fail alike',
  async story(project, isPlanted) {
    useTickets(project, 6);
    await accept(project);
    project.suite.providers = project.suite.providers.map((provider) => ({ ...Object(provider) }));
    plant(Object(project.suite.providers[0]), project);
    if (isPlanted) project.answer = (asked) => (isBroken(asked) ? wrong : queueOf(asked.text));
    const code = await run(project, '--rerun-baseline');
    return isPlanted ? expectExit(project, code, 1) : code;
  },
});

/** Everything is broken for good, and little can be asked. */
const totalBreak = (
  name: string,
  why: string,
  prepare: (project: Project) => void,
  isBroken?: (asked: Asked) => boolean,
  right = 1,
): Story => ({
  name: `a total break: ${name}`,
  why,
  async story(project, isPlanted) {
    prepare(project);
    await accept(project);
    project.write(promptPath, editedPrompt);
    if (isPlanted) breakEdited(project, isBroken);
    const code = await run(project);
    return isPlanted ? expectExit(project, code, right) : code;
  },
});

function useProviders(project: Project, count: number): void {
  const [first] = project.suite.providers;
  project.suite.providers = Array.from({ length: count }, (_, index) => ({
    ...Object(first),
    id: `m${index}`,
    use: `openai:gpt-4o-mini-${index}`,
  }));
}

/** One case fails once, whose fresh trials would pass. */
const oneFlake = (budget: number | string): Story => ({
  name: `a flake that no call may settle, with a budget of ${budget}`,
  why: 'what was not asked again is no failure, so the run passes',
  async story(project, isPlanted) {
    useTickets(project, 12);
    if (isPlanted) project.suite['gate'] = { confirm: { budget } };
    await accept(project);
    project.write(promptPath, editedPrompt);
    let failures = 0;
    project.answer = (asked) => {
      if (numberOf(asked) !== 3 || !asked.text.includes('Edited') || failures > 0) return queueOf(asked.text);
      failures += 1;
      return wrong;
    };
    const code = await run(project);
    return isPlanted ? expectExit(project, code, 4) : code;
  },
});

/** Every answer is wrong, and the checks are edited until they pass. */
const weakened = (name: string, project: (project: Project) => void, more: Partial<Way> = {}): Way => ({
  name: `weakened checks and wrong answers, ${name}`,
  why: 'every answer passes the checks of today',
  modes: weakenedModes,
  project,
  plant(planted) {
    planted.suite.defaults = { assert: [{ length: { min: 1 } }] };
    planted.write(promptPath, editedPrompt);
    breakEdited(planted);
  },
  ...more,
});

const weakenedModes: readonly ModeName[] = ['baseline', 'baseline+cache', 'baseline+resume', 'baseline+shards'];

/** A change of what is sent, and equal answers: exit 0 is right, the word `unchanged` is not. */
const otherRequests = (
  name: string,
  plant: (project: Project) => void,
  prepare?: (project: Project) => void,
): Story => ({
  name: `a changed request is called unchanged: ${name}`,
  why: 'prompt, params and answers are the same',
  async story(project, isPlanted) {
    useTickets(project, 3);
    prepare?.(project);
    await accept(project);
    if (isPlanted) plant(project);
    await mustPass(project, 'run', '--cache', 'off');
    const isUnchanged = /unchanged|nothing that is sent/i.test(project.output);
    if (!isPlanted && !isUnchanged) throw new Error('says nothing of an unchanged suite');
    return isPlanted && !isUnchanged ? 1 : 0;
  },
});

/** A program that takes its answer from a file that its command line names. */
function useProgram(project: Project): void {
  project.env['PATH'] = process.env['PATH'] ?? '';
  project.write('evals/agent.json', '{"queue":"billing"}\n');
  project.write(
    'evals/agent.mjs',
    "import { readFileSync } from 'node:fs';\nconst file = process.argv[2].replace('--config=', '');\nconsole.log(JSON.parse(readFileSync(file, 'utf8')).queue);\n",
  );
  project.suite.providers = [{ id: 'mini', use: 'exec:node agent.mjs --config=agent.json' }];
}

/** Two stored runs, of which the second one failed. */
const compared = (name: string, isBroken: (asked: Asked) => boolean, isAskedAgain = false): Story => ({
  name: `compare: ${name}`,
  why: 'no call is made, so nothing is confirmed',
  async story(project, isPlanted) {
    useTickets(project, 3);
    if (!isAskedAgain) project.suite['gate'] = { confirm: { budget: 0 } };
    await mustPass(project, 'run', '--cache', 'off');
    project.write(promptPath, editedPrompt);
    if (isPlanted) breakEdited(project, isBroken);
    await run(project);
    const [before = '', after = ''] = listRuns(project);
    const code = await project.llmcheck('compare', before, after);
    if (!isPlanted) return code;
    expectExit(project, code, isAskedAgain ? 1 : 4);
    expectExit(project, await project.llmcheck('compare', before, after, '--report-only'), 0);
    return code;
  },
});

/** Every planned answer of these tickets is wrong at first, each for so many requests. */
function failAtFirst(project: Project, isBad: (number: number) => boolean, requests: number): void {
  const asked = new Map<number, number>();
  project.answer = (request) => {
    const number = numberOf(request);
    const count = asked.get(number) ?? 0;
    asked.set(number, count + 1);
    return isBad(number) && count < requests ? wrong : queueOf(request.text);
  };
}

/** The exit code of a merge in a job that lacks a file of cases, and that of the report of what was merged. */
async function mergeElsewhere(project: Project, file: string, isPlanted: boolean): Promise<number> {
  const before = new Set(listRuns(project));
  for (const shard of ['1/2', '2/2']) await run(project, '--shard', shard);
  const shards = listRuns(project).filter((record) => !before.has(record));
  project.remove(file);
  const code = await project.llmcheck('merge', ...shards);
  if (!isPlanted) return code;
  await project.llmcheck('report', 'latest');
  return expectExit(project, code, 1, /^FAILED/m);
}

/** Verdicts that once were green, or blamed a change, whatever the run had seen. */
export const verdictWays: readonly (Way | Story)[] = [
  drift('all of 20 cases fail with both prompts', [], [20, 20], 3),
  drift(
    'all of 20 cases fail with both prompts, and the baseline is to be updated',
    ['--update-baseline'],
    [20, 20],
    3,
  ),
  drift('one of 10 cases fails with both prompts', [], [1, 10], 3),
  drift('all of 20 cases fail at night', ['--drift'], [20, 20], 1),
  {
    name: 'shards that failed are merged where a file of cases is missing',
    why: 'the cases that failed are in no suite of today',
    async story(project, isPlanted) {
      project.suite['gate'] = { cases: { added: 'warn' } };
      project.suite.cases = project.suite.cases.map((entry) => ('file' in entry ? { file: 'cases/*.jsonl' } : entry));
      project.write('evals/cases/first.jsonl', '{"id":"first","vars":{"email":"parcel lost"},"expected":"shipping"}\n');
      await accept(project);
      project.write(promptPath, editedPrompt);
      if (isPlanted) breakEdited(project, ({ text }) => /late delivery|password reset/.test(text));
      return mergeElsewhere(project, casesPath, isPlanted);
    },
  },
  {
    name: 'added cases that failed in shards are merged where their file is missing',
    why: 'what is in no suite of today has left the suite',
    async story(project, isPlanted) {
      project.suite['gate'] = { cases: { added: 'warn' } };
      project.suite.cases = project.suite.cases.map((entry) => ('file' in entry ? { file: 'cases/*.jsonl' } : entry));
      await accept(project);
      project.write(
        'evals/cases/generated.jsonl',
        Array.from(
          { length: 6 },
          (_, index) => `{"id":"g${index}","vars":{"email":"late delivery"},"expected":"shipping"}\n`,
        ).join(''),
      );
      project.write(promptPath, editedPrompt);
      if (isPlanted) breakEdited(project, ({ text }) => /late delivery|refund/.test(text));
      return mergeElsewhere(project, 'evals/cases/generated.jsonl', isPlanted);
    },
  },
  {
    name: 'the report of a failed run whose suite is gone',
    why: 'nothing is left that could have failed',
    async story(project, isPlanted) {
      await accept(project);
      project.write(promptPath, editedPrompt);
      if (isPlanted) breakEdited(project);
      await run(project);
      const decisionOf = async () => {
        await project.llmcheck('report', 'latest', '-r', 'json=report.json');
        return JSON.stringify(JSON.parse(project.read('report.json')).decision);
      };
      const before = await decisionOf();
      project.remove(casesPath);
      project.remove(suitePath);
      if ((await decisionOf()) !== before) throw new Error('decides otherwise without the files of the suite');
      return before.includes('"outcome":"passed"') ? 0 : 1;
    },
  },
  sharedChange(
    'another model',
    (provider) => Object.assign(provider, { use: 'openai:other' }),
    ({ model }) => model === 'other',
  ),
  sharedChange(
    'another address',
    (provider, { serverUrl }) => Object.assign(provider, { baseURL: `${serverUrl}/other` }),
    ({ path }) => path.startsWith('/other'),
  ),
  sharedChange(
    'another header',
    (provider) => Object.assign(provider, { headers: { 'x-mode': 'terse' } }),
    ({ headers }) => headers['x-mode'] === 'terse',
  ),
  sharedChange(
    'streamed answers',
    (provider) => Object.assign(provider, { stream: true }),
    ({ body }) => body['stream'] === true,
  ),
  ...[
    [3, 2],
    [4, 2],
    [12, 2],
    [5, 3],
    [5, 4],
    [1, 1],
  ].map(([cases = 0, providers = 0]) =>
    totalBreak(
      `${cases} cases with ${providers} providers`,
      'the planned calls are too few to ask everything again',
      (project) => {
        useTickets(project, cases);
        useProviders(project, providers);
      },
    ),
  ),
  totalBreak(
    '4 of 12 cases with 2 providers',
    'the planned calls are too few to ask everything again',
    (project) => {
      useTickets(project, 12);
      useProviders(project, 2);
    },
    (asked) => numberOf(asked) <= 4,
  ),
  ...[
    [6, 0.02],
    [5, 0.01],
    [6, 0.001],
  ].map(([cases = 0, alpha = 0]) =>
    totalBreak(`${cases} cases under an alpha of ${alpha}`, 'chance explains what so few cases show', (project) => {
      useTickets(project, cases);
      project.suite['gate'] = { alpha };
    }),
  ),
  ...[0b1110_0000, 0b0111_0000, 0b1010_1000, 0b1001_0010, 0b0100_1001, 0b0000_0111, 0b0010_0101, 0b1000_0011].map(
    (singles) =>
      totalBreak(
        `six of 13 cases, three of them in a group of five, and singles ${singles.toString(2).padStart(8, '0')}`,
        'which cases are asked again depends on the group of each',
        (project) => useTickets(project, 13, (number) => (number <= 5 ? { group: 'thread' } : {})),
        (asked) => {
          const number = numberOf(asked);
          return number <= 3 || (number > 5 && ((singles >> (number - 6)) & 1) === 1);
        },
      ),
  ),
  {
    name: 'a fall of the pass rate at 50 cases, beside a bad hour that ends',
    why: 'the average is confirmed or cleared without asking the new prompt again',
    async story(project, isPlanted) {
      useTickets(project, 50);
      await accept(project);
      project.write(promptPath, editedPrompt);
      // The control fails as often in the planned calls, and never again.
      failAtFirst(project, (number) => number % 4 === 0, 1);
      if (isPlanted) breakEdited(project, (asked) => numberOf(asked) % 4 === 0);
      const code = await run(project);
      return isPlanted ? expectExit(project, code, 1) : code;
    },
  },
  oneFlake(0),
  oneFlake('1%'),
  totalBreak(
    '12 cases and a budget of 0',
    'what was not asked again is no failure',
    (project) => {
      useTickets(project, 12);
      project.suite['gate'] = { confirm: { budget: 0 } };
    },
    undefined,
    4,
  ),
  weakened('where every case must pass', (project) => useTickets(project, 6, () => ({ mustPass: true }))),
  weakened('where loosened cases fail', (project) => {
    useTickets(project, 6);
    project.suite['gate'] = { cases: { loosened: 'fail' } };
  }),
  weakened('where no case must pass', (project) => useTickets(project, 6), {
    green: greenIn(
      weakenedModes,
      'prompts and golden answers may change together; the headline counts what was loosened',
      /6 loosened checks: under the accepted ones 6 of 6 cases would fail|loosened check/,
    ),
  }),
  otherRequests('streamed answers', ({ suite }) => Object.assign(Object(suite.providers[0]), { stream: true })),
  otherRequests('another header', ({ suite }) =>
    Object.assign(Object(suite.providers[0]), { headers: { 'x-mode': 'terse' } }),
  ),
  otherRequests('another address', ({ suite, serverUrl }) =>
    Object.assign(Object(suite.providers[0]), { baseURL: `${serverUrl}/other` }),
  ),
  otherRequests(
    'an edited file of a program',
    (project) => project.write('evals/agent.json', '{"queue":"billing","mode":"terse"}\n'),
    useProgram,
  ),
  {
    name: 'an edited file that the command line of a program names',
    why: 'the cache holds the answers of the same command line',
    async story(project, isPlanted) {
      useTickets(project, 3);
      useProgram(project);
      await mustPass(project, 'run');
      await mustPass(project, 'baseline', 'accept');
      if (isPlanted) project.edit('evals/agent.json', 'billing', wrong);
      return project.llmcheck('run');
    },
  },
  {
    name: 'a case of a group of which one breaks',
    why: 'what is known of one case is said of all of its group',
    async story(project, isPlanted) {
      useTickets(project, 10, (number) => (number <= 5 ? { group: 'thread' } : {}));
      await accept(project);
      project.write(promptPath, editedPrompt);
      if (isPlanted) breakEdited(project, (asked) => numberOf(asked) <= 5);
      const code = await run(project, '-r', 'json=report.json');
      if (!isPlanted) return code;
      const report: Evidence = JSON.parse(project.read('report.json'));
      const asked = report.decision.evidence.filter(({ verdict }) => verdict === 'broken');
      if (asked.some((entry) => entry.asked === 0)) throw new Error('a case broke that was not asked again');
      return code;
    },
  },
  {
    name: 'an added case that must pass and never passed',
    why: 'it breaks nothing that was accepted',
    async story(project, isPlanted) {
      useTickets(project, 6);
      await accept(project);
      project.suite.cases.push({ id: 'new', vars: { email: 'late delivery' }, expected: 'shipping', mustPass: true });
      if (isPlanted) project.answer = ({ text }) => (text.includes('delivery') ? wrong : queueOf(text));
      const code = await run(project);
      if (isPlanted && /\bbroke\b/.test(project.output)) throw new Error('says that it broke');
      return isPlanted ? expectExit(project, code, 1) : code;
    },
  },
  {
    name: 'a case breaks in a suite of which a quarter is known to be flaky',
    why: 'its nights are never quiet, so nobody looks',
    async story(project, isPlanted) {
      useTickets(project, 40);
      let state = 1;
      const flake = (asked: Asked) => {
        state = (state * 16_807) % 2_147_483_647;
        return numberOf(asked) % 4 === 1 && state % 5 === 0 ? wrong : queueOf(asked.text);
      };
      await accept(project);
      project.answer = flake;
      for (let night = 0; night < 4; night += 1) {
        await run(project);
        await mustPass(project, 'baseline', 'accept');
      }
      if (isPlanted) {
        project.write(promptPath, editedPrompt);
        project.answer = (asked) => (asked.text.includes('Edited') && numberOf(asked) === 7 ? wrong : flake(asked));
        return expectExit(project, await run(project), 1);
      }
      for (let night = 1; night <= 10; night += 1) {
        const code = await run(project);
        if (code !== 0) throw new Error(`night ${night} ended with ${code}`);
        if (!/^PASSED/m.test(project.output) || /accepted prompt too|not settled/.test(project.output))
          throw new Error(`night ${night} is not quiet`);
      }
      return 0;
    },
  },
  compared('all of 3 cases broke', () => true),
  compared('all of 3 cases broke, and fresh trials are stored', () => true, true),
  compared('one of 3 cases broke', (asked) => numberOf(asked) === 2),
];

/** What is read of a report in JSON. */
interface Evidence {
  readonly decision: {
    readonly kind: string;
    readonly evidence: readonly { readonly caseId: string; readonly verdict: string; readonly asked: number }[];
  };
}
