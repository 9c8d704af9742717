import { defined } from '../../json/defined.ts';
import type { SourceLocation } from '../../model/problem.ts';
import type { AdapterDeclaration } from '../../model/provider.ts';
import { findSchemaFaults } from '../../schema-diff/schema/schema-document.ts';
import { plainNumbers } from '../../text/exact-numbers.ts';
import { locateInSchema } from '../contracts/contract-places.ts';
import { warnOfKeywords } from '../contracts/parse-contract.ts';
import { childOf, itemsOf, type Located, locate } from '../documents/locate.ts';
import type { Problems } from '../documents/problems.ts';

/** Reports params that would make an answer useless here. */
export function checkParams(params: Located, problems: Problems): void {
  checkToolSchemas(params, problems);
  warnOfSeveralAnswers(params, problems);
  const stream = childOf(params, 'stream');
  if (stream.value !== true) return;
  problems.report({
    code: 'invalid-value',
    message: 'params: stream is true, but answers are read whole',
    hint: 'leave stream out',
    at: locate(stream, 'key'),
  });
}

/** Reports params of a provider that its adapter writes itself: the request would hold another value than the file. */
export function checkWritten(params: Located, adapter: AdapterDeclaration | undefined, problems: Problems): void {
  for (const member of adapter?.writes ?? []) {
    const part = childOf(params, member);
    if (part.value !== undefined) reportWritten(member, problems, locate(part, 'key'));
  }
}

export function reportWritten(member: string, problems: Problems, at: SourceLocation | undefined): void {
  problems.report({
    code: 'invalid-value',
    message: `params: ${member} is written by llmcheck, so it can't be set`,
    hint: member.startsWith('model')
      ? 'leave it out: use: adapter:model names the model'
      : 'leave it out: the messages are those of the prompt',
    ...defined({ at }),
  });
}

/** Every answer is billed, and the first one alone is judged. */
function warnOfSeveralAnswers(params: Located, problems: Problems): void {
  for (const name of ['n', 'candidateCount']) {
    const asked = childOf(params, name);
    const count = plainNumbers(asked.value);
    if (typeof count !== 'number' || count <= 1) continue;
    problems.warn({
      code: 'invalid-value',
      message: `params: ${name} asks for ${count} answers at once, and the first one alone is judged`,
      hint: `leave ${name} out and write trials: ${count}`,
      at: locate(asked, 'key'),
    });
  }
}

/** Reports parameters of tools that are no JSON Schema, in any format of a tool. */
function checkToolSchemas(params: Located, problems: Problems): void {
  const tools = childOf(params, 'tools');
  if (!Array.isArray(tools.value)) return;
  for (const tool of itemsOf(tools)) {
    for (const schema of [
      childOf(childOf(tool, 'function'), 'parameters'),
      childOf(tool, 'parameters'),
      childOf(tool, 'input_schema'),
    ]) {
      if (typeof schema.value !== 'object' || schema.value === null) continue;
      const faults = findSchemaFaults(plainNumbers(schema.value));
      if (faults.length === 0) warnOfKeywords(schema, problems);
      for (const { pointer, message, hint } of faults) {
        problems.report({
          code: 'invalid-schema',
          message: `the parameters of a tool: ${message}`,
          ...defined({ hint }),
          at: locateInSchema(schema, pointer),
        });
      }
    }
  }
}
