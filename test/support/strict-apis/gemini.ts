import { firstFault, isSame, type Json, objects, type StrictApi, sign, stepAt } from './script.ts';

/**
 * https://ai.google.dev/gemini-api/docs/thought-signatures and …/function-calling. Stricter than Google in one thing: a call that had a
 * signature must come back with it, and not with the placeholder that Google takes too.
 */
export const strictGemini: StrictApi = {
  name: 'Gemini',
  adapter: 'gemini',
  model: 'gemini-3-pro-preview',
  params: {},
  env: (url) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: 'test-key-0123456789' }),
  countAnswers: ({ contents }) => objects(contents).filter(({ role }) => role === 'model').length,
  findFault: (body) => findFault(body, true),
  refuse,
  answer: (step) => answerOf(step, true),
  toldOfError: /"functionResponse":\{"id":"call_b","name":"find_order","response":\{"error":"no such order"\}\}/,
};

/** Vertex AI gives calls no ids, so that results are told apart by their order. */
export const strictVertex: StrictApi = {
  ...strictGemini,
  name: 'Vertex AI',
  adapter: 'vertex',
  env: (url) => ({
    GOOGLE_VERTEX_BASE_URL: url,
    GOOGLE_CLOUD_PROJECT: 'shop',
    GOOGLE_ACCESS_TOKEN: 'test-key-0123456789',
  }),
  findFault: (body) => findFault(body, false),
  answer: (step) => answerOf(step, false),
  toldOfError: /"name":"find_order","response":\{"error":"no such order"\}/,
};

function refuse(message: string): object {
  return { error: { code: 400, message, status: 'INVALID_ARGUMENT' } };
}

function answerOf(step: number, hasIds: boolean): object {
  return {
    candidates: [{ index: 0, finishReason: 'STOP', content: { role: 'model', parts: partsOf(step, hasIds) } }],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
    modelVersion: 'gemini-3-pro-preview',
    responseId: `r${step}`,
  };
}

/** Of calls made at once only the first is signed; a text is signed in an empty part behind it. */
function partsOf(step: number, hasIds: boolean): readonly Json[] {
  const { reasoning, text, calls } = stepAt(step);
  return [
    { text: reasoning, thought: true },
    ...(text === '' ? [] : [{ text }]),
    ...(calls.length === 0 ? [{ text: '', thoughtSignature: sign(reasoning) }] : []),
    ...calls.map(({ id, name, args }, at) => ({
      functionCall: { ...(hasIds ? { id } : {}), name, args },
      ...(at === 0 ? { thoughtSignature: sign(reasoning) } : {}),
    })),
  ];
}

function findFault({ contents }: Json, hasIds: boolean): string | undefined {
  let answers = 0;
  const list = objects(contents);
  // Only the calls since the user's last own words are checked for signatures.
  const start = list.findLastIndex(
    ({ role, parts }) => role === 'user' && objects(parts).some(({ text }) => text !== undefined),
  );
  return firstFault(list, ({ role, parts }, at) => {
    if (role !== (at % 2 === 0 ? 'user' : 'model'))
      return 'Please ensure that multiturn requests alternate between user and model.';
    if (role === 'user') return undefined;
    const given = partsOf(answers, hasIds);
    answers += 1;
    const calls = objects(parts).flatMap(({ functionCall }) =>
      functionCall === undefined ? [] : [functionCall as Json],
    );
    const signatures = (of: readonly Json[]) => of.map(({ thoughtSignature = null }) => thoughtSignature);
    const isChecked = at > start && calls.length > 0;
    if (isChecked && objects(parts).every(({ thoughtSignature }) => thoughtSignature === undefined)) {
      return `Function call is missing a thought_signature in functionCall parts. Function call \`default_api:${String(calls[0]?.['name'])}\`, position ${at + 1}.`;
    }
    const isSigned = objects(parts).some(({ thoughtSignature }) => thoughtSignature !== undefined);
    if (isSigned && !isSame(signatures(objects(parts)), signatures(given))) return 'Thought signature is not valid.';
    return calls.length === 0 ? undefined : findResponseFault(objects(list[at + 1]?.['parts']), calls);
  });
}

function findResponseFault(parts: readonly Json[], calls: readonly Json[]): string | undefined {
  const results = parts.flatMap(({ functionResponse }) =>
    functionResponse === undefined ? [] : [functionResponse as Json],
  );
  const namesOf = (list: readonly Json[]) => list.map(({ id, name }) => ({ id, name }));
  if (results.length !== calls.length) {
    return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
  }
  return isSame(namesOf(results), namesOf(calls))
    ? undefined
    : 'Please ensure that function response parts have the ids and names of the function call parts.';
}
