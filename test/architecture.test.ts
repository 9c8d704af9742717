import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractDepcruiseOptions from 'dependency-cruiser/config-utl/extract-depcruise-options';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
import glob from 'fast-glob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const rulesFile = join(root, '.dependency-cruiser.mjs');
const { ground, parts, features } = (await import(rulesFile)) as {
  ground: string[];
  parts: string[];
  features: Record<string, string[]>;
};

interface Breach {
  readonly file: string;
  readonly imports: string;
  readonly target: string;
}

/** One for each rule that is not made from a list of folders. */
const breaches: Record<string, Breach> = {
  'no-cycles': { file: 'src/text/cycle.ts', imports: './half.ts', target: 'src/text/half.ts' },
  'no-orphans': { file: 'src/text/orphan.ts', imports: '', target: 'src/text/orphan.ts' },
  'deciding-reads-records-alone': breach('src/verdict/reading.ts', 'src/record/read-run-record.ts'),
  'comparing-knows-no-gate': breach('src/verdict/confirm/gate.ts', 'src/verdict/gate/b.ts'),
  'comparing-knows-no-confirmation': breach('src/verdict/confirmed.ts', 'src/verdict/confirm/b.ts'),
  'api-is-an-entrance': breach('src/run/api.ts', 'src/api/b.ts'),
  'cli-is-an-entrance': breach('src/run/cli.ts', 'src/cli/b.ts'),
  'entrances-call-features': breach('src/cli/assertions.ts', 'src/assertions/b.ts'),
  'page-imports-model-text-json-terminal-only': breach('src/page/compare.tsx', 'src/verdict/b.ts'),
  'page-is-built-not-imported': breach('src/reports/page.ts', 'src/page/b.tsx'),
  'page-libraries-stay-in-the-page': breach('src/reports/preact.ts', 'node_modules/preact/index.js'),
  'bin-to-cli-only': breach('bin/fs.mjs', 'fs'),
  'effects-have-a-home': breach('src/verdict/effect.ts', 'child_process'),
  'sdk-stays-in-its-provider': breach('src/judges/sdk.ts', 'node_modules/openai/index.js'),
  'undici-stays-in-http': breach('src/providers/undici.ts', 'node_modules/undici/index.js'),
  'terminal-libraries-stay-above': breach('src/verdict/colour.ts', 'node_modules/picocolors/index.js'),
  'no-src-to-test': breach('src/cli/test.ts', 'test/b.ts'),
};

/** Imports that are similar to a breach, but allowed. */
const allowed = [
  breach('src/text/b.ts', 'src/model/b.ts'),
  breach('src/record/b.ts', 'src/json/b.ts'),
  breach('src/providers/b.ts', 'src/programs/b.ts'),
  breach('src/review/b.ts', 'src/baseline/b.ts'),
  breach('src/verdict/gate/own.ts', 'src/verdict/confirm/b.ts'),
  breach('src/verdict/gate/counting.ts', 'src/record/count-classes.ts'),
  breach('src/plan/b.ts', 'src/suite/b.ts'),
  breach('src/api/b.ts', 'src/cli/b.ts'),
  breach('src/cli/b.ts', 'src/viewing/b.ts'),
  breach('src/cli/reports.ts', 'src/reports/b.ts'),
  breach('src/cli/job.ts', 'src/github/github-run.ts'),
  breach('src/page/b.tsx', 'node_modules/preact/index.js'),
  breach('src/programs/effect.ts', 'child_process'),
];

function breach(file: string, target: string): Breach {
  return { file, imports: specifierOf(file, target), target };
}

function specifierOf(file: string, target: string): string {
  const [folder, name = ''] = target.split('/');
  if (folder === 'node_modules') return name;
  if (name === '') return `node:${target}`;
  const path = relative(dirname(file), target);
  return path.startsWith('.') ? path : `./${path}`;
}

/** The breach of a rule by its name, so that a new rule needs one here. */
function breachOf(rule: string): Breach | undefined {
  const [, room = '', floor] = /^(.+)-(is-ground|is-a-part|imports-features-listed)$/.exec(rule) ?? [];
  if (floor === undefined) return breaches[rule];
  const forbidden = {
    'is-ground': parts,
    'is-a-part': parts.filter((name) => name !== room && name !== 'programs'),
    // The last of them is below the feature, where there is one: to point down is not enough.
    'imports-features-listed': Object.keys(features).filter(
      (name) => ![room, ...(features[room] ?? [])].includes(name),
    ),
  }[floor];
  return breach(`src/${room}/forbidden.ts`, `src/${forbidden?.at(-1)}/b.ts`);
}

describe('the floors', async () => {
  const options = await extractDepcruiseOptions(rulesFile);
  const rules = (options.ruleSet?.forbidden ?? []).map(({ name }) => name ?? '');

  let folder = '';
  let cruised: ICruiseResult;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llmcheck-layers-'));
    const planted = [...rules.flatMap((rule) => breachOf(rule) ?? []), ...allowed];
    const files = new Map(
      planted.flatMap(({ target }) => (target.includes('/') ? [[target, 'export const b = 1;']] : [])),
    );
    for (const { file, imports } of planted)
      files.set(file, `${imports === '' ? '' : `import '${imports}';\n`}export const a = 1;\n`);
    files.set('src/text/half.ts', "import './cycle.ts';\nexport {};\n");
    for (const [path, text] of files) {
      await mkdir(join(folder, dirname(path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const { output } = await cruise(['src', 'bin'], { ...options, baseDir: folder }, undefined, {
      tsConfig: extractTSConfig(join(root, 'tsconfig.json')),
    });
    if (typeof output === 'string') throw new TypeError('expected a cruise result');
    cruised = output;
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(rules)('%s fires where it is broken', (rule) => {
    const broken = breachOf(rule);
    expect(broken, `break ${rule} in this test`).toBeDefined();
    expect(cruised.summary.violations).toContainEqual(
      expect.objectContaining({
        rule: expect.objectContaining({ name: rule, severity: 'error' }),
        from: broken?.file,
        to: broken?.target,
      }),
    );
  });

  test.each(allowed)('$file may import $imports', ({ file }) => {
    expect(cruised.modules.map(({ source }) => source)).toContain(file);
    expect(cruised.summary.violations.filter(({ from }) => from === file)).toEqual([]);
  });

  test('each folder of src is on a floor', async () => {
    const folders = await glob('src/*', { cwd: root, onlyDirectories: true });
    const rooms = ['api', 'cli', ...Object.keys(features), ...parts, ...ground, 'page'];
    expect(folders.map((path) => path.slice('src/'.length)).sort()).toEqual(rooms.sort());
  });

  test('a listed import between features points down, and is one', async () => {
    const names = Object.keys(features);
    const listed = names.flatMap((name) => (features[name] ?? []).map((to) => `${name} > ${to}`));
    const down = new Set(names.flatMap((name, at) => names.slice(at + 1).map((to) => `${name} > ${to}`)));
    expect(listed.filter((arrow) => !down.has(arrow))).toEqual([]);
    const imported = new Set<string>();
    for (const file of await glob(`src/{${names.join()}}/**/*.ts`, { cwd: root })) {
      const specifiers = readFileSync(join(root, file), 'utf8').matchAll(/'((?:[.][.]\/)+[^']+)'/g);
      for (const [, path = ''] of specifiers) imported.add(`${roomOf(file)} > ${roomOf(join(dirname(file), path))}`);
    }
    expect(listed.filter((arrow) => !imported.has(arrow))).toEqual([]);
  });
});

function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

describe('the architecture page', () => {
  const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');

  test.each([
    ['Entrances', ['cli', 'api']],
    ['Features', Object.keys(features)],
    ['Parts', parts],
    ['Ground', ground],
  ])('lists the folders of the floor %s', (floor, folders) => {
    const [, section = ''] = page.split(`**${floor}**`);
    const [named = ''] = section.split(/\n(?=\*\*|## |Beside)/);
    expect([...named.matchAll(/`([\w-]+)\/`/g)].map(([, folder]) => folder)).toEqual(folders);
  });

  test('names files and folders that exist', () => {
    const named = [...page.matchAll(/`((?:src|test|audit|bench)\/[\w./-]+)`/g)].map(([, path = '']) => path);
    expect(page.match(/^\| .*\? \| .*`src\//gm)).toHaveLength(13);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

/** Statements that read a clock, wait, draw at random or touch the process. */
const effects = [
  'performance.now();',
  'Date.now();',
  'setTimeout(() => 1, 1);',
  'setInterval(() => 1, 1);',
  "import 'node:timers/promises';",
  "import 'node:perf_hooks';",
  'Math.random();',
  'crypto.randomUUID();',
  "import { randomBytes } from 'node:crypto'; randomBytes(1);",
  'process.exitCode = 1;',
  "import { pid } from 'node:process'; pid.toFixed();",
];

describe('clock, timers, randomness and process', () => {
  let folder = '';
  const linted = new Set<string>();
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'llmcheck-lint-'));
    await copyFile(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    for (const room of ['plan', 'cli']) {
      await mkdir(join(folder, 'src', room), { recursive: true });
      for (const [at, text] of effects.entries()) await writeFile(join(folder, `src/${room}/${at}.ts`), `${text}\n`);
    }
    const { stdout } = spawnSync(join(root, 'node_modules/.bin/oxlint'), ['-f', 'json'], { cwd: folder });
    const { diagnostics } = JSON.parse(String(stdout)) as { diagnostics: { code: string; filename: string }[] };
    for (const { code, filename } of diagnostics) if (code.includes('no-restricted-')) linted.add(filename);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([...effects.entries()])('%i: the lint refuses `%s` outside the folders that have them', (at) => {
    expect([...linted].filter((file) => file.endsWith(`/${at}.ts`))).toEqual([`src/plan/${at}.ts`]);
  });

  // The lint has no rule for a constructor without arguments.
  test('only an entrance reads the date', async () => {
    const files = await glob('src/**/*.{ts,tsx}', { cwd: root, ignore: ['src/cli/**', 'src/api/**', 'src/page/**'] });
    expect(files.filter((file) => /new Date\(\)/.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
  });
});
