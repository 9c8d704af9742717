import { dirname, join, relative } from 'node:path';
import type { EmptySelection, Project } from '../model/suite.ts';
import { type BesideEnding, pathBeside } from '../project/project-paths.ts';
import { findFiles } from '../suite/files/find-files.ts';

const endings = ['baseline.jsonl', 'reference.jsonl'] as const;
const suiteFile = /\.(?:ya?ml|[cm]?[jt]s|json|prompt|prompty)$/i;

/** Baselines and pinned references without a suite beside them, in the folders where suites are searched: the suite was removed or renamed. */
export async function findOrphanBaselines(
  project: Pick<Project, 'root' | 'sources'>,
): Promise<readonly EmptySelection[]> {
  const paths = await listOrphanBaselines(project);
  return paths.map((path) => ({
    message: `${relative(project.root, path)} has no suite beside it, so no run looks at its cases; remove it if the suite is meant to be gone`,
    isNamed: false,
  }));
}

/** The absolute paths of these, sorted. */
export async function listOrphanBaselines({
  root,
  sources,
}: Pick<Project, 'root' | 'sources'>): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const { pattern, folder } of sources.globs) {
    for (const ending of endings) {
      for (const path of await findBaselines(pattern, join(root, folder), ending)) {
        if (!(await hasSuite(path, root, ending))) found.add(path);
      }
    }
  }
  return [...found].sort();
}

/** Applies a pattern of suites to their baselines, by another ending. */
async function findBaselines(pattern: string, folder: string, ending: BesideEnding): Promise<readonly string[]> {
  const ofBaselines = pattern.replace(/(?:\.eval)?\.(?:\{[^{}/]*\}|[^./{}]*)$/, `.${ending}`);
  return ofBaselines === pattern ? [] : list(ofBaselines, folder);
}

async function hasSuite(baseline: string, root: string, ending: BesideEnding): Promise<boolean> {
  const siblings = await list('*', dirname(baseline));
  return siblings.some((path) => suiteFile.test(path) && pathBeside(root, relative(root, path), ending) === baseline);
}

/** Files that can't be read were reported when the suites were loaded. */
async function list(pattern: string, folder: string): Promise<readonly string[]> {
  const { paths } = await findFiles([pattern], folder, {
    findFault: () => undefined,
    describeError: (error) => ({ code: 'file-unreadable', message: String(error) }),
  });
  return paths;
}
