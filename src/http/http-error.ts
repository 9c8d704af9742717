/** An unusable response, or a server that can't be reached. */
export class HttpError extends Error {
  readonly code: 'body-too-large' | 'body-unreadable' | 'broken-off' | 'not-http' | 'proxy';

  constructor(code: HttpError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HttpError';
    this.code = code;
  }
}

/**
 * Describes the error that broke an exchange. Errors of sockets, DNS and TLS keep their codes. `proxy` is the host of a
 * tunnelling proxy, which is named if the tunnel could not be opened.
 */
export function describeSendError(error: Error, proxy: string | undefined): Error {
  if (error instanceof HttpError) return error;
  const code = 'code' in error ? String(error.code) : '';
  if (proxy !== undefined && isTunnelError(error, code)) {
    const status = code === 'UND_ERR_ABORTED' ? /\((\d{3})\)/.exec(error.message)?.[1] : undefined;
    const found = status === undefined ? `can't be used: ${error.message}` : `refused a tunnel with ${status}`;
    return new HttpError('proxy', `the proxy ${proxy} ${found}`, { cause: error });
  }
  const isParserError = error.name === 'HTTPParserError';
  const isEarlyEnd = isParserError && error.message.includes('EOF');
  if (isEarlyEnd || brokenOff.has(code)) {
    // undici calls an answer that it can't place, such as an unasked `100 Continue`, a bad response.
    if (error.message.startsWith('bad ')) return new HttpError('not-http', error.message, { cause: error });
    return new HttpError('broken-off', 'the connection was closed before the whole answer came', { cause: error });
  }
  if (isParserError || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new HttpError('not-http', error.message, { cause: error });
  }
  return error;
}

const brokenOff: ReadonlySet<string> = new Set([
  'UND_ERR_SOCKET',
  'UND_ERR_DESTROYED',
  'UND_ERR_INFO',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

/** Behind a proxy that opens tunnels, the host that is looked up and connected to is the proxy itself. */
function isTunnelError(error: Error, code: string): boolean {
  if (code === 'UND_ERR_ABORTED' || code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_PRX_TLS') return true;
  if (error instanceof AggregateError) {
    return error.errors.some((attempt: unknown) => attempt instanceof Error && isTunnelError(attempt, ''));
  }
  return 'syscall' in error && (error.syscall === 'connect' || error.syscall === 'getaddrinfo');
}
