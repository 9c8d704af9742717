import type { DefineCommand } from './define.ts';

interface CommandEntry {
  /** The arguments that the list of commands shows behind the name. */
  readonly usage: string;
  readonly summary: string;
  readonly hidden?: true;
  /** Loads the command's file, which imports everything that the command needs. Only a called command is loaded. */
  readonly load: () => Promise<{ readonly define: DefineCommand }>;
}

/** All commands by name, in the order of the help. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  run: {
    usage: '[options] [paths...]',
    summary: 'Run suites: discover, plan, execute, judge, decide, report.',
    load: () => import('./runs/run.ts'),
  },
  worker: {
    usage: '[options] [paths...]',
    summary: 'Make the calls of runs that share a queue (llmcheck run --queue), until it is stopped.',
    load: () => import('./runs/worker.ts'),
  },
  swap: {
    usage: '[options] [paths...] <ID=MODEL,...>',
    summary: 'Compare models that could take the place of a provider, and name the cheapest that holds.',
    load: () => import('./runs/swap.ts'),
  },
  compare: {
    usage: '[options] <A> <B> [others...]',
    summary: 'Compare two records without a call: A is the baseline, B the candidate.',
    load: () => import('./runs/compare.ts'),
  },
  bisect: {
    usage: '[options] [paths...]',
    summary: 'Find which part of a changed prompt breaks a case.',
    load: () => import('./prompts/bisect.ts'),
  },
  prompt: {
    usage: '',
    summary: 'Find which instructions of a prompt its cases guard.',
    load: () => import('./prompts/prompt.ts'),
  },
  baseline: {
    usage: '',
    summary: 'Accept a run as the baseline of later runs, and manage accepted baselines.',
    load: () => import('./baselines/baseline.ts'),
  },
  review: {
    usage: '[options] [paths...]',
    summary: 'Step through the changed answers of a run, and accept or reject each.',
    load: () => import('./baselines/review.ts'),
  },
  contract: {
    usage: '',
    summary: 'Find what breaks callers and consumers of a prompt, without a call.',
    load: () => import('./suites/contract.ts'),
  },
  mcp: {
    usage: '',
    summary: 'Keep the tools of MCP servers in files that suites use.',
    load: () => import('./suites/mcp.ts'),
  },
  assertions: {
    usage: '',
    summary: 'Check whether assertions would notice a wrong answer.',
    load: () => import('./measuring/assertions.ts'),
  },
  'plan-size': {
    usage: '[options] [paths...]',
    summary: 'Show which drop a suite can detect, and how large it must be to detect a smaller one.',
    load: () => import('./measuring/plan-size.ts'),
  },
  calibrate: {
    usage: '[options] [paths...]',
    summary: "Measure the gate's own false alarms on stored trials of one version.",
    load: () => import('./measuring/calibrate.ts'),
  },
  judge: {
    usage: '',
    summary: 'Label answers and validate the models that judge them.',
    load: () => import('./measuring/judge.ts'),
  },
  validate: {
    usage: '[options] [paths...]',
    summary: 'Check suites, prompts, schemas and config exactly as run does before its first call.',
    load: () => import('./suites/validate.ts'),
  },
  list: {
    usage: '[options] <what> [paths...]',
    summary: 'List suites, cases, providers, assertions, reporters or stored runs.',
    load: () => import('./suites/list.ts'),
  },
  init: {
    usage: '[options] [folder]',
    summary: 'Write a working suite, prompt versions, recorded answers and a CI workflow.',
    load: () => import('./suites/init.ts'),
  },
  import: { usage: '', summary: "Turn another tool's file into a suite.", load: () => import('./suites/import.ts') },
  report: {
    usage: '[options] [run]',
    summary: 'Render a stored run again, in any reporter.',
    load: () => import('./runs/report.ts'),
  },
  merge: {
    usage: '[options] <records...>',
    summary: 'Make one run of the records of all its shards, and let one gate decide.',
    load: () => import('./runs/merge.ts'),
  },
  history: {
    usage: '[options] [paths...]',
    summary: 'Show the results of suites, variants and cases over stored runs, and cases whose flake rate changed.',
    load: () => import('./runs/history.ts'),
  },
  ci: { usage: '', summary: 'Run within a CI system and publish there.', load: () => import('./ci/ci.ts') },
  view: {
    usage: '[options]',
    summary: 'Look at the stored runs in a browser: history, any two compared, live while one runs.',
    load: () => import('./runs/view.ts'),
  },
  cache: {
    usage: '',
    summary: 'List, prune, verify, export and import stored answers.',
    load: () => import('./runs/cache.ts'),
  },
  schema: {
    usage: '<format>',
    summary: 'Print the JSON Schema of a file format.',
    load: () => import('./suites/schema.ts'),
  },
  completion: {
    usage: '<shell>',
    summary:
      'Print the script with which a shell completes commands, flags, and ids of suites, cases, prompts and runs.',
    load: () => import('./shell/completion.ts'),
  },
  complete: {
    usage: '[words...]',
    summary: 'Print the words that may stand at the cursor, for the script of a shell.',
    hidden: true,
    load: () => import('./shell/complete.ts'),
  },
};
