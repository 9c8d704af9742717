import { openPackages } from '../programs/import-module.ts';
import { openOwnCode } from '../programs/open-own-code.ts';
import { openWorkspaces } from '../programs/open-workspaces.ts';
import type { JudgePorts } from './judge-answer.ts';

export interface OpenJudgePorts {
  readonly ports: JudgePorts;
  /** Ends every child process of a check. */
  close(): void;
}

/** Opens the effects that checks may use. Nothing is started or imported before a check needs it. */
export function openJudgePorts(options: {
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}): OpenJudgePorts {
  const ownCode = openOwnCode(options);
  const workspace = openWorkspaces(options);
  return {
    ports: { ownCode, workspace, importPackage: openPackages(options.root).load },
    close() {
      ownCode.close();
      workspace.close();
    },
  };
}
