import { assertions } from '../assertions/index.ts';
import type { Problem } from '../model/problem.ts';
import type { Project } from '../model/suite.ts';
import { parsePromptFile } from '../prompt/parse-prompt-file.ts';
import { adapters } from '../providers/index.ts';
import * as suite from '../suite/load.ts';

export interface LoadOptions {
  readonly paths: readonly string[];
  readonly cwd: string;
  readonly configPath?: string;
}

/** Loads suites with the assertions, adapters and prompt formats that this program knows. */
export function loadProject(options: LoadOptions): Promise<{ project: Project; warnings: readonly Problem[] }> {
  return suite.loadProject({ ...options, assertions, adapters, parsePrompt: parsePromptFile });
}

/** The folder that holds `.llmcheck/`, without reading a suite. */
export function findProjectRoot(cwd: string, configPath: string | undefined): Promise<string> {
  return suite.findProjectRoot(cwd, configPath);
}
