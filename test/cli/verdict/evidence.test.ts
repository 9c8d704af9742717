import { describe, expect, test } from 'vitest';
import { breakTen, openPullRequest, openTickets, type TicketsProject } from './tickets-project.ts';

interface Row {
  readonly name: string;
  /** Brings the project to the moment before the run. */
  readonly play: () => Promise<TicketsProject>;
  readonly argv?: readonly string[];
  readonly baseline?: string;
  readonly says: string;
  readonly code: number;
  readonly check: 'success' | 'neutral' | 'failure';
}

const one = { providers: ['mini'] };

async function openAccepted(options = {}): Promise<TicketsProject> {
  const project = await openTickets({ ...one, ...options });
  await project.accept();
  return project;
}

async function openEdited(options = {}): Promise<TicketsProject> {
  const project = await openAccepted(options);
  project.editPrompt();
  return project;
}

async function openBroken(options = {}): Promise<TicketsProject> {
  const project = await openEdited(options);
  project.broken.set('shipping-2', 'other');
  return project;
}

/** Each outcome with each kind of evidence: its words, its exit code and the conclusion of a check. */
const rows: readonly Row[] = [
  {
    name: 'passed, unchanged',
    play: openAccepted,
    says: 'PASSED: unchanged: all 42 cases ask and answer as on the baseline',
    code: 0,
    check: 'success',
  },
  {
    name: 'passed, unchanged, where certainty is asked for',
    play: openAccepted,
    argv: ['--require-conclusive'],
    says: 'PASSED: unchanged: all 42 cases ask and answer as on the baseline',
    code: 0,
    check: 'success',
  },
  {
    name: 'passed, certain',
    play: () => openEdited({ count: 40 }),
    says: 'PASSED: certain: a larger drop than the gate tolerates is excluded',
    code: 0,
    check: 'success',
  },
  {
    name: 'passed, a drop could go unnoticed',
    play: openEdited,
    says: 'PASSED: no case broke; pass rate 100 → 100 %; with 42 cases a drop of up to 9 points could go unnoticed',
    code: 0,
    check: 'success',
  },
  {
    name: 'the same, where certainty is asked for',
    play: openEdited,
    argv: ['--require-conclusive'],
    says: 'INCOMPLETE: no case broke; pass rate 100 → 100 %; with 42 cases a drop of up to 9 points could go unnoticed; 1 verdict is open, and --require-conclusive asks for it',
    code: 4,
    check: 'failure',
  },
  {
    name: 'a first run, where the suite asks for certainty',
    play: async () => {
      const project = await openTickets(one);
      project.configure('gate: { certify: true }');
      return project;
    },
    says: 'INCOMPLETE: 1 variant is compared with nothing, and gate.certify asks for it',
    code: 4,
    check: 'failure',
  },
  {
    name: 'passed, accepted by the change itself',
    play: async () => {
      const project = await openPullRequest(one);
      project.editPrompt();
      breakTen(project);
      await project.accept();
      return project;
    },
    baseline: 'git:main',
    says: 'PASSED: this change accepts 10 regressions (1 must-pass)',
    code: 0,
    check: 'success',
  },
  {
    name: 'passed, a first run',
    play: () => openTickets(one),
    says: 'PASSED: all 42 cases pass',
    code: 0,
    check: 'success',
  },
  {
    name: 'passed, a first run within its limit',
    play: async () => {
      const project = await openTickets(one);
      project.configure('gate: { passRate: { min: 0.9 } }');
      project.changeModel();
      project.broken.set('shipping-2', 'other');
      return project;
    },
    says: 'PASSED: 41 of 42 cases pass, which is within the limits',
    code: 0,
    check: 'success',
  },
  {
    name: 'passed, though a case drifted that is sent as before',
    play: async () => {
      const project = await openAccepted();
      project.changeModel();
      project.broken.set('shipping-2', 'other');
      return project;
    },
    argv: ['--cache', 'refresh'],
    says: 'PASSED: no case broke; pass rate 100 → 97.6 %; with 42 cases a drop of up to 13 points could go unnoticed; 1 case fails with the accepted prompt too',
    code: 0,
    check: 'success',
  },
  {
    name: 'not passed, more drifted than the margin',
    play: async () => {
      const project = await openAccepted();
      project.changeModel();
      breakTen(project);
      project.broken.delete('locked-out-3');
      return project;
    },
    argv: ['--cache', 'refresh'],
    says: 'NOT PASSED: not this change',
    code: 3,
    check: 'failure',
  },
  {
    name: 'inconclusive, nothing may be asked again',
    play: async () => {
      const project = await openBroken();
      project.configure('gate: { confirm: { budget: 0 } }');
      return project;
    },
    says: 'INCONCLUSIVE: ',
    code: 4,
    check: 'failure',
  },
  {
    name: 'incomplete, fresh trials errored',
    play: async () => {
      const project = await openBroken();
      project.refuse(400, 'again');
      return project;
    },
    says: 'INCOMPLETE: what failed could not be confirmed',
    code: 3,
    check: 'failure',
  },
  {
    name: 'failed, a case broke',
    play: openBroken,
    says: 'FAILED: 1 of 42 tickets cases broke with v2 × mini: pass rate 100 → 97.6 %',
    code: 1,
    check: 'failure',
  },
  {
    name: 'failed, cases broke and one of them must pass',
    play: async () => {
      const project = await openEdited();
      breakTen(project);
      return project;
    },
    says: 'FAILED: 10 of 42 tickets cases broke with v2 × mini (4 confirmed), 1 of them must-pass: pass rate 100 → 76.2 %',
    code: 1,
    check: 'failure',
  },
  {
    name: 'failed, drifted',
    play: async () => {
      const project = await openAccepted();
      project.changeModel();
      breakTen(project);
      project.broken.delete('locked-out-3');
      return project;
    },
    argv: ['--cache', 'refresh', '--drift'],
    says: 'FAILED: 9 of 42 tickets cases drifted with v2 × mini: pass rate 100 → 78.6 %',
    code: 1,
    check: 'failure',
  },
  {
    name: 'failed, a first run',
    play: async () => {
      const project = await openTickets(one);
      project.changeModel();
      project.broken.set('shipping-2', 'other');
      return project;
    },
    says: 'FAILED: 1 of 42 tickets cases fails with v2 × mini',
    code: 1,
    check: 'failure',
  },
  {
    name: 'failed, a limit alone',
    play: async () => {
      const project = await openAccepted();
      project.configure('gate: { cost: { max: 0.0000001 } }');
      return project;
    },
    says: 'FAILED: tickets with v2 × mini: ',
    code: 1,
    check: 'failure',
  },
  {
    name: 'incomplete, the provider refuses',
    play: async () => {
      const project = await openTickets(one);
      project.refuse(401);
      return project;
    },
    says: 'INCOMPLETE: 42 tickets cases could not be judged with v2 × mini: ',
    code: 3,
    check: 'failure',
  },
  {
    name: 'incomplete, the budget was used up',
    play: () => openTickets(one),
    argv: ['--max-cost', '0.0001'],
    says: 'INCOMPLETE: the budget (--max-cost) stopped the run; llmcheck run --resume goes on',
    code: 4,
    check: 'failure',
  },
];

describe('the verdict of a run that is', () => {
  test.each(rows.map((row) => [row.name, row] as const))(
    '%s',
    { tags: 'slow' },
    async (_name, { play, argv = [], baseline = '', says, code, check }) => {
      const project = await play();
      const outputs = project.path('outputs.txt');
      project.write('outputs.txt', '');
      project.write('event.json', '{}');
      const env = {
        PATH: process.env['PATH'] ?? '',
        GITHUB_OUTPUT: outputs,
        GITHUB_EVENT_NAME: 'push',
        GITHUB_EVENT_PATH: project.path('event.json'),
        GITHUB_REPOSITORY: 'acme/shop',
        GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
      };
      const run = await project.llmcheck(['ci', 'github', '--args', argv.join(' '), '--baseline', baseline], { env });
      const said = Object.fromEntries(
        project
          .read('outputs.txt')
          .split('\n')
          .flatMap((line) => {
            const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
            return name === undefined ? [] : [[name, value]];
          }),
      );
      const headline = String(said['headline']);
      expect([headline.slice(0, says.length), run.code, said['conclusion']]).toEqual([says, code, check]);
      // Every report says the same, wherever a line is broken.
      for (const reporter of ['terminal', 'github', 'tap']) {
        const { stdout } = await project.llmcheck(['report', '-r', reporter]);
        const text = stdout
          .replace(/^([A-Z]{4,}|NOT PASSED) {2}/m, '$1: ')
          .replaceAll('%25', '%')
          .replaceAll(/\s+/g, ' ');
        expect(text).toContain(headline);
      }
      const { stdout } = await project.llmcheck(['report', '-r', 'json']);
      const { decision } = JSON.parse(stdout) as { decision: { outcome: string; headline: string } };
      expect(headline).toBe(`${/^[A-Z ]+/.exec(headline)?.[0]}: ${decision.headline}`);
    },
  );
});
