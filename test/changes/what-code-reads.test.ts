import { readFileSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findSuiteSources } from '../../src/changes/suite-sources.ts';
import { loadProject } from '../../src/project/load-project.ts';
import { lookupAdapter } from '../../src/providers/index.ts';
import { matchGlob } from '../../src/text/patterns/match-glob.ts';
import { openTempProject, type TempProject } from '../support/temp-project.ts';

/** Kinds of code: the suite's part that runs `app/main.mjs`, or another command. */
interface CodeKind {
  readonly name: string;
  readonly takesCommand?: true;
  /** Its code runs at each load, so that no hash of it is kept. */
  readonly isRunAtLoad?: true;
  /** A child process evaluates it, so that a few references must do. */
  readonly isSlow?: true;
  readonly isPlugin?: true;
  readonly write: (place: Place, command: string, text: string) => void;
}

/** The folder of one reference. */
interface Place {
  readonly id: string;
  readonly path: (name: string) => string;
  readonly write: (name: string, text: string) => void;
}

const plain = { prompts: [{ id: 'v1', text: 'Hi' }], providers: ['echo:a'] };

function writeSuite(place: Place, parts: object): void {
  const cases = [{ id: 'one', assert: [{ contains: 'a' }] }];
  place.write(`evals/${place.id}.eval.yaml`, JSON.stringify({ ...plain, cases, ...parts }));
}

const asCase = (parts: object) => ({ cases: [{ id: 'one', ...parts }] });

const kinds: readonly CodeKind[] = [
  {
    name: 'an exec provider',
    takesCommand: true,
    write: (place, command) => writeSuite(place, { providers: [`exec:${command}`] }),
  },
  {
    name: 'a module provider',
    write: (place) => writeSuite(place, { providers: ['module:../app/main.mjs'] }),
  },
  {
    name: 'a judge',
    takesCommand: true,
    write: (place, command) =>
      writeSuite(place, {
        judges: [{ id: 'j', use: `exec:${command}` }],
        ...asCase({ assert: [{ rubric: { value: 'Is it polite?', judge: 'j' } }] }),
      }),
  },
  {
    name: 'an exec check',
    takesCommand: true,
    write: (place, command) => writeSuite(place, asCase({ assert: [{ exec: command }] })),
  },
  {
    name: 'a module check',
    write: (place) => writeSuite(place, asCase({ assert: [{ module: '../app/main.mjs' }] })),
  },
  {
    name: 'code that selects',
    write: (place) => writeSuite(place, asCase({ assert: [{ contains: 'a', select: { module: '../app/main.mjs' } }] })),
  },
  {
    name: 'a module of tools',
    write(place, _, text) {
      place.write('app/main.mjs', `${text}\nexport const tools = { one() {} };\n`);
      writeSuite(place, asCase({ tools: { module: '../app/main.mjs' }, assert: [{ contains: 'a' }] }));
    },
  },
  {
    name: 'a server of tools',
    takesCommand: true,
    write(place, command) {
      const tool = { name: 'one', inputSchema: { type: 'object' } };
      const snapshot = { format: 1, source: `exec:${command}`, server: { name: 's' }, tools: [tool] };
      place.write('evals/tools.json', JSON.stringify(snapshot));
      writeSuite(place, {
        providers: [{ id: 'echo:a', use: 'echo:a', params: { tools: [{ mcp: 'tools.json' }] } }],
        ...asCase({ tools: { mcp: 'live' }, assert: [{ contains: 'a' }] }),
      });
    },
  },
  {
    name: 'a prompt in code',
    isRunAtLoad: true,
    write: (place) => writeSuite(place, { prompts: [{ id: 'v1', module: '../app/main.mjs' }] }),
  },
  {
    name: 'a prompt of a program',
    isRunAtLoad: true,
    takesCommand: true,
    write: (place, command) => writeSuite(place, { prompts: [{ id: 'v1', exec: command }] }),
  },
  {
    name: 'a plug-in',
    isPlugin: true,
    write(place, _, text) {
      const plugin = `{ kind: 'assertion', name: '${place.id}', summary: 's', check: () => ({ pass: true }) }`;
      place.write('app/main.mjs', `${text}\nexport default ${plugin};\n`);
      writeSuite(place, asCase({ assert: [{ [place.id]: {} }] }));
    },
  },
  {
    name: 'a suite in code',
    isRunAtLoad: true,
    isSlow: true,
    write(place, _, text) {
      const suite = JSON.stringify({ ...plain, cases: [{ id: 'one', assert: [{ contains: 'a' }] }] });
      place.write(`evals/${place.id}.eval.mjs`, `import '../app/main.mjs';\nexport default ${suite};\n`);
      place.write('app/main.mjs', text);
    },
  },
];

interface Reference {
  readonly name: string;
  /** The text of `app/main.mjs`. */
  readonly text?: string;
  /** Another command than `node ../app/main.mjs`. */
  readonly command?: string;
  /** Further files of the project. */
  readonly files?: Readonly<Record<string, string>>;
  readonly link?: readonly [string, string];
  /** The file that is edited, and its new text. */
  readonly edited: string;
  readonly now?: string;
  /** Where git sees the edit, if it is another file. */
  readonly seen?: string;
}

const lib = { 'app/lib/x.mjs': 'export const x = 1;\n' };
const manifest = (more: object) => JSON.stringify({ name: 'app', type: 'module', ...more });

const references: readonly Reference[] = [
  { name: 'itself', edited: 'app/main.mjs' },
  { name: 'a static import', text: "import './lib/x.mjs';", files: lib, edited: 'app/lib/x.mjs' },
  { name: 'an export of another', text: "export * from './lib/x.mjs';", files: lib, edited: 'app/lib/x.mjs' },
  {
    name: 'a dynamic import',
    text: "export const a = () => import('./lib/x.mjs');",
    files: lib,
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'an import in back quotes',
    text: 'export const a = () => import(`./lib/x.mjs`);',
    files: lib,
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'an import with a comment',
    text: "export const a = () => import(/* later */ './lib/x.mjs');",
    files: lib,
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'an import by a constant',
    text: "const place = './lib/x.mjs';\nexport const a = () => import(place);",
    files: lib,
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'an import by a URL',
    text: "export const a = () => import(new URL('lib/x.mjs', import.meta.url).href);",
    files: lib,
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'an import by a joined path',
    text: "import { join } from 'node:path';\nexport const a = () => import(join(import.meta.dirname, 'lib', 'x.mjs'));",
    files: lib,
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'a require',
    text: "import { createRequire } from 'node:module';\nconst load = createRequire(import.meta.url);\nexport const a = () => load('./lib/x.cjs');",
    files: { 'app/lib/x.cjs': 'module.exports = 1;\n' },
    edited: 'app/lib/x.cjs',
  },
  {
    name: '#imports',
    text: "import '#x';",
    files: { ...lib, 'app/package.json': manifest({ imports: { '#x': { node: './lib/x.mjs' } } }) },
    edited: 'app/lib/x.mjs',
  },
  {
    name: '#imports by a pattern',
    text: "import '#lib/x.mjs';",
    files: { ...lib, 'app/package.json': manifest({ imports: { '#lib/*': './lib/*' } }) },
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'its own package by name',
    text: "import 'app/x';",
    files: { ...lib, 'app/package.json': manifest({ exports: { './x': './lib/x.mjs' } }) },
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'an alias',
    text: "export const a = () => import('@/x.mjs');",
    files: { ...lib, 'tsconfig.json': '{"compilerOptions": {"paths": {"@/*": ["./app/lib/*"]}}}' },
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'an import of an import',
    text: "import './lib/y.mjs';",
    files: { ...lib, 'app/lib/y.mjs': "import './x.mjs';" },
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'data by its path',
    text: "export const a = new URL('./data.json', import.meta.url);",
    files: { 'app/data.json': '{}' },
    edited: 'app/data.json',
    now: '{"a": 1}',
  },
  {
    name: 'an import with escapes in its name',
    text: String.raw`import './lib/\u0078.mjs';`,
    files: lib,
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'data that it opens by a name',
    text: "import { readFileSync } from 'node:fs';\nexport const a = () => readFileSync('data.txt', 'utf8');",
    files: { 'app/data.txt': 'a' },
    edited: 'app/data.txt',
    now: 'b',
  },
  {
    name: 'data that it opens by a name, unless it is told another one',
    text: "import { readFileSync } from 'node:fs';\nexport const a = () => readFileSync(process.argv[2] ?? 'data.txt');",
    files: { 'app/data.txt': 'a' },
    edited: 'app/data.txt',
    now: 'b',
  },
  {
    name: 'a package of the workspace',
    text: "import 'shared';",
    files: {
      'shared/package.json': '{"name": "shared", "type": "module", "exports": "./main.js"}',
      'shared/main.js': "import './part.js';",
      'shared/part.js': '',
      'node_modules/.keep': '',
    },
    link: ['shared', 'node_modules/shared'],
    edited: 'shared/part.js',
  },
  {
    name: 'an installed package of another version',
    text: "import 'pack';",
    files: {
      'app/package-lock.json': '{}',
      'app/node_modules/pack/package.json': '{"name": "pack", "version": "1.0.0", "exports": "./main.mjs"}',
      'app/node_modules/pack/main.mjs': '',
    },
    edited: 'app/node_modules/pack/package.json',
    now: '{"name": "pack", "version": "1.0.1", "exports": "./main.mjs"}',
    seen: 'app/package-lock.json',
  },
  {
    name: 'an installed package that is edited',
    text: "import 'pack';",
    files: {
      'app/package-lock.json': '{}',
      'app/node_modules/pack/package.json': '{"name": "pack", "version": "1.0.0", "exports": "./main.mjs"}',
      'app/node_modules/pack/main.mjs': '',
    },
    edited: 'app/node_modules/pack/main.mjs',
    seen: 'app/package-lock.json',
  },
  {
    name: 'a package that an installed one needs',
    text: "import 'pack';",
    files: {
      'app/package-lock.json': '{}',
      'app/node_modules/pack/package.json': '{"name": "pack", "main": "./main.cjs", "dependencies": {"deep": "*"}}',
      'app/node_modules/pack/main.cjs': '',
      'app/node_modules/deep/package.json': '{"name": "deep", "version": "1.0.0"}',
    },
    edited: 'app/node_modules/deep/package.json',
    now: '{"name": "deep", "version": "2.0.0"}',
    seen: 'app/package-lock.json',
  },
];

const main = { 'app/agent.json': '{}' };
const started = { 'app/tool.py': 'import part\n', 'app/part.py': '' };
const python = {
  'evals/pkg/__init__.py': '',
  'evals/pkg/__main__.py': 'from .part import run\n',
  'evals/pkg/part.py': 'run = 1\n',
};

const commands: readonly Reference[] = [
  {
    name: 'a flag with =',
    command: 'node ../app/main.mjs --config=../app/agent.json',
    files: main,
    edited: 'app/agent.json',
  },
  { name: 'a word', command: 'node ../app/main.mjs ../app/agent.json', files: main, edited: 'app/agent.json' },
  { name: 'a short flag', command: 'node ../app/main.mjs -c../app/agent.json', files: main, edited: 'app/agent.json' },
  {
    name: 'a list',
    command: 'node ../app/main.mjs --files a.json,../app/agent.json',
    files: main,
    edited: 'app/agent.json',
  },
  { name: 'a body', command: 'node ../app/main.mjs @../app/agent.json', files: main, edited: 'app/agent.json' },
  {
    name: 'an import of a file of a flag',
    command: 'node --import=../app/hook.mjs ../app/main.mjs',
    files: { ...lib, 'app/hook.mjs': "import './lib/x.mjs';" },
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'a script without its ending',
    command: 'node ../app/main',
    files: { 'app/main.js': "import './lib/x.mjs';", ...lib },
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'a folder for Node',
    command: 'node ../agent',
    files: { 'agent/package.json': '{"main": "start.js"}', 'agent/start.js': "require('./part')", 'agent/part.js': '' },
    edited: 'agent/part.js',
  },
  {
    name: 'a folder with an index',
    command: 'node ../agent',
    files: { 'agent/index.js': "require('./part')", 'agent/part.js': '' },
    edited: 'agent/part.js',
  },
  {
    name: 'a folder of data',
    command: 'node ../app/main.mjs ../data',
    files: { 'data/a/b.txt': 'a' },
    edited: 'data/a/b.txt',
  },
  { name: 'code in a word', command: 'node -e "import(\'../app/lib/x.mjs\')"', files: lib, edited: 'app/lib/x.mjs' },
  {
    name: 'a command in a word',
    command: 'sh -c "node ../app/main.mjs --config=../app/agent.json"',
    files: main,
    edited: 'app/agent.json',
  },
  {
    name: 'data that a Python script opens',
    command: 'python3 ../app/main.py',
    files: { 'app/main.py': "import json\nprint(json.load(open('data.json'))['a'])\n", 'app/data.json': '{"a": 1}' },
    edited: 'app/data.json',
    now: '{"a": 2}',
  },
  { name: 'python -m', command: 'python3 -m pkg', files: python, edited: 'evals/pkg/part.py' },
  { name: 'python -m, joined', command: 'python3 -mpkg', files: python, edited: 'evals/pkg/part.py' },
  { name: 'python -m behind a runner', command: 'uv run python -m pkg', files: python, edited: 'evals/pkg/part.py' },
  { name: 'python FOLDER', command: 'python3 pkg', files: python, edited: 'evals/pkg/part.py' },
  {
    name: 'a Python script with imports',
    command: 'python3 ../app/main.py',
    files: {
      'app/main.py': 'import json, os\nfrom lib.a import (\n  one,\n  two,\n)\nimport importlib\n',
      'app/lib/a.py': 'import importlib\nmodule = importlib.import_module("lib.b")\n',
      'app/lib/b.py': '',
    },
    edited: 'app/lib/b.py',
  },
  {
    name: 'the lockfile of Python',
    command: 'python3 ../app/main.py',
    files: { 'app/main.py': 'import requests\n', 'requirements.txt': 'requests==1\n' },
    edited: 'requirements.txt',
  },
  {
    name: 'a folder that Python searches',
    command: 'python3 ../app/main.py',
    files: {
      'app/main.py':
        'import sys, os\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "shared"))\nimport tool\n',
      'shared/tool.py': '',
    },
    edited: 'shared/tool.py',
  },
  {
    name: 'a script behind a module that is loaded first',
    command: 'node -r ../app/hook.cjs ../app/main',
    files: { 'app/hook.cjs': '', 'app/main.js': '' },
    edited: 'app/main.js',
  },
  {
    name: 'a command in another folder',
    command: 'sh -c "cd ../app/lib && node y.mjs"',
    files: { ...lib, 'app/lib/y.mjs': "import './x.mjs';" },
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'a script that a script starts',
    command: 'node ../app/start.mjs',
    files: { ...started, 'app/start.mjs': "spawn('python3', [`tool.py`]);" },
    edited: 'app/part.py',
  },
  {
    name: 'a Ruby script',
    command: 'ruby ../app/main.rb',
    files: { 'app/main.rb': "require 'json'\nrequire_relative 'lib/x'\n", 'app/lib/x.rb': '' },
    edited: 'app/lib/x.rb',
  },
  {
    name: 'a shell script',
    command: 'sh ../app/run.sh',
    files: { 'app/run.sh': '#!/bin/sh\nnode "$(dirname "$0")/main.mjs" --config=$DIR/agent.json "$@"\n', ...main },
    edited: 'app/main.mjs',
  },
  {
    name: 'a program with a first line',
    command: '../app/run',
    files: { 'app/run': '#!/usr/bin/env -S node\nrequire("./lib/x.mjs")\n', ...lib },
    edited: 'app/lib/x.mjs',
  },
  {
    name: 'a script of package.json',
    command: 'npm run --silent agent',
    files: { 'package.json': '{"scripts": {"agent": "node app/main.mjs --config=app/agent.json"}}', ...main },
    edited: 'app/agent.json',
  },
];

/** A reference in a folder of its own, so that one load of the project looks at all of them. */
function writeReference(project: TempProject, reference: Reference, kind: CodeKind, index: number): Place {
  const { files = {}, text = '', link, command = 'node ../app/main.mjs' } = reference;
  const folder = `r${index}`;
  const place: Place = {
    id: folder,
    path: (name) => project.path(`${folder}/${name}`),
    write: (name, content) => project.write(`${folder}/${name}`, content),
  };
  place.write('app/main.mjs', `${text}\n`);
  for (const [path, content] of Object.entries(files)) place.write(path, content);
  if (link !== undefined) symlinkSync(place.path(link[0]), place.path(link[1]));
  kind.write(place, command, text);
  return place;
}

/** What the cache, the hash of a case and `--changed` know of each suite. */
async function look(project: TempProject) {
  const { project: loaded } = await loadProject({ paths: [], cwd: project.root, callsNoPrompts: true });
  const env = { env: {}, projectRoot: project.root };
  const looks = loaded.suites.map((suite) => {
    const endpoints = [...suite.providers, ...suite.askedModels].map((config) =>
      lookupAdapter(config.adapter)?.resolve(config, env),
    );
    const hashes = [...suite.cases()].map(({ caseHash }) => caseHash);
    const { paths, globs, unfollowed } = findSuiteSources(suite, loaded, env);
    const shared = new Set(loaded.sources.files.map((path) => project.path(path)));
    const own = {
      hash: JSON.stringify([endpoints.map((endpoint) => endpoint?.adapterVersion), hashes]),
      unfollowed,
      isSeen: (path: string) =>
        paths.has(path) ||
        shared.has(path) ||
        globs.some(({ pattern, folder }) => matchGlob(pattern, folder, [path]).length > 0),
    };
    return [suite.id, own] as const;
  });
  return new Map(looks);
}

describe.each(kinds)('$name', (kind) => {
  test('has each thing that it reads in its identity, and --changed sees the thing', { tags: ['slow'] }, async () => {
    const tried = kind.isSlow === true ? references.slice(0, 2) : references;
    const all = kind.takesCommand === true ? [...tried, ...commands] : tried;
    const project = openTempProject();
    project.write('.git/HEAD', '');
    const plugins = all.map((_, index) => `./r${index}/app/main.mjs`);
    const config = { suites: ['**/*.eval.{yaml,mjs}'], ...(kind.isPlugin === true ? { plugins } : {}) };
    project.write('llmcheck.config.yaml', JSON.stringify(config));
    const places = all.map((reference, index) => ({
      ...reference,
      ...writeReference(project, reference, kind, index),
    }));
    const before = await look(project);
    // One kind shows that nothing changes by itself.
    const again = kind === kinds[0] ? await look(project) : before;
    for (const { edited, now, path, write } of places) write(edited, now ?? `${readFileSync(path(edited), 'utf8')}\n`);
    const after = await look(project);
    const faults = places.flatMap(({ id, name, path, edited, seen = edited }) => {
      const [one, same, other] = [before, again, after].map((looks) => looks.get(id));
      const isChanged = kind.isRunAtLoad === true || (one?.hash === same?.hash && one?.hash !== other?.hash);
      const found = { isSeen: one?.isSeen(path(seen)), isChanged, unfollowed: one?.unfollowed };
      return isChanged && found.isSeen === true && found.unfollowed?.length === 0 ? [] : [{ name, ...found }];
    });
    expect(faults).toEqual([]);
    expect(before.size).toBe(all.length);
  });
});

describe("what can't be followed", () => {
  const module = kinds[1] as CodeKind;
  const program = kinds[0] as CodeKind;

  async function findUnfollowed(kind: CodeKind, reference: Omit<Reference, 'name' | 'edited'>) {
    const project = openTempProject();
    project.write('.git/HEAD', '');
    project.write('llmcheck.config.yaml', 'suites: ["**/*.eval.yaml"]\n');
    writeReference(project, { name: '', edited: '', ...reference }, kind, 0);
    return (await look(project)).get('r0')?.unfollowed;
  }

  test.each([
    ['import(name)', 'import(name)'],
    ['import(`./${name}.mjs`)', 'import(`./${…}.mjs`)'],
    ["import('./plugins/' + name)", "import('./plugins/' + name)"],
    ["import(isA ? './a.mjs' : './b.mjs')", "import(isA ? './a.mjs' : './b.mjs')"],
    ['require(name)', 'require(name)'],
    ['new Worker(name)', 'new Worker(name)'],
    ["import('./gone.mjs'.replace('gone', name))", "import('./gone.mjs'.replace('gone', name))"],
  ])('%s is named with its line', async (text, shown) => {
    const found = await findUnfollowed(module, { text: `// import(comment)\nexport const a = (name) => ${text};` });
    expect(found).toEqual([`r0/app/main.mjs:2: ${shown}`]);
  });

  test.each([
    '/* import(name) */',
    "const help = 'import(name)';",
    'const help = `import(name)`;',
    'const pattern = /import(name)/;',
    'export const tool = { import(name) { return name; }, require(name) {} };',
    'tool.import(name); tool.require(name); this.#import(name);',
    'interface Tool { import(name: string): void }',
    "import x from './main.mjs'; const n = 1 / 2; import('./main.mjs').then((a) => a / 3);",
    'const url = `${name}/import(name)`;',
  ])('%s is no import', async (text) => {
    expect(await findUnfollowed(module, { text })).toEqual([]);
  });

  test.each([
    [
      'python3 ../app/a.py',
      { 'app/a.py': 'import importlib\nimportlib.import_module(name)\n' },
      'r0/app/a.py:2: import_module(name)',
    ],
    ['python3 ../app/a.py', { 'app/a.py': '__import__(f"tools.{name}")' }, "r0/app/a.py:1: __import__(f'tools.{…}')"],
    ['ruby ../app/a.rb', { 'app/a.rb': 'require_relative name' }, 'r0/app/a.rb:1: require_relative name'],
    ['sh ../app/a.sh', { 'app/a.sh': 'source "$HOME/env.sh"' }, 'r0/app/a.sh:1: source $HOME/env.sh'],
    ['perl ../app/a.pl', { 'app/a.pl': '' }, 'r0/app/a.pl: the imports of a .pl file are not known'],
    ['docker run agent', {}, 'what docker runs'],
    ['uv run agent', {}, 'what uv runs'],
    ['python3 ../app/a.py', { 'app/a.py': 'import sys\nsys.path.append(find())\n' }, 'r0/app/a.py:2: sys.path'],
    ['node ../app/main.mjs ..', {}, 'the folder ..'],
  ])('%s', async (command, files, shown) => {
    expect(await findUnfollowed(program, { command, files })).toEqual([shown]);
  });
});
