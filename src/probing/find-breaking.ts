import { defined } from '../json/defined.ts';
import type { ProbeAnswer, StopCause } from './probe-case.ts';

/** Hunk numbers in groups. The hunks of a group are applied and left out together. */
type Groups = readonly (readonly number[])[];

/** Hunks that break the case without the rest of the change. No probe showed that one of them is unnecessary. */
export interface BreakingSet {
  /** Hunk numbers in order. */
  readonly hunks: readonly number[];
  /** Trials of the earlier prompt with only these hunks applied. */
  readonly alone: ProbeAnswer;
  /** False if some hunks could not be told apart: no valid prompt has one without the other. */
  readonly isMinimal: boolean;
}

export interface BreakingChange {
  readonly sets: readonly BreakingSet[];
  /** Trials of the change without all these sets; undefined if not asked. */
  readonly without?: ProbeAnswer;
  /** Set if the search ended early: the hunks that contain the next set, and why it ended. */
  readonly open?: { readonly among: readonly number[]; readonly why: string; readonly stopped?: StopCause };
}

export interface SearchPorts {
  /** Asks the earlier prompt with these hunks applied. The same hunks return the same answer. */
  probe(hunks: ReadonlySet<number>): Promise<ProbeAnswer>;
  /** False if the hunks make no valid prompt. Asks nothing. */
  isValid(hunks: ReadonlySet<number>): boolean;
}

/** Groups hunks that are valid only together, such as both ends of a template block. */
export function linkHunks(count: number, isValid: SearchPorts['isValid']): Groups {
  const all = Array.from({ length: count }, (_, hunk) => hunk);
  const isIndependent = (hunks: readonly number[]) =>
    isValid(new Set(hunks)) && isValid(new Set(all.filter((hunk) => !hunks.includes(hunk))));
  const groups: number[][] = [];
  const taken = new Set<number>();
  const alone = new Map(all.map((hunk) => [hunk, isIndependent([hunk])]));
  for (const hunk of all) {
    if (taken.has(hunk)) continue;
    const others = alone.get(hunk) === true ? [] : all.filter((other) => other > hunk && alone.get(other) === false);
    const partner = others.find((other) => !taken.has(other) && isIndependent([hunk, other]));
    const group = partner === undefined ? [hunk] : [hunk, partner];
    for (const member of group) taken.add(member);
    groups.push(group);
  }
  return groups;
}

/**
 * Finds the sets of hunks that break a case, if all hunks together break it and the earlier prompt passes. A set is
 * found from its last member to its first: the shortest failing prefix of the change ends with a member. The search
 * then applies that member and continues in the hunks before it. This takes about log2(hunks) probes per member. The
 * search ends when the change without the found sets passes. The sets in `known` broke other cases and are tried first.
 */
export async function findBreaking(groups: Groups, ports: SearchPorts, known: Groups = []): Promise<BreakingChange> {
  const sets: BreakingSet[] = [];
  let left = groups;
  let without: ProbeAnswer | undefined;
  for (let guess = 0; left.length > 0; guess += 1) {
    const tried = await tryKnown(left, known[guess], ports);
    if (tried === undefined && guess < known.length) continue;
    const found: Found = tried ?? (await findSet(left, ports));
    if ('open' in found) return { sets, ...defined({ without }), open: found.open };
    sets.push(found.set);
    const { hunks } = found.set;
    left = left.filter((group) => !group.some((hunk) => hunks.includes(hunk)));
    without = await ports.probe(new Set(left.flat()));
    if (without.is === 'passes') return { sets, without };
    if (without.is === 'stopped') return { sets, without, open: openOf(left, without) };
    if (without.is === 'unresolved') {
      return { sets, without, open: { among: [], why: `the change without it can't be judged: ${without.why}` } };
    }
  }
  return { sets, ...defined({ without }) };
}

type Found = { readonly set: BreakingSet } | { readonly open: NonNullable<BreakingChange['open']> };

/** Returns a set that broke another case, if it breaks this one too and the change without it passes. */
async function tryKnown(
  left: Groups,
  hunks: readonly number[] | undefined,
  ports: SearchPorts,
): Promise<Found | undefined> {
  const own = left.filter((group) => group.some((hunk) => hunks?.includes(hunk)));
  if (hunks === undefined || own.flat().length !== hunks.length) return undefined;
  const alone = await ports.probe(new Set(hunks));
  if (alone.is === 'stopped') return { open: openOf(left, alone) };
  return alone.is === 'fails' ? reduce(own, ports) : undefined;
}

async function findSet(groups: Groups, ports: SearchPorts): Promise<Found> {
  let found: Groups = [];
  let left = groups;
  for (;;) {
    const end = await findEnd(left, found, ports);
    if ('open' in end) return end;
    found = left.slice(end.passing, end.failing).concat(found);
    left = left.slice(0, end.passing);
    // If no groups are left before them, these alone are the failing prefix.
    const alone = await ports.probe(new Set(found.flat()));
    if (alone.is === 'fails') return reduce(found, ports);
    // If these groups can't be asked alone, treat them as passing: then an earlier part makes them fail.
    if (alone.is === 'stopped' || left.length === 0) return { open: openOf([...left, ...found], alone) };
  }
}

/** Finds the shortest prefix that fails together with `found`, and a shorter one that passes. */
export async function findEnd(
  groups: Groups,
  found: Groups,
  ports: SearchPorts,
): Promise<{ readonly passing: number; readonly failing: number } | Extract<Found, { open: unknown }>> {
  let [passing, failing] = [0, groups.length];
  while (failing - passing > 1) {
    let isNarrowed = false;
    for (const at of fromTheMiddle(passing, failing)) {
      const hunks = new Set([...groups.slice(0, at), ...found].flat());
      if (!ports.isValid(hunks)) continue;
      const answer = await ports.probe(hunks);
      if (answer.is === 'stopped') return { open: openOf([...groups.slice(passing, failing), ...found], answer) };
      if (answer.is === 'unresolved') continue;
      if (answer.is === 'fails') failing = at;
      else passing = at;
      isNarrowed = true;
      break;
    }
    if (!isNarrowed) break;
  }
  return { passing, failing };
}

/** The numbers between two others, the middle ones first. */
function fromTheMiddle(low: number, high: number): readonly number[] {
  const middle = (low + high) / 2;
  const between = Array.from({ length: high - low - 1 }, (_, index) => low + 1 + index);
  return between.sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle) || a - b);
}

/** Removes each group that is not needed: without it, the set still fails. */
async function reduce(groups: Groups, ports: SearchPorts): Promise<Found> {
  let kept = groups;
  let isMinimal = kept.every((group) => group.length === 1);
  for (const group of kept.length > 1 ? groups : []) {
    const others = kept.filter((other) => other !== group);
    const hunks = new Set(others.flat());
    const answer = others.length > 0 && ports.isValid(hunks) ? await ports.probe(hunks) : undefined;
    if (answer?.is === 'stopped') return { open: openOf(kept, answer) };
    if (answer?.is === 'fails') kept = others;
    else if (answer?.is !== 'passes' && others.length > 0) isMinimal = false;
  }
  const hunks = kept.flat().sort((a, b) => a - b);
  return { set: { hunks, alone: await ports.probe(new Set(hunks)), isMinimal } };
}

function openOf(groups: Groups, answer: ProbeAnswer): NonNullable<BreakingChange['open']> {
  const among = groups.flat().sort((a, b) => a - b);
  if (answer.is === 'stopped') return { among, why: answer.why.message, stopped: answer.why };
  return { among, why: answer.is === 'unresolved' ? answer.why : `it ${answer.is} there, and did not before` };
}
