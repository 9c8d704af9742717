import * as z from 'zod';
import { isJsonObject } from '../../json/json.ts';
import type { WorkspaceChanges, WorkspaceFile } from '../../model/workspace.ts';
import type { AssertionPorts, CompletionView, Target } from '../define.ts';

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

/** What a program left of its workspace; undefined where it had none. */
export function readWorkspace({ state }: Pick<CompletionView, 'state'>): WorkspaceChanges | undefined {
  const parsed = changes.safeParse(isJsonObject(state) ? state['workspace'] : undefined);
  return parsed.success ? parsed.data : undefined;
}

export const noWorkspace =
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
