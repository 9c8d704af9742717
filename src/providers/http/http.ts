import { sha256Hex } from '../../text/sha256.ts';
import { defineHttpAdapter } from '../http-adapter.ts';
import { createHttpFormat } from './format.ts';
import { httpOptions } from './options.ts';

export const http = defineHttpAdapter({
  summary: 'any JSON endpoint: the request by a template, the answer by JSONPath',
  example: 'http:my-app',
  // What is sent, in its order, and what is read decide the answer as much as the model does.
  version: ({ options }) => `http-2:${sha256Hex(JSON.stringify(httpOptions.parse(options))).slice(0, 12)}`,
  options: httpOptions,
  presetOf: () => ({ title: 'a JSON endpoint', exampleModel: 'my-app', priceProvider: 'http' }),
  formatOf: ({ options }) => createHttpFormat(httpOptions.parse(options)),
});
