import { hash } from 'node:crypto';

/** The SHA-256 of bytes, or of a text's UTF-8 bytes, as 64 lower-case hex digits. */
export function sha256Hex(text: string | Uint8Array): string {
  // Hashes in one call, which costs half of a hash object for thousands of short texts.
  return hash('sha256', text);
}
