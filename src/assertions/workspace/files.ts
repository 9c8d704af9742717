import * as z from 'zod';
import type { WorkspaceChanges } from '../../model/workspace.ts';
import { checkGlob, compilePaths, isNegative, isSlowForPaths } from '../../text/glob.ts';
import { shortenText } from '../../text/shorten.ts';
import { type AssertionPorts, type CheckOutcome, defineAssertion, runBounded } from '../define.ts';
import { noWorkspace, readWorkspace } from './workspace-state.ts';

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
          'None matches a file that was changed, created or deleted. Each must match a file that was there before.',
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
function match(glob: string, paths: readonly string[], ports: AssertionPorts): string | undefined {
  return runBounded(!isSlowForPaths(glob), ports, () => paths.find(compilePaths(glob)));
}

function describeChanges(paths: Paths): string {
  const done = kinds.filter((kind) => paths[kind].length > 0).map((kind) => `${kind} ${paths[kind].join(', ')}`);
  return done.length === 0 ? 'the program changed nothing' : shortenText(`the program ${done.join('; ')}`, 300);
}
