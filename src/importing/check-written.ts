import { type Problem, UserError } from '../model/problem.ts';
import { loadProject } from '../project/load-project.ts';
import { openWorkingTree, type ProjectSnapshot } from '../suite/open-project.ts';
import { loadTemplateEngine, needsTemplateEngine } from '../templates/template.ts';

/** Loads files that are not written yet as `validate` would, the suite first, and returns the warnings. Throws a `UserError` where they are not valid. */
export async function checkWritten(written: ReadonlyMap<string, string>, cwd: string): Promise<readonly Problem[]> {
  const [suite = ''] = written.keys();
  try {
    const { warnings } = await loadProject({
      paths: [suite],
      cwd,
      // An import runs nothing.
      callsNoPrompts: true,
      snapshot: overlay(openWorkingTree({ cwd }), written),
    });
    return warnings;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      error.problems.map((problem) =>
        problem.severity === 'error'
          ? { ...problem, message: `what would be written is not valid: ${problem.message}` }
          : problem,
      ),
    );
  }
}

/** The project as it is with these files. */
function overlay(tree: ProjectSnapshot, written: ReadonlyMap<string, string>): ProjectSnapshot {
  const { files } = tree;
  const readText: typeof files.readText = (path) => {
    const text = written.get(path);
    return text === undefined ? files.readText(path) : { text };
  };
  return {
    place: tree.place,
    kindOf: (path) => (written.has(path) ? 'file' : tree.kindOf(path)),
    files: {
      ...files,
      readText,
      async read(path) {
        const text = written.get(path);
        if (text === undefined) return files.read(path);
        if (needsTemplateEngine(text)) await loadTemplateEngine();
        return { text };
      },
      findReadFault: (path) => (written.has(path) ? undefined : files.findReadFault(path)),
      hash: (path) => (written.has(path) ? 'unwritten' : files.hash(path)),
    },
  };
}
