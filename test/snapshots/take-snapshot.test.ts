import { describe, expect, test } from 'vitest';
import type { McpServer, McpTool } from '../../src/model/suite/agent.ts';
import { UserError } from '../../src/model/problem.ts';
import { findDrift, findSnapshots } from '../../src/snapshots/find-drift.ts';
import { readSnapshotFile, takeSnapshot } from '../../src/snapshots/take-snapshot.ts';
import { greeting, scriptedPorts } from '../support/mcp-ports.ts';
import { openTempProject } from '../support/temp-project.ts';

const text = { type: 'string' };
const named = (name: string, properties: object = {}, more: object = {}): McpTool =>
  ({ name, inputSchema: { type: 'object', properties }, ...more }) as McpTool;
const find = named('find', { id: text });

/** A project, and what its snapshot command does with a server that has these tools. */
function open(tools: readonly object[], version = '1.2') {
  const project = openTempProject();
  const server: McpServer = { source: 'exec:node server.js', folder: project.root };
  const ports = (listed = tools, said = version) =>
    scriptedPorts((method) => {
      if (method === 'initialize') return { ...greeting, serverInfo: { name: 'shop', version: said } };
      return method === 'tools/list' ? { tools: listed } : undefined;
    });
  const take = async (listed = tools, said = version, file: string | undefined = 'tools/a.mcp.json') => {
    const options = { server, headers: {}, timeoutMs: 1000, cwd: project.root };
    const path = file === '' ? {} : { file: project.path(file) };
    return problemsOf(() => takeSnapshot({ ...options, ...path }, ports(listed, said)));
  };
  const drift = async (listed: readonly object[]) => {
    const file = project.path('tools/a.mcp.json');
    const snapshot = readSnapshotFile(file, project.root);
    const problems = await findDrift([{ file, snapshot, sent: [] }], project.root, ports(listed));
    return problems.map(({ at, message }) => `${at?.file}:${at?.line} ${message}`);
  };
  return { project, server, take, drift, ports };
}

async function problemsOf<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error.problems as never;
  }
}

describe('a snapshot', () => {
  test('is written where the tools have changed, and says what has', async () => {
    const { project, take } = open([find]);
    expect(await take()).toMatchObject({ shown: 'tools/a.mcp.json', state: 'written', changes: [], warnings: [] });
    const before = project.read('tools/a.mcp.json');
    expect(JSON.parse(before)).toEqual({
      format: 1,
      source: 'exec:node server.js',
      folder: '..',
      server: { name: 'shop', version: '1.2', protocol: '2025-06-18' },
      tools: [find],
    });
    // A release of the server alone is no change.
    expect(await take([find], '1.3')).toMatchObject({ state: 'unchanged', changes: [], text: before });
    expect(await take([named('find')], '1.3')).toMatchObject({
      state: 'written',
      changes: [
        'warn tool-parameter-property-removed-optional at /tools/find/parameters/properties/id: "id" (optional) was removed; nothing is said of it any more.',
      ],
      snapshot: { info: { version: '1.3' } },
    });
    const printed = await take([find], '1.2', '');
    expect(printed).toEqual({
      snapshot: expect.objectContaining({ tools: [find] }),
      text: before.replace('"folder": ".."', '"folder": "."'),
      state: 'printed',
      changes: [],
      warnings: [],
    });
    expect(project.files()).toEqual(['tools/a.mcp.json']);
  });

  test('is written in place of a file that can not be read, and nowhere outside the project', async () => {
    const { project, take } = open([find]);
    project.write('tools/a.mcp.json', 'no JSON');
    expect(await take()).toMatchObject({ state: 'written', changes: [] });
    expect(await take([find], '1', '../a.mcp.json')).toEqual([
      expect.objectContaining({ code: 'file-outside-project', message: expect.stringContaining('../a.mcp.json lies') }),
    ]);
    expect(() => readSnapshotFile(project.path('b.mcp.json'), project.root)).toThrow(UserError);
  });

  test('is refused for schemas that can not be read, and warns of what is not seen', async () => {
    const { project, take } = open([]);
    const bad = { type: 'object', properties: { x: { type: 'objct' } } };
    const refused = await take([named('b', {}, { outputSchema: bad }), { name: 'a', inputSchema: bad }]);
    expect(refused).toEqual(
      [
        ['inputSchema', 'a'],
        ['outputSchema', 'b'],
      ].map(([key, name]) => ({
        code: 'invalid-schema',
        severity: 'error',
        message: `the MCP server exec:node server.js: the ${key} of the tool "${name}" can't be read: "type" must be one of array, boolean, integer, null, number, object, string, or a list of them; found "objct".`,
        hint: 'did you mean "object"?',
      })),
    );
    expect(await take([{ name: 'a', inputSchema: bad }])).toHaveLength(1);
    expect(project.files()).toEqual([]);
    const hidden = ['\u200b', '\u202e', '\u2066', '\u00ad', '\u001b', '\u0007', '\u200b'].join('x');
    const { warnings } = await take([
      named('a', {}, { title: 'A\u200b' }),
      named('b', {}, { description: hidden }),
      named('c'),
      named('d\u2066'),
    ]);
    expect(warnings).toEqual(
      [
        ['a', 'U+200B'],
        ['b', 'U+200B, U+202E, U+2066, U+00AD, U+001B'],
        ['d\u2066', 'U+2066'],
      ].map(([name, marks]) => ({
        code: 'invalid-value',
        severity: 'warning',
        message: `the tool "${name}" has invisible characters in its texts (${marks}); the file shows them as escapes`,
      })),
    );
  });

  test('is refused where the server fails', async () => {
    expect(await open([]).take()).toEqual([
      { code: 'mcp-server', severity: 'error', message: 'the MCP server exec:node server.js lists no tools' },
    ]);
  });
});

describe('drift', () => {
  test('is reported at its place in the snapshot, by the rules of contracts', async () => {
    const { take, drift, project } = open([find, named('drop')]);
    await take();
    expect(await drift([find, named('drop')])).toEqual([]);
    expect(await drift([named('find'), named('more')])).toEqual([
      'tools/a.mcp.json:22 the MCP server exec:node server.js has changed: warn tool-parameter-property-removed-optional at /tools/find/parameters/properties/id: "id" (optional) was removed; nothing is said of it any more.',
      'tools/a.mcp.json:12 the MCP server exec:node server.js has changed: error tool-renamed at /tools/drop: The tool "drop" seems to be renamed to "more".',
    ]);
    expect(
      await drift([{ ...find, inputSchema: { ...find.inputSchema, additionalProperties: true } }, named('drop')]),
    ).toEqual([
      'tools/a.mcp.json:1 the MCP server exec:node server.js has changed: its tools are written otherwise, and mean the same',
    ]);
    expect(await drift([])).toEqual(['tools/a.mcp.json:1 the MCP server exec:node server.js lists no tools']);
    const odd = { type: 'object', properties: { x: { type: 'objct' } } };
    expect(await drift([{ name: 'find', inputSchema: odd }, named('drop')])).toEqual([
      `tools/a.mcp.json:1 the MCP server exec:node server.js has changed: the server has a schema that can't be read, of the tool "find": "type" must be one of array, boolean, integer, null, number, object, string, or a list of them; found "objct".`,
    ]);
    const { ports, server } = open([find]);
    const snapshot = { server, info: { name: 's' }, tools: [find] };
    const broken = { ...snapshot, tools: [{ ...find, inputSchema: odd }] };
    const used = { file: project.path('tools/a.mcp.json'), snapshot: broken, sent: [] };
    expect(await findDrift([used], project.root, ports([find]))).toEqual([
      {
        code: 'mcp-drift',
        severity: 'error',
        message: expect.stringMatching(/ has changed: warn tool-parameter-undecided at \/tools\/find\/parameters: /),
        hint: '`llmcheck mcp snapshot -o tools/a.mcp.json` writes the tools as the server has them now',
        at: expect.objectContaining({ file: 'tools/a.mcp.json', line: 20, column: 7 }),
      },
    ]);
    // Each snapshot is compared, whichever comes first.
    const same = { ...used, snapshot };
    const changed = { ...used, snapshot: { ...snapshot, tools: [find, named('gone')] } };
    const said = async (...list: Parameters<typeof findDrift>[0]) =>
      (await findDrift(list, project.root, ports([find]))).length;
    expect([await said(same), await said(changed, same), await said(same, changed)]).toEqual([0, 1, 1]);
    const missing = [{ file: project.path('none.mcp.json'), snapshot, sent: [] }];
    expect(await findDrift(missing, project.root, ports([named('find')]))).toEqual([
      {
        code: 'mcp-drift',
        severity: 'error',
        message: expect.stringContaining(' has changed: warn tool-parameter-property-removed-optional at '),
        hint: '`llmcheck mcp snapshot -o none.mcp.json` writes the tools as the server has them now',
      },
    ]);
  });

  test('is looked for once in each file', () => {
    const used = (file: string, sent: readonly string[]) => ({ file, snapshot: {} as never, sent });
    const suites = [{ snapshots: [used('a', ['1']), used('b', [])] }, {}, { snapshots: [used('a', ['2'])] }] as never;
    expect(findSnapshots({ suites })).toEqual([used('a', ['2']), used('b', [])]);
  });
});
