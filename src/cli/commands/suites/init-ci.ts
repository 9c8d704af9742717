import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { withFileLock } from '../../../files/file-lock.ts';
import { replaceFile, withStorageErrors } from '../../../files/write-files.ts';
import { folderInRepository } from '../../../project/project-paths.ts';
import { docsUrl } from '../../../text/addresses/docs-url.ts';
import { shellWord } from '../../../text/code/command-line.ts';
import { toSafeLine } from '../../../text/sanitize.ts';
import { toSlashes } from '../../../text/to-slashes.ts';
import type { Io } from '../../io.ts';

export const ciSystems = ['github', 'gitlab', 'none'] as const;
export type CiSystem = (typeof ciSystems)[number];

/** How a job installs the project and starts llmcheck. */
interface PackageManager {
  readonly name: 'npm' | 'pnpm' | 'yarn' | 'yarn 1' | 'bun';
  /** Relative to the repository, with slashes; empty for its root. */
  readonly folder: string;
}

interface Commands {
  /** Before the installation; the image and the runner have npm alone. */
  readonly prepare?: string;
  readonly install: string;
  readonly exec: string;
}

const commandsOf: Readonly<Record<PackageManager['name'], Commands>> = {
  npm: { install: 'npm ci', exec: 'npx llmcheck' },
  pnpm: { prepare: 'corepack enable', install: 'pnpm install --frozen-lockfile', exec: 'pnpm exec llmcheck' },
  yarn: { prepare: 'corepack enable', install: 'yarn install --immutable', exec: 'yarn llmcheck' },
  'yarn 1': { prepare: 'corepack enable', install: 'yarn install --frozen-lockfile', exec: 'npx llmcheck' },
  bun: { prepare: 'npm install --global bun@1', install: 'bun install --frozen-lockfile', exec: 'bun x llmcheck' },
};

/**
 * Finds the package manager from `packageManager` of package.json, else from the lockfile. Searches the project's
 * folder and the ones above.
 */
function findPackageManager(repository: string, folder: string): PackageManager {
  const parts = folder === '' ? [] : folder.split('/');
  for (let depth = parts.length; depth >= 0; depth -= 1) {
    const at = parts.slice(0, depth).join('/');
    const name = managerIn(join(repository, at));
    if (name !== undefined) return { name, folder: at };
  }
  return { name: 'npm', folder };
}

function managerIn(folder: string): PackageManager['name'] | undefined {
  const read = (name: string): string => readText(join(folder, name));
  const [, named, major] = /"packageManager"\s*:\s*"(npm|pnpm|yarn|bun)@(\d+)/.exec(read('package.json')) ?? [];
  if (named === 'yarn') return major === '1' ? 'yarn 1' : 'yarn';
  if (named === 'npm' || named === 'pnpm' || named === 'bun') return named;
  if (existsSync(join(folder, 'pnpm-lock.yaml'))) return 'pnpm';
  if (existsSync(join(folder, 'bun.lock')) || existsSync(join(folder, 'bun.lockb'))) return 'bun';
  if (existsSync(join(folder, 'yarn.lock'))) return read('yarn.lock').includes('yarn lockfile v1') ? 'yarn 1' : 'yarn';
  return existsSync(join(folder, 'package-lock.json')) ? 'npm' : undefined;
}

/** Asks the user if there is a terminal; else finds the CI system from the repository. Undefined after Ctrl-C. */
export async function chooseCi(root: string, io: Io): Promise<CiSystem | undefined> {
  const repository = findRepository(root, io);
  const isGitlab =
    existsSync(join(repository, '.gitlab-ci.yml')) || /gitlab/i.test(readText(join(repository, '.git/config')));
  const likely = isGitlab ? 'gitlab' : 'github';
  for (;;) {
    const typed = await io.ask?.(`CI system: github, gitlab or none? [${likely}] `);
    if (typed === undefined) return likely;
    if ('ended' in typed) return typed.ended === 'interrupt' ? undefined : likely;
    const answer = typed.line.trim().toLowerCase();
    const chosen = answer === '' ? likely : ciSystems.find((name) => name === answer);
    if (chosen !== undefined) return chosen;
    io.stdout.write(
      `There is no template for ${toSafeLine(answer)}; ${docsUrl('ci.md')} shows jobs for other systems.\n`,
    );
  }
}

/** The file that `writeCi` may write. */
export function ciPaths(system: CiSystem, root: string, io: Io): readonly string[] {
  return system === 'none' ? [] : [workflowPath(system, root, io)];
}

function workflowPath(system: Exclude<CiSystem, 'none'>, root: string, io: Io): string {
  const file = system === 'github' ? githubFile(folderInRepository(root, io.env)) : '.gitlab-ci.yml';
  return join(findRepository(root, io), file);
}

/** Writes the workflow if none runs llmcheck yet. It never changes an existing file. */
export function writeCi(system: CiSystem, root: string, io: Io): void {
  if (system === 'none') return;
  const repository = findRepository(root, io);
  const folder = folderInRepository(root, io.env);
  const manager = findPackageManager(repository, folder);
  const say = (word: string, path: string, why = ''): void => {
    io.stdout.write(`${word.padEnd(8)} ${toSafeLine(toSlashes(relative(root, path)))}${why}\n`);
  };
  const path = workflowPath(system, root, io);
  const branch = findDefaultBranch(repository);
  const text = system === 'github' ? githubWorkflow({ manager, folder, branch }) : gitlabPipeline({ manager, folder });
  const existing = system === 'github' ? findWorkflow(repository, path, folder) : path;
  withStorageErrors('Writing', path, () => {
    withFileLock(path, () => {
      if (!existsSync(existing)) {
        replaceFile(path, text);
        say('wrote', path);
        return;
      }
      const there = readText(existing);
      say('kept', existing, there === text ? '' : ' (it was there, and is never overwritten)');
      if (there === text) return;
      if (system === 'gitlab' && !there.includes('llmcheck')) {
        io.stdout.write(`\nTo run llmcheck there, add this job:\n\n${text}`);
        return;
      }
      const [, ...patch] = createTwoFilesPatch('yours', 'written by init', there, text, '', '', { context: 1 }).split(
        '\n',
      );
      io.stdout.write(`\nA new file would differ in this:\n\n${patch.join('\n')}\n`);
    });
  });
}

/** A workflow that runs llmcheck in this folder under any name; else the path of the new one. */
function findWorkflow(repository: string, path: string, folder: string): string {
  const workflows = join(repository, '.github/workflows');
  if (existsSync(path) || !existsSync(workflows)) return path;
  const names = readdirSync(workflows).filter((name) => /\.ya?ml$/.test(name));
  const runsHere = (text: string): boolean =>
    /llmcheck (ci|run)|llmcheck\/llmcheck@/.test(text) && isAboutFolder(text, folder);
  const found = names.sort().find((name) => runsHere(readText(join(workflows, name))));
  return found === undefined ? path : join(workflows, found);
}

/** `packages/ab` and `packages/a/b` are other folders than `packages/a`. */
function isAboutFolder(text: string, folder: string): boolean {
  if (folder === '') return !/working-directory: *["']?(?:\.\/)?[\w$@-]/.test(text);
  const escaped = folder.replaceAll(/[^\w/]/g, '\\$&');
  return new RegExp(`(?<![\\w./-])(?:\\./)?${escaped}/?(?:(?:\\.?llmcheck|evals)\\b|(?![\\w./-]))`).test(text);
}

function findRepository(root: string, { env }: Io): string {
  const folder = folderInRepository(root, env);
  return folder === '' ? root : resolve(root, ...folder.split('/').map(() => '..'));
}

function githubFile(folder: string): string {
  const slug = folder.replaceAll(/[^\w.-]+/g, '-');
  return `.github/workflows/llmcheck${slug === '' ? '' : `-${slug}`}.yml`;
}

/** The default branch as the clone names it, else `main`. */
function findDefaultBranch(repository: string): string {
  const head = readText(join(repository, '.git/refs/remotes/origin/HEAD'));
  return /^ref: refs\/remotes\/origin\/([A-Za-z][\w./-]*)$/.exec(head.trim())?.[1] ?? 'main';
}

export interface Where {
  readonly manager: PackageManager;
  /** The project's folder, relative to the repository. */
  readonly folder: string;
  /** The default branch; `main` if absent. */
  readonly branch?: string;
}

const limits = '--max-cost 0.50 --deadline 10m';

export function githubWorkflow(where: Where): string {
  const { folder, branch = 'main' } = where;
  const title = folder === '' ? 'llmcheck' : `llmcheck ${folder.replaceAll(/[^\w./ -]/g, '-')}`;
  return `name: ${title}
on:
  pull_request:
  push:
    branches: [${branch}]
permissions:
  contents: read
concurrency: # a new commit ends the run of the one before
  group: \${{ github.workflow }}-\${{ github.ref }}
  cancel-in-progress: \${{ github.event_name == 'pull_request' }}
jobs:
  prompts:
    runs-on: ubuntu-latest
    timeout-minutes: 20
    permissions:
      contents: read
      pull-requests: write # for the comment
      checks: write # for the check on the commit
    steps:
${githubSteps(where)}`;
}

function githubSteps({ manager, folder }: Where): string {
  const { prepare, install, exec } = commandsOf[manager.name];
  const inFolder = (path: string): string =>
    path === '' ? '' : `\n        working-directory: ${JSON.stringify(path)}`;
  const own = (path: string): string => (folder === '' ? path : JSON.stringify(`${folder}/${path}`));
  const setup =
    manager.name === 'bun'
      ? '      - uses: oven-sh/setup-bun@0c5077e51419868618aeaa5fe8019c62421857d6 # v2.2.0\n'
      : prepare === undefined
        ? ''
        : `      - run: ${prepare}\n`;
  return `      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with:
          fetch-depth: 0 # a pull request is compared with the commit that it branched off from
          persist-credentials: false
      - uses: actions/setup-node@249970729cb0ef3589644e2896645e5dc5ba9c38 # v6.5.0
        with:
          node-version: 22
${setup}      # Add llmcheck to your package.json, so that its version is pinned.
      - run: ${install}${inFolder(manager.folder)}
      - uses: actions/cache/restore@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5
        with:
          path: ${own('.llmcheck/answers')}
          key: llmcheck-\${{ github.run_id }}-\${{ github.run_attempt }}
          restore-keys: llmcheck-
      - run: ${exec} ci github --comment --check-run --publish-later -r html=llmcheck.html --args "${limits}"${inFolder(folder)}
        env:
          OPENAI_API_KEY: \${{ secrets.OPENAI_API_KEY }}
      # Answers and page are kept of a red run too.
      - if: \${{ !cancelled() }}
        uses: actions/cache/save@27d5ce7f107fe9357f9df03efb73ab90386fccae # v5.0.5
        with:
          path: ${own('.llmcheck/answers')}
          key: llmcheck-\${{ github.run_id }}-\${{ github.run_attempt }}
      - id: page
        if: \${{ !cancelled() }}
        continue-on-error: true
        uses: actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0
        with:
          name: llmcheck.html
          path: ${own('llmcheck.html')}
          archive: false # so that it opens in the browser
          overwrite: true
          if-no-files-found: ignore
      # The page has its address now. The comment links to it and to the broken cases in it.
      - if: \${{ !cancelled() }}
        run: ${exec} ci github --publish${inFolder(folder)}
        env:
          GITHUB_TOKEN: \${{ github.token }}
          LLMCHECK_PAGE_URL: \${{ steps.page.outputs.artifact-url }}
`;
}

export function gitlabPipeline({ manager, folder }: Where): string {
  const { prepare, install, exec } = commandsOf[manager.name];
  const own = (path: string): string => JSON.stringify(folder === '' ? path : `${folder}/${path}`);
  const from = (path: string, line: string): string => (path === '' ? line : `(cd ${shellWord(path)} && ${line})`);
  const lines = [
    ...(prepare === undefined ? [] : [prepare]),
    from(manager.folder, install),
    from(
      folder,
      `${exec} ci gitlab --note -r junit=llmcheck.xml -r gitlab=llmcheck.json -r html=llmcheck.html --args "${limits}"`,
    ),
  ];
  return `prompts:
  image: node:22
  variables:
    GIT_DEPTH: "0" # a merge request is compared with the commit that it branched off from
  interruptible: true
  timeout: 20m
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  script: # GITLAB_TOKEN, for the note, and OPENAI_API_KEY are masked variables of the project
${lines.map((line) => `    - ${line}\n`).join('')}  cache:
    key: llmcheck
    paths: [${own('.llmcheck/answers')}]
    when: always
  artifacts:
    when: always
    paths: [${own('llmcheck.html')}]
    reports:
      junit: ${own('llmcheck.xml')}
      codequality: ${own('llmcheck.json')}
`;
}

export function readText(path: string): string {
  return withStorageErrors('Reading', path, () => (existsSync(path) ? readFileSync(path, 'utf8') : ''));
}
