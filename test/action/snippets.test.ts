import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { findFences } from '../../scripts/docs-pages.ts';
import { splitCommand } from '../../src/text/code/command-line.ts';
import { initRepository, runGit } from '../support/git.ts';
import { readAction } from '../support/run-action.ts';
import { openTempProject } from '../support/temp-project.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/ci.md'), 'utf8');
const examples = readdirSync(join(root, 'examples/github')).map((name) => `examples/github/${name}`);
const fences = findFences(page).map(({ info, lines, start }) => ({
  place: `docs/ci.md:${start + 1}`,
  info,
  text: lines.join('\n'),
}));
const files = examples.map((place) => ({ place, info: 'yaml', text: readFileSync(join(root, place), 'utf8') }));

/** These lines need the files of an earlier job; the tests of their workflows run them. */
const needsShell = /\$\(|\$RUNNER_TEMP/;

/** What stands behind `npx llmcheck`, as a shell would hand it over; its variables are those of a pull request. */
const commands = [...fences, ...files]
  .flatMap(({ place, text }) =>
    [...text.matchAll(/npx llmcheck (.+?)'?$/gm)].map(([, line = '']) => ({
      place,
      line: line.replaceAll(/\$\{\{[^}]*\}\}/g, '1').replaceAll('${CHANGE_TARGET:-main}', 'main'),
    })),
  )
  .filter(({ line }) => !needsShell.test(line));

/** The text that an expression chooses on the condition that it names, else a number. */
function valueOf(expression: string): string {
  return /&& '([^']*)'/.exec(expression)?.[1] ?? '1';
}

describe('the snippets for CI systems', () => {
  test.each([...fences, ...files].filter(({ info }) => info === 'yaml'))('$place is YAML', ({ text }) => {
    expect(parse(text)).toBeTypeOf('object');
  });

  test.each(files)('$place pins what it uses and gives the action only inputs that it has', ({ text }) => {
    const { inputs } = readAction(join(root, 'action.yml'));
    const { jobs } = parse(text) as {
      jobs: Record<string, { steps: { uses?: string; with?: object; run?: string }[] }>;
    };
    const steps = Object.values(jobs).flatMap((job) => job.steps);
    expect(steps.filter(({ run = '' }) => run.includes('${{'))).toEqual([]);
    const used = steps.flatMap(({ uses }) => uses ?? []);
    expect(used.length).toBeGreaterThan(0);
    const isPinned = (uses: string) => /^actions\/[\w-]+@[0-9a-f]{40}$|^llmcheck\/llmcheck@v\d+\.\d+\.\d+$/.test(uses);
    expect(used.filter((uses) => !isPinned(uses))).toEqual([]);
    const own = steps.filter(({ uses = '' }) => uses.startsWith('llmcheck/'));
    const given = own.flatMap((step) => Object.keys(step.with ?? {}));
    expect(given.filter((name) => !Object.hasOwn(inputs, name))).toEqual([]);
  });

  test.each([
    ...files,
    ...fences.filter(({ info, text }) => info === 'yaml' && text.startsWith('name:')),
    ...['ci', 'release'].map((name) => {
      const place = `.github/workflows/${name}.yml`;
      return { place, text: readFileSync(join(root, place), 'utf8') };
    }),
  ])('$place limits what runs at the same time, and what its token may do', ({ text }) => {
    expect(parse(text)).toMatchObject({ concurrency: expect.anything(), permissions: expect.anything() });
  });

  test('have commands, and llmcheck init makes a project in which each of them runs', { tags: ['slow'] }, async () => {
    expect(commands.length).toBeGreaterThanOrEqual(6);
    const project = openTempProject();
    await project.run(['init']);
    initRepository(project.root);
    runGit(project.root, 'update-ref', 'refs/remotes/origin/main', 'HEAD');
    for (const { place, line } of commands) {
      const words = splitCommand(line) ?? [];
      const { code, stderr } = await project.run(words, { env: { CI: 'true' } });
      expect({ place, line, code, stderr }).toMatchObject({ code: 0 });
    }
    expect(project.files('').filter((name) => /\.(xml|tap|html|json)$/.test(name))).toEqual(
      expect.arrayContaining([
        'llmcheck.xml',
        'llmcheck.json',
        'llmcheck.html',
        'llmcheck.tap',
        'llmcheck.ctrf.json',
        'reports/llmcheck.html',
      ]),
    );
  });

  test('pass only flags that run has to the action', async () => {
    const given = [page, ...files.map(({ text }) => text)].flatMap((text) => [...text.matchAll(/^ +args: (.+)$/gm)]);
    expect(given.length).toBeGreaterThanOrEqual(4);
    const project = openTempProject();
    await project.run(['init']);
    for (const [, args = ''] of given) {
      const { code, stderr } = await project.run([
        'run',
        '--dry-run',
        ...(splitCommand(args.replaceAll(/\$\{\{([^}]*)\}\}/g, (_, text: string) => valueOf(text))) ?? []),
      ]);
      expect({ args, code, stderr }).toMatchObject({ code: 0 });
    }
  });
});
