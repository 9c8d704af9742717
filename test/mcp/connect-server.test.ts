import { expect, test } from 'vitest';
import { connectServer, type McpPorts } from '../../src/mcp/connect-server.ts';

/** Ports of a project with this version of the SDK; nothing may be loaded or started. */
function portsWith(version: string | undefined): McpPorts {
  const refuse = () => {
    throw new Error('nothing may be loaded or started');
  };
  return { env: {}, packageVersion: () => version, importPackage: refuse, startProgram: refuse, selectEnv: refuse };
}

const server = { source: 'exec:node server.js', folder: '/' };
const install = 'npm install --save-dev @modelcontextprotocol/sdk@1';

test.each([
  [undefined, `@modelcontextprotocol/sdk (not installed): ${install}`],
  ['1.23.1', `@modelcontextprotocol/sdk ^1.24 (1.23.1 is installed): ${install}`],
  ['2.0.0', `@modelcontextprotocol/sdk ^1.24 (2.0.0 is installed): ${install}`],
])('a project with the SDK %s is told which one to install, before the server starts', async (version, expected) => {
  await expect(connectServer(server, 1000, portsWith(version))).rejects.toThrow(`needs the package ${expected}`);
});

test('a variable that is not set is named before the server starts', async () => {
  const asked = { ...server, headers: { authorization: 'Bearer ${TOKEN}' } };
  await expect(connectServer(asked, 1000, portsWith('1.24.0'))).rejects.toThrow('needs the variable TOKEN');
});
