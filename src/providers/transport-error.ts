/** The bytes that came are no usable answer, or the way to the server can't be taken. */
export class TransportError extends Error {
  readonly code: 'body-too-large' | 'body-unreadable' | 'proxy';

  constructor(code: TransportError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TransportError';
    this.code = code;
  }
}
