import type { RunSuitesOptions } from '../../src/api/options.ts';
import { openCalls } from '../../src/calls/calls.ts';
import type { CallOptions } from '../../src/calls/run-resources.ts';
import { planRun } from '../../src/plan/plan-run.ts';
import { openRunProject, type Reply, wordsSuite } from '../run/run-project.ts';
import { neverAborted } from '../support/build-case.ts';
import { createManualClock } from '../support/manual-clock.ts';

const file = 'evals/words.eval.yaml';

interface Opened {
  readonly suite?: string;
  readonly run?: RunSuitesOptions;
  readonly calls?: Partial<CallOptions>;
  readonly reply?: Reply;
}

/** The calls of a run of some words, by a clock that jumps. `ask` asks for a word and says how that went. */
export async function openRunCalls({ suite: text = wordsSuite(3), run = {}, calls: more = {}, reply }: Opened = {}) {
  const project = openRunProject({ [file]: text });
  const asked: string[] = [];
  const answer = reply ?? project.reply;
  project.reply = (said, before, model) => {
    asked.push(said.replace(/^.*: /, ''));
    return answer(said, before, model);
  };
  const { options, ports } = await project.prepare(run);
  const planned = await planRun(options, ports);
  const clock = createManualClock();
  const told: string[] = [];
  const onProgress: typeof ports.onProgress = (event) =>
    void told.push(event.type === 'note' ? event.message : event.type);
  const suites = options.project.suites;
  const calls = openCalls(planned, { ...options, suites, ...more }, { ...ports, clock, onProgress });
  const [suite] = suites;
  if (suite === undefined) throw new Error('there is no suite');
  const cells = planned.plan.providerKeys.flatMap((key) => [...planned.plan.cells(key)]);
  const requestOf = (word: string, provider = 'own') => {
    const cell = cells.find(({ key }) => key.caseId === word && key.provider === provider);
    if (cell === undefined) throw new Error(`there is no ${word}`);
    return cell.request;
  };
  const configOf = (id: string) => {
    const config = suite.providers.find((one) => one.id === id);
    if (config === undefined) throw new Error(`there is no ${id}`);
    return config;
  };
  const ask = async (word: string, complete = calls.completeFor(configOf('own'), suite)) => {
    const outcome = await clock.runUntil(complete(requestOf(word), neverAborted));
    const how =
      outcome.status === 'completed' ? (outcome.cached ? 'cached' : outcome.completion.text) : outcome.failure.kind;
    return `${how} after ${outcome.attempts}`;
  };
  return { project, calls, suite, asked, told, ask, requestOf, configOf, clock };
}
