import { isMap, LeftOut, readWritten, type Written } from '../draft.ts';
import type { Check, TypeContext } from './check-context.ts';

/** The JSON from the first brace to the last; promptfoo tries each object of the text. */
export async function convertContainsJson(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const check = await convertJson(written, context);
  if (check instanceof LeftOut) return check;
  context.draft.note(written, 'contains-json becomes a check of the text from the first brace to the last');
  return { ...check, select: { regex: String.raw`\{[\s\S]*\}` } };
}

export async function convertJson(written: Written, context: TypeContext): Promise<Check | LeftOut> {
  const { inverse } = context;
  const { value } = written.child('value');
  if (value === undefined || value === null || value === '' || value === false || value === 0)
    return { json: !inverse };
  const found = typeof value === 'string' ? await readSchema(value, written, context) : value;
  if (!isMap(found)) {
    return found instanceof LeftOut
      ? found
      : context.draft.refuse(written.child('value'), 'the value of is-json must be a JSON Schema');
  }
  const schema = found['$schema'] === undefined ? { $schema: DRAFT_7, ...found } : found;
  return inverse ? { anyOf: [{ json: false }, { not: { jsonSchema: schema } }] } : { jsonSchema: schema };
}

/** promptfoo reads schemas as draft 7. */
export const DRAFT_7 = 'http://json-schema.org/draft-07/schema#';

async function readSchema(text: string, written: Written, context: TypeContext): Promise<unknown> {
  if (text.startsWith('file://')) {
    const found = await context.readData(text, written.child('value'));
    return found ?? context.draft.refuse(written.child('value'), `${text} can't be read as a JSON Schema`);
  }
  const parsed = /\{[{%]/.test(text) ? undefined : readWritten(written.at().file, text);
  return parsed !== undefined && 'value' in parsed
    ? parsed.value
    : context.draft.refuse(written.child('value'), 'the schema in this text can’t be read', 'write it as a map');
}
