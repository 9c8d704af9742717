import { mustPass } from '../modes.ts';
import { casesPath, type Project } from '../project.ts';
import type { Story } from '../way.ts';

/** A command that is asked to write a file, and a file or folder in its way. */
const blocked = (name: string, ...argv: readonly string[]): Story => ({
  name: `output in the way: ${name}`,
  why: 'the command says that it failed to write, and ends with 0 all the same',
  async story(project, isPlanted) {
    await mustPass(project, 'run');
    if (isPlanted) project.write('out', 'a file where the folder should be');
    return project.llmcheck(...argv);
  },
});

/** A reporter that fails while a case fails: the verdict must not go with it. */
const reporter = (name: string, text: string): Story => ({
  name: `a reporter that ${name}`,
  why: 'what is thrown after the run takes the verdict with it',
  async story(project, isPlanted) {
    project.write('reporter.mjs', text);
    project.write('llmcheck.config.yaml', 'plugins: [./reporter.mjs]\n');
    if (isPlanted) project.edit(casesPath, '"expected":"shipping"', '"expected":"legal"');
    return project.llmcheck('run', '-r', 'broken=report.txt');
  },
});

const narrow = (project: Project, output: readonly string[]) => {
  project.suite['contract'] = { output: { type: 'object', required: output } };
};

/** Commands whose work is a file, reporters, and contracts. */
export const outputs: readonly Story[] = [
  blocked('report', 'report', '-r', 'json=out/report.json'),
  blocked('cache export', 'cache', 'export', 'out/answers.jsonl'),
  blocked('init', 'init', 'out/new'),
  reporter(
    'throws',
    "export const broken = { kind: 'reporter', name: 'broken', summary: 'x', extension: 'txt', render() { throw new Error('broken'); } };\n",
  ),
  reporter(
    'rejects',
    "export const broken = { kind: 'reporter', name: 'broken', summary: 'x', extension: 'txt', async render() { throw new Error('broken'); } };\n",
  ),
  {
    name: 'contract check: a required member less than was accepted',
    why: 'nothing is called, so nothing seems to have changed',
    async story(project, isPlanted) {
      project.answer = () => '{"queue":"billing"}';
      project.suite.defaults = { assert: [{ json: true }] };
      narrow(project, ['queue']);
      await mustPass(project, 'run', '--update-baseline');
      if (isPlanted) narrow(project, []);
      return project.llmcheck('contract', 'check');
    },
  },
];
