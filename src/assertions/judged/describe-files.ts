import type { CheckContext, Target } from '../define.ts';
import { readWorkspace } from '../workspace/workspace-state.ts';
import type { FramedPart } from './ask-judge.ts';

/** What a judge is shown of the files that a program left. */
const maxChars = 100_000;

/** The files that a program changed in its workspace, for a judge of its whole answer. */
export function describeFiles(target: Target, { completion }: CheckContext): readonly FramedPart[] {
  const workspace = readWorkspace(completion);
  if (workspace === undefined || target.kind !== 'text' || target.text !== completion.text) return [];
  const { created, changed, deleted } = workspace;
  let left = maxChars;
  const blocks = [...Object.entries(created), ...Object.entries(changed)].map(([path, file]) => {
    const kind = Object.hasOwn(created, path) ? 'created' : 'changed';
    if (!('text' in file)) return `${kind} ${path}, which is no text`;
    left -= file.text.length;
    return left < 0 ? `${kind} ${path}, which is too long to be shown` : `${kind} ${path}:\n${file.text}`;
  });
  const all = [...blocks, ...deleted.map((path) => `deleted ${path}`)];
  return [{ title: 'files', text: all.length === 0 ? 'no file was changed' : all.join('\n\n') }];
}
