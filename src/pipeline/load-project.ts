import { assertions } from '../assertions/index.ts';
import type { Problem } from '../model/problem.ts';
import type { Project } from '../model/suite.ts';
import { openPackages } from '../programs/open-packages.ts';
import { parsePromptFile } from '../prompt/parse-prompt-file.ts';
import { adapters } from '../providers/index.ts';
import * as suite from '../suite/load.ts';
import { createReadLog, type ReadLog } from '../suite/record-reads.ts';
import { contractKnowledge } from './contract-knowledge.ts';

export { createReadLog, type ReadLog };

export interface LoadOptions {
  readonly paths: readonly string[];
  readonly cwd: string;
  readonly configPath?: string;
  /** Another state of the project than that of the working tree. */
  readonly snapshot?: suite.ProjectSnapshot;
  /** Checks the config's `run:`. */
  readonly checkRun?: suite.CheckRun;
  /** Told of all that is read, in a load that fails too. */
  readonly reads?: ReadLog;
  /** Reads what contracts are made of, and no case. */
  readonly contractOnly?: boolean;
}

/** Loads suites with the assertions, adapters and prompt formats that this program knows. */
export function loadProject(options: LoadOptions): Promise<{ project: Project; warnings: readonly Problem[] }> {
  return suite.loadProject({
    ...options,
    assertions,
    adapters,
    parsePrompt: parsePromptFile,
    hasPackage: (name, root) => openPackages(root).has(name),
    contracts: contractKnowledge,
  });
}
