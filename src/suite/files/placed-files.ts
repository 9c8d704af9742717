import { resolve } from 'node:path';
import type { PlacedFile } from '../../model/workspace.ts';
import { compareText } from '../../text/compare-text.ts';
import { childOf, type Located, locate, type Problems } from '../documents/locate.ts';
import { reportFault } from '../documents/read-document.ts';
import type { ProjectFiles } from './project-files.ts';

/** The files that a prompt or a case puts into a workspace, sorted by path; what can't be read is reported. */
export function readPlacedFiles(
  located: Located,
  { files, problems }: { readonly files: ProjectFiles; readonly problems: Problems },
): readonly PlacedFile[] {
  const placed = Object.entries(located.value ?? {}).flatMap(([path, written]): readonly PlacedFile[] => {
    const at = childOf(located, path);
    const absolute = resolve(at.source.folder, String(written));
    const from = files.relative(absolute);
    const sha256 = files.hash(absolute);
    if (sha256 !== undefined && !from.startsWith('../')) return [{ path, from, sha256 }];
    const fault = files.findReadFault(absolute);
    const shown = files.display(absolute);
    if (fault !== undefined) reportFault(fault, problems, at);
    else {
      const message = sha256 === undefined ? `${shown} does not exist` : `${shown} is outside the project`;
      const hint = 'name a file of the project: PATH IN THE WORKSPACE: FILE';
      problems.report({ code: 'file-unreadable', message, hint, at: locate(at) });
    }
    return [];
  });
  return placed.toSorted((one, other) => compareText(one.path, other.path));
}
