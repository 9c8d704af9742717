import { edited, fewModes, type ModeName, modes, type Preparation, preparations } from './modes.ts';
import { editPrompts, openProject, type Project } from './project.ts';
import type { ModelServer } from './server.ts';
import type { Story, Way } from './way.ts';

/** What one way came to in one mode. */
export interface Outcome {
  readonly way: string;
  readonly mode: ModeName | 'story';
  /** False in the control: the same commands without the failure. */
  readonly isPlanted: boolean;
  /** Undefined where the commands could not be run. */
  readonly code: number | undefined;
  /** What is wrong with the code; undefined where it is as it must be. */
  readonly fault: string | undefined;
  /** What the last command wrote, for who looks into a fault. */
  readonly output: string;
}

/** Runs every way in each of its modes, with the failure planted and without. */
export async function runAudit(server: ModelServer, ways: readonly (Way | Story)[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const usual = openPreparedProjects(server, usualWay);
  // One control in each mode serves all ways that begin with the usual project.
  const usualModes = new Set(ways.filter(isUsual).flatMap(({ modes: own = fewModes }) => own));
  for (const mode of usualModes) outcomes.push(await tryWay(usual, usualWay, mode, false));
  for (const way of ways) {
    if ('story' in way) {
      outcomes.push(await tryStory(server, way, false), await tryStory(server, way, true));
      continue;
    }
    const prepared = isUsual(way) ? usual : openPreparedProjects(server, way);
    for (const mode of way.modes ?? fewModes) {
      if (!isUsual(way)) outcomes.push(await tryWay(prepared, way, mode, false));
      outcomes.push(await tryWay(prepared, way, mode, true));
    }
    if (!isUsual(way)) prepared.close();
  }
  usual.close();
  return outcomes;
}

const usualWay: Way = { name: 'the usual project', why: '', plant: () => {} };

function isUsual(way: Way | Story): way is Way {
  return !('story' in way) && way.project === undefined && way.args === undefined;
}

/** Projects of one way after their preparations, of which each is made once and then copied. */
interface PreparedProjects {
  open(after: Preparation): Promise<Project>;
  close(): void;
}

function openPreparedProjects(server: ModelServer, way: Way): PreparedProjects {
  const prepared = new Map<string, Project>();
  return {
    async open(after) {
      let original = prepared.get(after);
      if (original === undefined) {
        original = openProject(server);
        prepared.set(after, original);
        way.project?.(original);
        await preparations[after](original, way.args ?? []);
      }
      const copy = openProject(server, original);
      way.project?.(copy);
      if (edited.has(after)) editPrompts(copy);
      copy.saveSuite();
      return copy;
    },
    close() {
      for (const project of prepared.values()) project.close();
    },
  };
}

async function tryWay(prepared: PreparedProjects, way: Way, mode: ModeName, isPlanted: boolean): Promise<Outcome> {
  const { after, judge } = modes[mode];
  return watch(
    way.name,
    mode,
    isPlanted,
    () => prepared.open(after),
    async (project) => {
      if (isPlanted) await way.plant(project);
      const code = await judge(project, way.args ?? []);
      return { code, fault: isPlanted ? findFault(way, mode, code, project.output) : findControlFault(code) };
    },
  );
}

async function tryStory(server: ModelServer, { name, story }: Story, isPlanted: boolean): Promise<Outcome> {
  return watch(
    name,
    'story',
    isPlanted,
    async () => openProject(server),
    async (project) => {
      const code = await story(project, isPlanted);
      return { code, fault: isPlanted ? findPlantedFault(code) : findControlFault(code) };
    },
  );
}

/** What can't be run is a finding like any other, and the audit goes on. */
async function watch(
  way: string,
  mode: Outcome['mode'],
  isPlanted: boolean,
  open: () => Promise<Project>,
  run: (project: Project) => Promise<Pick<Outcome, 'code' | 'fault'>>,
): Promise<Outcome> {
  let project: Project | undefined;
  try {
    project = await open();
    return { way, mode, isPlanted, ...(await run(project)), output: project.output };
  } catch (error) {
    const fault = `could not be run: ${String(error)}`;
    return { way, mode, isPlanted, code: undefined, fault, output: project?.output ?? '' };
  } finally {
    project?.close();
  }
}

function findFault(way: Way, mode: ModeName, code: number, output: string): string | undefined {
  const green = way.green?.[mode];
  if (green === undefined) return findPlantedFault(code);
  if (code !== 0) return `must end with 0: ${green.because}`;
  if (green.says !== undefined && !green.says.test(output)) return `says nothing like ${String(green.says)}`;
  return undefined;
}

function findPlantedFault(code: number): string | undefined {
  if (code === 0) return 'says yes to a failure';
  return code === 70 ? 'is a bug of llmcheck' : undefined;
}

function findControlFault(code: number): string | undefined {
  return code === 0 ? undefined : 'says no without a failure';
}
