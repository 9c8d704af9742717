import { symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Attachment, Message } from '../../src/model/run/completion.ts';
import {
  groupTurns,
  isOfToolLoop,
  joinSystem,
  leavesRoot,
  prepareRequest,
  readAttachment,
  readKeptParts,
} from '../../src/providers/outgoing-request.ts';
import { openTempProject } from '../support/temp-project.ts';
import { buildRequest } from './build-request.ts';

test.each([
  ['..', true],
  ['../a', true],
  ['/a', true],
  ['..a', false],
  ['a/..b', false],
  ['', false],
])('%j leaves its root: %s', (path, expected) => {
  expect(leavesRoot(path)).toBe(expected);
});

/** A project with files, and what becomes of messages with them. */
function openFiles() {
  const project = openTempProject();
  project.write('a.png', 'A');
  project.write('b.pdf', 'B');
  const attach = (path: string): Attachment => {
    const read = readAttachment(path, project.root);
    if ('fault' in read) throw new Error(read.fault);
    return read.attachment;
  };
  const prepare = (messages: readonly Message[], takes = /^image|pdf$/) =>
    prepareRequest(buildRequest({ messages }), { projectRoot: project.root, takes, name: 'the API' });
  return { project, attach, prepare };
}

test('the files of any message go along with it, and messages without files stay', () => {
  const { attach, prepare } = openFiles();
  const plain: Message = { role: 'user', content: 'first' };
  const one: Message = { role: 'user', content: 'second', attachments: [attach('a.png'), attach('b.pdf')] };
  const fileA = { path: 'a.png', mediaType: 'image/png', base64: 'QQ==' };
  const fileB = { path: 'b.pdf', mediaType: 'application/pdf', base64: 'Qg==' };
  for (const messages of [
    [plain, one],
    [one, plain],
  ]) {
    const request = buildRequest({ messages });
    const sent = messages.map((message) => (message === one ? { ...one, files: [fileA, fileB] } : message));
    expect(prepare(messages)).toEqual({ request: { ...request, messages: sent } });
  }
  expect(prepare([plain])).toEqual({ request: buildRequest({ messages: [plain] }) });
});

test('every file that can not go along is named', () => {
  const { project, attach, prepare } = openFiles();
  const attachments = [attach('a.png'), attach('b.pdf'), { ...attach('a.png'), path: 'gone.png' }];
  project.write('a.png', 'changed');
  expect(prepare([{ role: 'user', content: '', attachments }], /^image/)).toEqual({
    failure: {
      kind: 'badRequest',
      message:
        'a.png changed while the run went on: run it again; the API takes no application/pdf: b.pdf; gone.png does not exist',
    },
  });
});

test('a file is read below the root alone, whatever a link says', () => {
  const { project } = openFiles();
  symlinkSync('/etc/hostname', project.path('link.png'));
  project.write('folder.png/x', '');
  const read = (path: string, root = project.root) => readAttachment(path, root);
  expect(read(project.path('a.png'))).toMatchObject({
    attachment: { path: 'a.png', mediaType: 'image/png', bytes: 1 },
  });
  expect(read('A.txt')).toMatchObject({ code: 'invalid-value' });
  expect(read('toString')).toMatchObject({ code: 'invalid-value' });
  expect(read('link.png')).toEqual({ code: 'file-outside-project', fault: 'is outside the project' });
  expect(read('../a.png', project.path('folder.png'))).toEqual({
    code: 'file-outside-project',
    fault: 'is outside the project',
  });
  expect(read('none.png')).toEqual({ code: 'file-unreadable', fault: 'does not exist' });
  expect(read('folder.png')).toEqual({ code: 'file-unreadable', fault: 'is not a file' });
});

test('turns are grouped by their side, past instructions at any place', () => {
  const say = (role: Message['role'], content: string): Message => ({ role, content });
  const messages = [
    say('system', 's1'),
    say('user', 'u1'),
    say('developer', 's2'),
    say('tool', 't1'),
    say('assistant', 'a1'),
    say('assistant', 'a2'),
    say('user', 'u2'),
  ];
  const groups = groupTurns(messages).map(({ isAssistant, parts }) => [
    isAssistant,
    ...parts.map(({ content }) => content),
  ]);
  expect(groups).toEqual([
    [false, 'u1', 't1'],
    [true, 'a1', 'a2'],
    [false, 'u2'],
  ]);
  expect([joinSystem(messages), joinSystem([say('user', 'u')])]).toEqual(['s1\n\ns2', undefined]);
});

test('an answer is of a loop of tools where it calls some or answers to their results', () => {
  const call = { id: 'c', name: 'f', arguments: {}, rawArguments: '{}' };
  const asked = (role: Message['role']) => ({
    params: {},
    messages: [
      { role: 'user', content: '' },
      { role, content: '' },
    ] as const,
  });
  expect([
    isOfToolLoop([call], undefined),
    isOfToolLoop([], asked('tool')),
    isOfToolLoop([], asked('user')),
    isOfToolLoop([], undefined),
  ]).toEqual([true, true, false, false]);
});

test('kept parts get the ids of their calls, in order', () => {
  const toolCalls = ['c1', 'c2'].map((id) => ({ id, name: 'f', arguments: {}, rawArguments: '{}' }));
  const parts = [{ call: 1 }, { text: 'x' }, 5, { call: 2 }, { call: 3 }];
  const kept = readKeptParts({ toolCalls, continuation: JSON.stringify(parts) }, (part, id) =>
    'call' in part ? { ...part, ...(id === undefined ? {} : { id }) } : undefined,
  );
  expect(JSON.stringify(kept)).toBe('[{"call":1,"id":"c1"},{"text":"x"},{"call":2,"id":"c2"},{"call":3}]');
  for (const continuation of ['{}', 'nonsense'])
    expect(readKeptParts({ continuation }, () => undefined)).toBeUndefined();
  expect(readKeptParts({}, () => undefined)).toBeUndefined();
});
