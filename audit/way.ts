import type { ModeName } from './modes.ts';
import type { Project } from './project.ts';

/** One way in which a run could say yes without having looked. */
export interface Way {
  /** What is planted, in a few words; no two are the same. */
  readonly name: string;
  /** Why a careless run would end with 0. */
  readonly why: string;
  /** Makes the usual project another one, before anything is run or accepted. The control runs this too. */
  readonly project?: (project: Project) => void;
  /** Plants the failure. */
  readonly plant: (project: Project) => void | Promise<void>;
  /** Further flags of the judged command, in the control too. */
  readonly args?: readonly string[];
  /** `modeNames` is all of them; `fewModes` where undefined. */
  readonly modes?: readonly ModeName[];
  /** Modes in which the plan says exit 0 all the same. */
  readonly green?: Partial<Readonly<Record<ModeName, Green>>>;
}

/** Why exit 0 is right, and what the output must then say. */
interface Green {
  readonly because: string;
  readonly says?: RegExp;
}

/** A way with its own commands: gives the exit code of the one that must see the failure. */
export interface Story {
  readonly name: string;
  readonly why: string;
  /** `isPlanted` is false in the control, which must end with 0. */
  readonly story: (project: Project, isPlanted: boolean) => Promise<number>;
}

const unaskedBecause = { because: 'the cache answers what was asked before, so no model is asked' };

/** For ways that change what the model says and nothing else. */
export const unasked = { cache: unaskedBecause, 'baseline+cache': unaskedBecause } satisfies NonNullable<Way['green']>;

/** The same reason in each of these modes. */
export function greenIn(names: readonly ModeName[], because: string, says?: RegExp): NonNullable<Way['green']> {
  const green: Green = says === undefined ? { because } : { because, says };
  return Object.fromEntries(names.map((name) => [name, green]));
}
