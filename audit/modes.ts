import { existsSync } from 'node:fs';
import { editPrompts, type Project } from './project.ts';

/** What happened in a project before the failure is planted. */
export const preparations = {
  nothing: async () => {},
  /** The cache holds every answer. */
  cached: (project, args) => mustPass(project, 'run', ...args),
  accepted: async (project, args) => {
    await mustPass(project, 'run', '--cache', 'off', ...args);
    await mustPass(project, 'baseline', 'accept');
  },
  'accepted and cached': async (project, args) => {
    await mustPass(project, 'run', ...args);
    await mustPass(project, 'baseline', 'accept');
  },
  /** A run that was stopped after two requests. */
  interrupted: (project, args) => interrupt(project, args),
  /** Whatever is planted then, the accepted prompt is answered as before, so that the edit is to blame. */
  'accepted and edited': async (project, args) => {
    project.isAccepting = true;
    await preparations.accepted(project, args);
    project.isAccepting = false;
    editPrompts(project);
  },
  'accepted, edited and interrupted': async (project, args) => {
    await preparations['accepted and edited'](project, args);
    await interrupt(project, args);
  },
} satisfies Readonly<Record<string, (project: Project, args: readonly string[]) => Promise<void>>>;

export type Preparation = keyof typeof preparations;

/** After these, the prompts of the suite are not those that were accepted. */
export const edited: ReadonlySet<Preparation> = new Set(['accepted and edited', 'accepted, edited and interrupted']);

interface Mode {
  readonly after: Preparation;
  /** The command that has to see the failure; gives its exit code. */
  readonly judge: (project: Project, args: readonly string[]) => Promise<number>;
}

const runAgain: Mode['judge'] = (project, args) => project.llmcheck('run', '--cache', 'off', ...args);
const runCached: Mode['judge'] = (project, args) => project.llmcheck('run', ...args);
const resume: Mode['judge'] = (project, args) => project.llmcheck('run', '--cache', 'off', '--resume', ...args);

export const modes = {
  plain: { after: 'nothing', judge: runAgain },
  cache: { after: 'cached', judge: runCached },
  baseline: { after: 'accepted and edited', judge: runAgain },
  'baseline+cache': { after: 'accepted and cached', judge: runCached },
  resume: { after: 'interrupted', judge: resume },
  'baseline+resume': { after: 'accepted, edited and interrupted', judge: resume },
  shards: { after: 'nothing', judge: (project, args) => runShards(project, args) },
  'baseline+shards': { after: 'accepted and edited', judge: (project, args) => runShards(project, args) },
  drift: { after: 'accepted', judge: (project, args) => runAgain(project, ['--drift', ...args]) },
  'drift+shards': { after: 'accepted', judge: (project, args) => runShards(project, ['--drift', ...args]) },
} satisfies Readonly<Record<string, Mode>>;

export type ModeName = keyof typeof modes;

export const modeNames = Object.keys(modes) as readonly ModeName[];

/** Each kind of run once: enough for what is refused while a suite is loaded, and for one more way of the same kind. */
export const fewModes: readonly ModeName[] = ['plain', 'baseline+cache', 'resume', 'baseline+shards'];

/** A command that has to work before anything is planted. */
export async function mustPass(project: Project, ...argv: readonly string[]): Promise<void> {
  const code = await project.llmcheck(...argv);
  if (code !== 0) throw new Error(`llmcheck ${argv.join(' ')} ended with ${code} before the failure was planted`);
}

async function interrupt(project: Project, args: readonly string[]): Promise<void> {
  const code = await project.interrupt(2, 'run', '--cache', 'off', '-j', '1', ...args);
  if (code !== 130) throw new Error(`the interrupted run ended with ${code}`);
}

/** Two shards and their merge, like three CI jobs: the first that says no decides. */
export async function runShards(project: Project, args: readonly string[]): Promise<number> {
  const before = new Set(listRuns(project));
  const codes: number[] = [];
  let said = '';
  for (const shard of ['1/2', '2/2']) {
    codes.push(await project.llmcheck('run', '--cache', 'off', '--shard', shard, ...args));
    said += project.output;
  }
  const records = listRuns(project).filter((file) => !before.has(file));
  if (records.length === codes.length) {
    codes.push(await project.llmcheck('merge', ...records));
    said += project.output;
  }
  project.output = said;
  return codes.find((code) => code !== 0) ?? 0;
}

/** The records of all runs, oldest first. */
export function listRuns(project: Project): readonly string[] {
  const folder = '.llmcheck/runs';
  return existsSync(project.path(folder)) ? project.files(folder).filter((file) => file.endsWith('.jsonl')) : [];
}
