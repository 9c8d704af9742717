import { firstFault, isSame, type Json, objects, type StrictApi, sign, stepAt } from './script.ts';

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, with the rules of Claude behind it. */
export const strictBedrock: StrictApi = {
  name: 'Bedrock',
  adapter: 'bedrock',
  model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  params: { additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 1024 } } },
  env: (url) => ({
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url,
    AWS_REGION: 'eu-central-1',
    AWS_BEARER_TOKEN_BEDROCK: 'test-key-0123456789',
  }),
  countAnswers: ({ messages }) => objects(messages).filter(({ role }) => role === 'assistant').length,
  findFault,
  refuse: (message) => ({ message }),
  answer: (step) => ({
    output: { message: { role: 'assistant', content: blocksOf(step) } },
    stopReason: stepAt(step).calls.length > 0 ? 'tool_use' : 'end_turn',
    usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 },
  }),
  toldOfError: /"toolUseId":"call_b","content":\[\{"text":"no such order"\}\],"status":"error"/,
};

function blocksOf(step: number): readonly Json[] {
  const { reasoning, text, calls } = stepAt(step);
  return [
    { reasoningContent: { reasoningText: { text: reasoning, signature: sign(reasoning) } } },
    ...(step === 1 ? [{ reasoningContent: { redactedContent: Buffer.from('hidden').toString('base64') } }] : []),
    ...(text === '' ? [] : [{ text }]),
    ...calls.map(({ id, name, args }) => ({ toolUse: { toolUseId: id, name, input: args } })),
  ];
}

function findFault({ messages }: Json): string | undefined {
  let answers = 0;
  return firstFault(objects(messages), ({ role, content }, at) => {
    const blocks = objects(content);
    if (role !== (at % 2 === 0 ? 'user' : 'assistant')) {
      return 'A conversation must alternate between user and assistant roles. Make sure the conversation alternates between user and assistant roles and try again.';
    }
    if (blocks.some(({ text }) => typeof text === 'string' && text.trim() === '')) {
      return `The text field in the ContentBlock object at messages.${at}.content is blank. Add text to the text field, and try again.`;
    }
    if (role === 'user') return undefined;
    const step = answers;
    answers += 1;
    const given = blocksOf(step).filter(isReasoning);
    const sent = blocks.filter(isReasoning);
    const isNeeded = stepAt(step).calls.length > 0;
    if (isNeeded && !isReasoning(blocks[0] ?? {})) {
      return `The model returned the following errors: messages.${at}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`tool_use\`.`;
    }
    if (sent.length > 0 && !isSame(sent, given)) {
      return `The model returned the following errors: messages.${at}.content.0: Invalid \`signature\` in \`thinking\` block`;
    }
    return findResultFault(objects(messages)[at + 1], blocks, at + 1);
  });
}

function isReasoning({ reasoningContent }: Json): boolean {
  return reasoningContent !== undefined;
}

function findResultFault(next: Json | undefined, blocks: readonly Json[], at: number): string | undefined {
  const idOf = (part: unknown) => (part as Json | undefined)?.['toolUseId'];
  const calls = blocks.flatMap(({ toolUse }) => (toolUse === undefined ? [] : [idOf(toolUse)]));
  const results = objects(next?.['content']).flatMap(({ toolResult }) =>
    toolResult === undefined ? [] : [idOf(toolResult)],
  );
  const missing = calls.filter((id) => !results.includes(id));
  if (missing.length > 0)
    return `Expected toolResult blocks at messages.${at}.content for the following Ids: ${missing.join(', ')}`;
  return results.length > calls.length
    ? `The number of toolResult blocks at messages.${at}.content exceeds the number of toolUse blocks of previous turn.`
    : undefined;
}
