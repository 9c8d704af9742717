/** A URL may carry `user:password@`: a credential, which says who asks and not what is answered. */
export function withoutUserinfo(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, '$1');
}
