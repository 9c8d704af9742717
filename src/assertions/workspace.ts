import * as z from 'zod';
import { defined } from '../json/defined.ts';
import { isJsonObject } from '../json/json.ts';
import { parseWithSchema } from '../json/parse-with-schema.ts';
import type { WorkspaceChanges, WorkspaceFile } from '../model/suite/workspace.ts';
import { checkGlob, compileAllPaths, compilePaths, isNegative, isSlowForPaths } from '../text/patterns/glob.ts';
import { shortenText } from '../text/shorten.ts';
import {
  type AssertionPorts,
  type CheckOutcome,
  type CompletionView,
  defineAssertion,
  runBounded,
  type Target,
} from './define.ts';
import { wordsParam } from './own-code.ts';
import { memoryLimitParam, timeLimitParam } from './params.ts';

const globParam = z
  .string()
  .min(1)
  .superRefine((pattern, context) => {
    const message = isNegative(pattern) ? 'must not begin with !' : checkGlob(pattern)?.message;
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const globsParam = z.union([globParam.transform((glob) => [glob]), z.array(globParam).min(1)], {
  error: 'must be a path or glob, or a list of them',
});

const kinds = ['changed', 'created', 'deleted'] as const;

export const files = defineAssertion({
  summary: 'what a program did to the files of its workspace: which it changed, created, deleted and left alone',
  family: 'behaviour',
  example: 'files: { changed: src/cart.js, created: "test/*.js", untouched: "fixtures/**" }',
  failsOn: {
    text: 'Fixed.',
    state: {
      workspace: {
        from: 'shop',
        hash: '',
        unchanged: ['src/cart.js', 'fixtures/order.json'],
        changed: {},
        created: {},
        deleted: [],
      },
    },
  },
  definition: 'the content of the files before and after the program ran; globs as in suites:',
  params: z
    .strictObject({
      changed: globsParam.optional().describe('Each matches a file that has other content than before.'),
      created: globsParam.optional().describe('Each matches a file that was not there before.'),
      deleted: globsParam.optional().describe('Each matches a file that is no longer there.'),
      untouched: globsParam
        .optional()
        .describe(
          'None matches a file that was changed, created or deleted, a hidden one neither. Each must match a file that was there before.',
        ),
    })
    .refine((params) => Object.values(params).some((globs) => globs !== undefined), {
      error: 'needs one of changed, created, deleted and untouched',
    }),
  check(_target, params, { completion, ports }): CheckOutcome {
    const workspace = readWorkspace(completion);
    if (workspace === undefined) return { error: noWorkspace };
    const paths = pathsOf(workspace);
    const done = describeChanges(paths);
    const touched = kinds.flatMap((kind) => paths[kind].map((path) => ({ kind, path })));
    for (const glob of params.untouched ?? []) {
      const before = [...workspace.unchanged, ...paths.changed, ...workspace.deleted];
      // A mistyped path would leave every file alone.
      if (match(glob, before, ports) === undefined)
        return { error: `untouched: ${glob} matches no file of ${workspace.from}` };
      const found = match(
        glob,
        touched.map(({ path }) => path),
        ports,
        compileAllPaths,
      );
      const kind = touched.find(({ path }) => path === found)?.kind;
      if (kind !== undefined) return { pass: false, reason: `${kind} ${found}, which must stay untouched` };
    }
    for (const kind of kinds) {
      for (const glob of params[kind] ?? []) {
        if (match(glob, paths[kind], ports) !== undefined) continue;
        return { pass: false, reason: `${kind} no file that ${glob} matches: ${done}` };
      }
    }
    return { pass: true, reason: done };
  },
});

type Paths = Readonly<Record<(typeof kinds)[number], readonly string[]>>;

function pathsOf({ changed, created, deleted }: WorkspaceChanges): Paths {
  return { changed: Object.keys(changed), created: Object.keys(created), deleted };
}

/** The first path that a glob matches. */
function match(
  glob: string,
  paths: readonly string[],
  ports: AssertionPorts,
  compile = compilePaths,
): string | undefined {
  return runBounded(!isSlowForPaths(glob), ports, () => paths.find(compile(glob)));
}

function describeChanges(paths: Paths): string {
  const done = kinds.filter((kind) => paths[kind].length > 0).map((kind) => `${kind} ${paths[kind].join(', ')}`);
  return done.length === 0 ? 'the program changed nothing' : shortenText(`the program ${done.join('; ')}`, 300);
}

/**
 * Runs a command without a shell. Each check gets a new copy of the workspace, so that checks do not affect each other.
 */
export const command = defineAssertion({
  summary: 'a command in the workspace that a program left, such as its tests: exit code 0 passes',
  family: 'own code',
  example: 'command: npm test',
  failsOn: {
    text: 'Fixed.',
    state: { workspace: { from: 'shop', hash: '', unchanged: ['src/cart.js'], changed: {}, created: {}, deleted: [] } },
  },
  definition: 'the exit code of your own command',
  main: 'value',
  params: z.strictObject({
    value: wordsParam.describe('The command, without a shell. It starts in the workspace, with a home of its own.'),
    timeout: timeLimitParam('1m').describe('How long it may take.'),
    memoryMb: memoryLimitParam(2048),
    network: z
      .boolean({ error: 'must be true or false' })
      .default(false)
      .describe('Whether it may use the network, as under a provider with a workspace.'),
  }),
  async check(_target, { value, timeout, memoryMb, network }, { completion, ports }): Promise<CheckOutcome> {
    const workspace = readWorkspace(completion);
    if (workspace === undefined) return { error: noWorkspace };
    const shown = value.join(' ');
    if (ports.workspace === undefined) return { error: `${shown} can't be run here` };
    const outcome = await ports.workspace.run(workspace, { argv: value, timeoutMs: timeout, memoryMb, network });
    if ('fault' in outcome) return { error: `${shown} ${outcome.fault}` };
    const { exitCode, signalName, tail } = outcome;
    if (exitCode === 0) return { pass: true, reason: `${shown} ended with exit code 0` };
    const how = exitCode === null ? `was ended by ${signalName}` : `ended with exit code ${exitCode}`;
    const reason = `${shown} ${how}${tail === '' ? ' and wrote nothing' : `: ${tail}`}`;
    // A command that was not found or was killed has found nothing: it does not pass under `not` either.
    const isBroken = exitCode === null || exitCode === 126 || exitCode === 127;
    return { pass: false, reason, ...defined({ missing: isBroken || undefined }) };
  },
});

const executable = z.literal(true).exactOptional();

const file = z.union([
  z.strictObject({ text: z.string(), executable }),
  z.strictObject({ base64: z.string(), executable }),
  z.strictObject({ link: z.string() }),
]);

const changes = z.strictObject({
  from: z.string(),
  placed: z.array(z.strictObject({ path: z.string(), from: z.string(), sha256: z.string() })).exactOptional(),
  hash: z.string(),
  unchanged: z.array(z.string()),
  changed: z.record(z.string(), file),
  created: z.record(z.string(), file),
  deleted: z.array(z.string()),
});

/** The changed workspace of a program; undefined if it had none. */
export function readWorkspace({ state }: Pick<CompletionView, 'state'>): WorkspaceChanges | undefined {
  const parsed = parseWithSchema(changes, isJsonObject(state) ? state['workspace'] : undefined);
  return parsed.success ? parsed.data : undefined;
}

const noWorkspace =
  'the answer comes without a workspace: only a program has one, a provider exec:… with workspace: FOLDER';

/** The content of a file as the program left it. */
export function selectFile(
  view: CompletionView,
  path: string,
  ports: AssertionPorts,
): Target | { readonly missing: string; readonly isUnknown?: true } {
  const workspace = readWorkspace(view);
  if (workspace === undefined) return { missing: noWorkspace, isUnknown: true };
  const found = findFile(workspace, path, ports);
  if (found === undefined) {
    const isDeleted = workspace.deleted.includes(path);
    return { missing: isDeleted ? `the program deleted ${path}` : `the workspace has no file ${path}` };
  }
  if ('fault' in found) return { missing: `${path} can't be read: ${found.fault}`, isUnknown: true };
  if ('text' in found) return { kind: 'text', text: found.text };
  return { missing: 'link' in found ? `${path} is a link to ${found.link}` : `${path} is no UTF-8 text` };
}

function findFile(
  workspace: WorkspaceChanges,
  path: string,
  ports: AssertionPorts,
): WorkspaceFile | { readonly fault: string } | undefined {
  for (const files of [workspace.changed, workspace.created]) if (Object.hasOwn(files, path)) return files[path];
  if (!workspace.unchanged.includes(path)) return undefined;
  return ports.workspace?.readUnchanged(workspace, path) ?? { fault: 'the workspace is not at hand here' };
}
