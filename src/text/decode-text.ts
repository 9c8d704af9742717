import { isUtf8 } from 'node:buffer';

export interface DecodedText {
  readonly text: string;
  /** Why the text can't be trusted, as the end of a sentence about the body; undefined if every byte was read. */
  readonly fault?: string;
}

/** Reads a body as UTF-8, the encoding of JSON. Other bytes are decoded as well as possible, only for messages. */
export function decodeText(body: Buffer, contentType: string | undefined): DecodedText {
  const charset = findCharset(contentType);
  if (charset !== undefined && !utf8Names.has(charset)) {
    return { text: decodeAs(charset, body), fault: `its charset is ${charset}, not UTF-8` };
  }
  const text = withoutMark(body).toString('utf8');
  return isUtf8(body) ? { text } : { text, fault: 'its bytes are not valid UTF-8' };
}

const utf8Names: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

function findCharset(contentType: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType ?? '')?.[1]?.toLowerCase();
}

function decodeAs(charset: string, body: Buffer): string {
  try {
    return new TextDecoder(charset).decode(body);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return body.toString('utf8');
  }
}

/** Removes a byte order mark, which a JSON parser may ignore (RFC 8259, 8.1). */
function withoutMark(body: Buffer): Buffer {
  return body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;
}

/** A text with a stray percent sign comes back unchanged. */
export function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
