import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import { readOrUndefined } from '../files/write-files.ts';
import { isJsonObject } from '../json/json.ts';
import { parseJson } from '../json/parse-json.ts';
import type { GitRef } from '../project/git/git-files.ts';
import { wholeCloneHint } from '../project/git/run-git.ts';
import { formatCount } from '../text/format-amount.ts';
import { toSlashes } from '../text/to-slashes.ts';

interface Missing {
  readonly id: string;
  /** Absolute path of the suite's baseline in the working tree. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The meaning of a missing baseline at a ref. `moved`: the ref has it at another path, which this change removes.
 * `first`: nothing shows that the target ever had one. `refused`: something does, or the clone can't show it.
 */
export type MissingBaseline =
  | { readonly is: 'moved'; readonly from: string }
  | { readonly is: 'first' }
  | { readonly is: 'refused'; readonly why: string };

/** Decides why a ref has no baseline of a suite. A change must not lose the baseline that it would be compared with. */
export function createFindMissing(ref: GitRef): (missing: Missing) => MissingBaseline {
  let removed: readonly string[] | undefined;
  return (missing) => {
    removed ??= listRemoved(ref);
    const moved = removed.filter((path) => suiteOf(ref.readFile(path)) === missing.id);
    const [from] = moved;
    if (from !== undefined && moved.length === 1) return { is: 'moved', from };
    const why = findHistory(ref, missing) ?? describeRemoved(ref, removed);
    return why === undefined ? { is: 'first' } : { is: 'refused', why };
  };
}

const ending = '.baseline.jsonl';

/** The ref's baselines that this change removes, gives to another suite, or whose suite it removes. */
function listRemoved(ref: GitRef): readonly string[] {
  const files = ref.listFiles(ref.root);
  return files.filter((path) => {
    if (!path.endsWith(ending)) return false;
    const own = readOrUndefined(path);
    if (own === undefined || suiteOf(own) !== suiteOf(ref.readFile(path))) return true;
    const suites = files.filter((file) => isSuiteOf(path, file));
    return suites.length > 0 && !suites.some((suite) => existsSync(suite));
  });
}

function isSuiteOf(baseline: string, file: string): boolean {
  const stem = baseline.slice(0, -ending.length);
  return file.startsWith(`${stem}.`) && /^(?:\.eval)?\.(?:ya?ml|[cm]?[jt]s)$/i.test(file.slice(stem.length));
}

/** The id in the first line of a baseline; undefined if it has none. */
function suiteOf(text = ''): string | undefined {
  const [line = ''] = text.split('\n', 1);
  const parsed = parseJson(line);
  const suite = parsed.ok && isJsonObject(parsed.value) ? parsed.value['suite'] : undefined;
  return typeof suite === 'string' ? suite : undefined;
}

/** Finds the baseline in the history of the target branch. Its tip may be newer than the compared commit. */
function findHistory(ref: GitRef, { id, file, env }: Missing): string | undefined {
  const tip = ref.openTip();
  const { name } = tip;
  if (tip.readFile(file) !== undefined) return `${name} has one by now; merge ${name} into this branch`;
  const others = tip.listFiles(tip.root).filter((path) => path.endsWith(ending));
  const known = new Set(ref.listFiles(ref.root));
  const other = others.find((path) => !known.has(path) && suiteOf(tip.readFile(path)) === id);
  if (other !== undefined) return `${name} has one by now, ${show(ref, other)}; merge ${name} into this branch`;
  const history = tip.findHistory(file);
  if (history === '') return undefined;
  if (history === undefined) {
    const hint = wholeCloneHint({ cwd: ref.root, env, ref: name });
    return `the history of ${name} is not in this clone, so it may have had one; ${hint}`;
  }
  const commit = history.slice(0, 12);
  return `${name} had one until commit ${commit}; take it back with \`git checkout ${commit}^ -- ${show(ref, file)}\``;
}

function describeRemoved(ref: GitRef, removed: readonly string[]): string | undefined {
  const [first] = removed;
  if (first === undefined) return undefined;
  const others = removed.length === 1 ? '' : ` and ${formatCount(removed.length - 1, 'other baseline')}`;
  const hint = 'keep the id of a suite that you rename or move, or remove a suite in a change of its own';
  return `this change removes ${show(ref, first)}${others}, or its suite; ${hint}`;
}

function show({ root }: GitRef, path: string): string {
  return toSlashes(relative(root, path));
}
