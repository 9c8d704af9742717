import { HttpError } from '../../http/http-error.ts';
import type { ProviderFailure } from '../../model/completion.ts';
import { describeText } from './read-api-error.ts';

/** Turns what broke a request on its way into a failure; undefined for anything else, which is then a bug. */
export function classifyError(error: unknown, url: string): ProviderFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  const { host } = new URL(url);
  if (error instanceof HttpError && error.code !== 'broken-off') return classifyHttpError(error, host);
  const code = codeOf(error);
  if (code === undefined || /^(UND_)?ERR_INVALID_/.test(code)) return undefined;
  const hint = hints.find((candidate) => candidate.codes.test(code));
  const said = describeText(error.message === '' ? code : error.message);
  return {
    kind: 'network',
    message: `could not get an answer from ${host}: ${said}${hint === undefined ? '' : ` (${hint.text})`}`,
    ...(hint?.final === true ? { retryable: false } : {}),
  };
}

function classifyHttpError({ code, message }: HttpError, host: string): ProviderFailure {
  if (code === 'proxy') return { kind: 'network', message: `${message} (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)` };
  // Something answered that does not speak HTTP as it should.
  if (code === 'not-http') return { kind: 'malformed', message: `${host} did not answer in HTTP: ${message}` };
  return { kind: 'malformed', message: `${host}: ${message}` };
}

/** An abort by the engine: its own deadline gives a TimeoutError as the reason. */
export function classifyAbort(signal: AbortSignal): ProviderFailure {
  const { reason } = signal;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return { kind: 'timeout', message: reason.message === '' ? 'the time ran out' : describeText(reason.message) };
  }
  return { kind: 'aborted', message: 'stopped before the answer came' };
}

interface Hint {
  readonly codes: RegExp;
  readonly text: string;
  /** True where asking again can't help. */
  readonly final?: true;
}

const hints: readonly Hint[] = [
  { codes: /^ECONNREFUSED$/, text: 'is the server running, and is the port of baseURL right?' },
  { codes: /^(ENOTFOUND|EAI_AGAIN)$/, text: 'the host name was not found: check baseURL, DNS or the proxy variables' },
  {
    codes: /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/,
    text: 'its certificate is not trusted: name your authority with NODE_EXTRA_CA_CERTS',
    final: true,
  },
  { codes: /^ERR_SSL|^EPROTO$/, text: 'no TLS there: is it http:// rather than https://?', final: true },
];

/** A failed attempt on several addresses keeps the codes in the attempts. */
function codeOf(error: Error): string | undefined {
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (!(error instanceof AggregateError)) return undefined;
  const [first]: unknown[] = error.errors;
  return first instanceof Error ? codeOf(first) : undefined;
}
