import type { McpPorts } from '../mcp/connect-server.ts';
import { openPackages } from '../programs/import-module.ts';
import { startLineProgram } from '../programs/line-program.ts';
import { selectEnv } from '../programs/run-program.ts';

/** What connecting to servers needs: the project's packages, and programs that see only what they are given. */
export function openMcpPorts(root: string, env: McpPorts['env']): McpPorts {
  const packages = openPackages(root);
  return {
    env,
    packageVersion: packages.version,
    importPackage: packages.load,
    startProgram: startLineProgram,
    selectEnv: (names) => selectEnv(env, names),
  };
}
