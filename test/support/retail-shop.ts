import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type ScriptedCall, type ScriptedStep, startAgentServer } from './agent-server.ts';
import { type JsonTrial, openTempProject, type TempProject, trialsOf } from './temp-project.ts';

const folder = join(import.meta.dirname, '../../fixtures/agents/retail');

/** What an agent does in a task of the shop. */
export interface Task {
  readonly id: string;
  readonly right: readonly ScriptedStep[];
  readonly wrong: readonly WrongPath[];
}

interface WrongPath {
  readonly why: string;
  /** Texts that must be among the reasons of the failed checks. */
  readonly says: readonly string[];
  readonly steps: readonly ScriptedStep[];
}

/** A map is a call, a list of maps are calls at once, a text is an answer. */
type WrittenStep = string | Record<string, object> | readonly Record<string, object>[];

interface WrittenTask {
  readonly right: readonly WrittenStep[];
  readonly wrong: readonly {
    readonly why: string;
    readonly says: readonly string[];
    readonly steps?: readonly WrittenStep[];
    readonly writes?: readonly WrittenStep[];
  }[];
}

interface WrittenSuite {
  readonly 'x-writes': readonly string[];
  readonly cases: readonly { readonly id: string; readonly vars: { readonly ask: string } }[];
}

const suite = parse(readFileSync(join(folder, 'retail.eval.yaml'), 'utf8'), {
  merge: true,
  maxAliasCount: -1,
}) as WrittenSuite;
const writes: ReadonlySet<string> = new Set(suite['x-writes']);

export const tasks: readonly Task[] = readTasks();

function readTasks(): readonly Task[] {
  const written = parse(readFileSync(join(folder, 'transcripts.yaml'), 'utf8')) as Record<string, WrittenTask>;
  return Object.entries(written).map(([id, task]) => {
    const right = task.right.map(readStep);
    return {
      id,
      right,
      wrong: task.wrong.map(({ why, says, steps, writes: others = [] }) => ({
        why,
        says,
        steps: steps?.map(readStep) ?? replaceWrites(right, others.map(readStep)),
      })),
    };
  });
}

function readStep(step: WrittenStep): ScriptedStep {
  if (typeof step === 'string') return step;
  return [step].flat().flatMap((call) => Object.entries(call).map(([name, args]): ScriptedCall => [name, args]));
}

/** Where the right path writes nothing, the others come before its last answer. */
function replaceWrites(steps: readonly ScriptedStep[], others: readonly ScriptedStep[]): readonly ScriptedStep[] {
  const first = steps.findIndex(isWrite);
  const rest = steps.filter((step) => !isWrite(step));
  return rest.toSpliced(first === -1 ? steps.length - 1 : first, 0, ...others);
}

export function isWrite(step: ScriptedStep): boolean {
  return namesOf(step).some((name) => writes.has(name));
}

/** True for look-ups alone. */
export function isRead(step: ScriptedStep): boolean {
  return typeof step !== 'string' && namesOf(step).every((name) => !writes.has(name) && name !== 'hand_over');
}

export function namesOf(step: ScriptedStep): readonly string[] {
  return typeof step === 'string' ? [] : step.map(([name]) => name);
}

function openShop(): TempProject {
  const project = openTempProject();
  cpSync(folder, project.root, { recursive: true });
  return project;
}

/** Runs the tasks that have a path here, with a model that takes it. */
export async function runTasks(paths: ReadonlyMap<string, readonly ScriptedStep[]>, project = openShop()) {
  const server = await startAgentServer(({ messages }) => {
    const asked = messages.find(({ role }) => role === 'user')?.content;
    const id = suite.cases.find(({ vars }) => vars.ask === asked)?.id ?? 'none';
    const done = messages.filter(({ role }) => role === 'assistant').length;
    return paths.get(id)?.[done] ?? `no step ${done + 1} in the transcript of ${id}`;
  });
  const argv = [...paths.keys()].flatMap((id) => ['-t', `retail/${id}`]);
  const run = await project.report(['run', '--no-baseline', ...argv], { env: server.env });
  return {
    ...run,
    project,
    env: server.env,
    trials: new Map(trialsOf(run.report).map((trial) => [trial.caseId, trial])),
  };
}

/** The reasons of the checks that failed; an error instead where there is no verdict. */
export function faultsOf(trial: JsonTrial | undefined): readonly string[] {
  if (trial === undefined) return ['not run'];
  const failed = trial.checks
    .filter(({ pass }) => !pass)
    .map(({ name, assertion, reason }) => `${name ?? assertion}: ${reason}`);
  return trial.error === undefined ? failed : [`errored: ${trial.error.message}`];
}
