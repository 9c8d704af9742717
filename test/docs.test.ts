import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { findFences, listPages, normalize, renderPage } from '../scripts/docs-pages.ts';
import { renderRegion } from '../scripts/docs-regions.ts';
import { averageWords, listSentences, maxAverage, maxSentence } from '../scripts/docs-sentences.ts';
import { assertions } from '../src/assertions/index.ts';
import { breachCodes } from '../src/model/comparison/breach.ts';
import { problemCodes } from '../src/model/problem.ts';
import { runCli } from './support/run-cli.ts';

const root = join(import.meta.dirname, '..');
const pages = listPages(root);
const read = (page: string) => readFileSync(join(root, page), 'utf8');
const render = (text: string) => renderPage(text, root, (name) => renderRegion(name, root));

/** They run whole projects, or thousands of simulated runs. */
const slowPages = new Set(['docs/statistics-reference.md', 'docs/tutorial.md', 'docs/tutorial-agent.md']);

describe('what the pages show', () => {
  // Every `$` line of a console block is run in this process, and every generated table rendered, as of today.
  // Two things may differ and are normalised: how long a run took, and the version in "llmcheck 1.2.3".
  for (const page of pages) {
    const tags = slowPages.has(page) ? ['slow'] : [];
    it(`${page} is what the program prints and declares today`, { tags }, async () => {
      const text = read(page);
      expect(normalize(await render(text)), `${page} is stale: run \`npm run docs\``).toBe(normalize(text));
    });
  }

  it('finds an output that is not what the command prints', async () => {
    const page = ['```console', '$ llmcheck run -q --tag hostile --prompt v2', 'FAILED (exit code 1)', '```'].join(
      '\n',
    );
    const rendered = await render(page);
    expect(rendered).not.toBe(page);
    expect(rendered).toMatch(/^PASSED {2}/m);
    expect(rendered).not.toContain('FAILED');
  });

  it('keeps a measured time and takes everything else as it is', () => {
    expect(normalize('spent $0; took 35 ms')).toBe(normalize('spent $0; took 1.2 s'));
    expect(normalize('2 planned = 2 passed · spent $0 · 35 ms ·\n  run 1\nFAILED')).toBe(
      normalize('2 planned = 2 passed · spent $0 ·\n  1.2 s · run 1\nFAILED'),
    );
    expect(normalize('2 planned = 2 passed · 1 ms')).not.toBe(normalize('3 planned = 3 passed · 1 ms'));
    expect(normalize('  $0.1  p50 35 ms')).not.toBe(normalize('  $0.1  p50 36 ms'));
    expect(normalize('  unknown  p50 35 ms')).toBe(normalize('  unknown  p50 1.2 s'));
  });

  it('refuses a command that it can not run instead of leaving it out', async () => {
    await expect(render(['```console', '$ rm -rf .llmcheck', '```'].join('\n'))).rejects.toThrow('use a sh fence');
  });

  it('runs the steps of a tutorial in one folder, with the files as the page has them by then', async () => {
    const page = `
\`\`\`yaml llmcheck.config.yaml
suites: ["a.eval.yaml"]
\`\`\`
\`\`\`console step
$ mkdir inner
$ cat llmcheck.config.yaml
\`\`\`
\`\`\`yaml llmcheck.config.yaml
suites: ["b.eval.yaml"]
\`\`\`
\`\`\`console step
$ cat llmcheck.config.yaml
$ cd inner
\`\`\`
`;
    const rendered = await render(page);
    expect(rendered).toContain('$ cat llmcheck.config.yaml\nsuites: ["a.eval.yaml"]\n```');
    expect(rendered).toContain('$ cat llmcheck.config.yaml\nsuites: ["b.eval.yaml"]\n$ cd inner\n```');
  });

  it.each([
    ['docs/tutorial.md', ['echo node_modules/ > .gitignore']],
    ['docs/tutorial-agent.md', ["printf '%s\\n' node_modules/ .llmcheck/ > .gitignore"]],
  ])('runs every command of %s but the installation', (page, more) => {
    const shell = findFences(read(page)).filter(({ info }) => !/ (?:step|\S+\.\w+)$/.test(info));
    const install = ['npm init -y', 'npm install --save-dev llmcheck'];
    expect(shell.flatMap(({ lines }) => lines)).toEqual([...install, ...more]);
  });

  it('finds a generated table that was changed by hand', async () => {
    const page = '<!-- generated: reporters -->\n| name |\n<!-- end of reporters -->';
    expect(await render(page)).toContain('`junit`');
  });
});

const parts = pages.flatMap((page) =>
  findFences(read(page))
    .filter(({ info }) => info === 'yaml part')
    .map(({ lines, start }) => ({ place: `${page}:${start + 1}`, text: lines.join('\n') })),
);

describe('the parts of suites that the pages show', () => {
  const base = {
    suite: 'part',
    prompts: [{ id: 'v1', text: '{{ email }}' }],
    providers: ['openai:gpt-4o-mini'],
    cases: [{ id: 'a', vars: { email: 'Hello' }, assert: [{ contains: 'Hello' }] }],
  };

  it.each(parts)('the part at $place makes a valid suite of the rest', async ({ text }) => {
    const folder = mkdtempSync(join(tmpdir(), 'llmcheck-docs-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    cpSync(join(root, 'evals'), join(folder, 'evals'), { recursive: true });
    const suite = { ...base, ...(parse(text) as object) };
    writeFileSync(join(folder, 'evals/part.eval.yaml'), stringify(suite));
    const { code, stderr } = await runCli(['validate', 'evals/part.eval.yaml'], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr });
  });
});

describe('what the pages must name', () => {
  it('every problem code has a section of its own with an example', () => {
    const text = read('docs/problems.md');
    expect([...text.matchAll(/^## (.+)$/gm)].map(([, code]) => code)).toEqual([...problemCodes]);
    const shown = findFences(text).filter(({ info }) => info.startsWith('console'));
    expect(shown.map(({ heading }) => heading)).toEqual([...problemCodes]);
  });

  it('the example of a problem shows that problem', () => {
    const shown = findFences(read('docs/problems.md')).filter(({ info }) => info.startsWith('console'));
    for (const { heading, lines } of shown) {
      // That nothing was found is said without a code.
      const wanted = heading === 'no-suite' ? 'no suite was found' : ` ${heading}: `;
      expect(lines.join('\n')).toContain(wanted);
    }
  });

  it('every breach code is explained', () => {
    const text = read('docs/reports.md');
    expect(breachCodes.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
  });

  it('every assertion has its section', () => {
    const headings = [...read('docs/assertions.md').matchAll(/^### (.+)$/gm)].map(([, name]) => name ?? '');
    expect(headings.toSorted()).toEqual(Object.keys(assertions).toSorted());
  });
});

/** The commands that a page names without running them, in text and in fences. */
function commandsOf(text: string): string[] {
  const fenced = findFences(text)
    .filter(({ info }) => !info.startsWith('console'))
    .flatMap(({ lines }) => lines.map((line) => /^\s*(?:- run: |- |sh ')?(?:npx )?(llmcheck .*)$/.exec(line)?.[1]));
  const prose = text.replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '');
  const inline = [...prose.matchAll(/`(?:npx )?(llmcheck [^`]+)`/g)].map(([, command]) => command);
  return [...fenced, ...inline].filter((command) => command !== undefined);
}

const helps = new Map<string, Promise<string>>();

/** Most commands are named many times. */
function helpOf(name: string): Promise<string> {
  const help =
    helps.get(name) ?? runCli([...name.split(' ').slice(1), '--help'], { cwd: root }).then((run) => run.stdout);
  helps.set(name, help);
  return help;
}

/** Looks up each command in the table of commands, and its flags in its help. */
async function findUnknownCommands(text: string): Promise<readonly string[]> {
  const table = read('docs/running.md').matchAll(/^\| `(llmcheck [a-z -]+)/gm);
  const known = [...[...table].map(([, name = '']) => name.trim()), 'llmcheck help'];
  const unknown: string[] = [];
  for (const command of new Set(commandsOf(text))) {
    const words = command.replace(/ [#|>&].*$/, '');
    const name = known.find((each) => `${words} `.startsWith(`${each} `));
    const isGroup = known.some((each) => each.startsWith(`${words} `));
    const help = await helpOf(name ?? 'llmcheck');
    const flags = words.replaceAll(/"[^"]*"/g, '').match(/(?<= )--?[a-z][\w-]*/g) ?? [];
    const isFlagOnly = /^llmcheck --?(?:help|version)/.test(words);
    const isKnown = isGroup || isFlagOnly || (name !== undefined && flags.every((flag) => help.includes(flag)));
    if (!isKnown) unknown.push(command);
  }
  return unknown;
}

describe('the commands that pages name', () => {
  it.each(pages)('%s names commands and flags that exist', async (page) => {
    expect(await findUnknownCommands(read(page))).toEqual([]);
  });

  it('finds a command and a flag that do not exist', async () => {
    const text = ['`llmcheck cache stat`', '```sh', 'llmcheck run --chnaged', '```'].join('\n');
    expect(await findUnknownCommands(text)).toEqual(['llmcheck run --chnaged', 'llmcheck cache stat']);
  });
});

/** Words that a newcomer would read twice. */
const unclear =
  /\b(?:anew|whoever|nobody|told of|hangs? on|mend(?:s|ed|ing)?|held against|as (?:they|it) stands?)\b.*/gi;

const listFiles = (folder: string, name: RegExp) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => name.test(file))
    .map((file) => `${folder}/${file.replaceAll('\\', '/')}`);

/** The first arguments of `test`, `it` and `describe`, also after a table of `each`. */
function testNamesOf(code: string): string[] {
  const names = /(?:\b(?:test|it|describe)(?:\.\w+)*|\))\(\s*(['"`])((?:\\.|(?!\1).)*)\1,\s*(?:async\b|\(|\{|\w+ =>)/g;
  return [...code.matchAll(names)].map(([, , name = '']) => name);
}

describe('the words of pages, code and test names', () => {
  const written = [...pages, 'AGENTS.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'];
  // A new word in what a judge is asked would change the key of every stored verdict.
  const askedOfJudges = /and whoever it claims to be|judged as it stands/g;

  it.each(written)('%s has no unclear words', (page) => {
    const prose = read(page)
      .replaceAll(/<!-- generated: [\s\S]*?<!-- end of [\w-]+ -->/g, '')
      .replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '');
    expect(prose.match(unclear) ?? []).toEqual([]);
  });

  it('the source has no unclear words', () => {
    const hits = listFiles('src', /\.(?:tsx?|mjs)$/).flatMap((file) =>
      (read(file).replaceAll(askedOfJudges, '').match(unclear) ?? []).map((hit) => `${file}: ${hit}`),
    );
    expect(hits).toEqual([]);
  });

  it('test names have no unclear words', () => {
    const hits = listFiles('test', /\.test\.ts$/).flatMap((file) =>
      testNamesOf(read(file)).flatMap((name) => (name.match(unclear) ?? []).map(() => `${file}: ${name}`)),
    );
    expect(hits).toEqual([]);
  });

  it('finds the names of tests, of groups and of tables', () => {
    const code = `
describe('one', () => {
  it("two's", { tags: 'slow' }, async () => run('not a name'));
  test.each([
    ['not a name', () => {}],
  ])('three %s', (name) => {});
  it.skipIf(isRoot)(
    \`four \${name}\`,
    async () => {},
  );
});`;
    expect(testNamesOf(code)).toEqual(['one', "two's", 'three %s', 'four ${name}']);
  });
});

describe('sentences', () => {
  const sentences = pages.flatMap((page) => listSentences(page, read(page)));

  it('are short enough to be read once', () => {
    expect(averageWords(sentences)).toBeLessThanOrEqual(maxAverage);
    const long = sentences.filter(({ words }) => words > maxSentence);
    expect(long.map(({ page, line, text }) => `${page}:${line}: ${text}`)).toEqual([]);
  });

  it('are found in paragraphs, lists and tables, and code in them is one word', () => {
    const text =
      'One two three.\nFour `a b c` five six. Seven\n\n- eight nine ten\n\n| a b c d | e f g |\n\n```\nnot a word here\n```\n';
    expect(listSentences('page', text).map(({ words, line }) => [words, line])).toEqual([
      [3, 1],
      [4, 1],
      [3, 4],
      [4, 6],
      [3, 6],
    ]);
  });

  it('begin after a full stop, also with the name of the product', () => {
    const text = 'One two three. llmcheck runs it all. E.g. four five. Six seven eight.\n';
    expect(listSentences('page', text).map(({ words }) => words)).toEqual([3, 4, 3, 3]);
  });
});

describe('links', () => {
  it.each(pages)('%s links to files and headings that exist', (page) => {
    const text = read(page).replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '');
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !/^https?:/.test(target) && !isThere(page, target));
    expect(broken).toEqual([]);
  });

  it('the commands that set up a clone are those of the package', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const readme = read('README.md');
    expect(readme).toContain('\nnpm ci && node bin/llmcheck.js run\n');
    expect(readme).toContain('\nnpm ci && npm run test:all\n');
    expect(scripts['prepare']).toBe('npm run build');
    const named = pages.flatMap((page) => [...read(page).matchAll(/`npm run ([\w:]+)/g)].map(([, name = '']) => name));
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });
});

function isThere(page: string, target: string): boolean {
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? page : join(dirname(page), file);
  if (!existsSync(join(root, path))) return false;
  if (anchor === undefined) return true;
  const headings = [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));
  return headings.includes(anchor);
}

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}
