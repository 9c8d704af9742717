import { describe, expect, it } from 'vitest';
import { findProxy } from '../../src/http/proxy.ts';

function proxyHost(url: string, env: Readonly<Record<string, string>>): string | undefined {
  return findProxy(new URL(url), env)?.url.host;
}

describe('the proxy of a URL', () => {
  it.each<[string, Readonly<Record<string, string>>, string | undefined]>([
    ['https://api.example/', {}, undefined],
    ['https://api.example/', { HTTPS_PROXY: 'http://p:1' }, 'p:1'],
    ['https://api.example/', { HTTPS_PROXY: 'p:1' }, 'p:1'],
    ['https://api.example/', { HTTPS_PROXY: ' ' }, undefined],
    ['https://api.example/', { HTTP_PROXY: 'http://p:1' }, undefined],
    ['http://api.example/', { HTTP_PROXY: 'http://p:1', HTTPS_PROXY: 'http://q:2' }, 'p:1'],
    ['https://api.example/', { https_proxy: 'http://low:1', HTTPS_PROXY: 'http://up:2' }, 'low:1'],
    ['https://api.example/', { https_proxy: '', HTTPS_PROXY: 'http://up:2' }, undefined],
    ['https://api.example/', { ALL_PROXY: 'https://p:1' }, 'p:1'],
    ['https://api.example/', { ALL_PROXY: 'http://all:1', HTTPS_PROXY: 'http://q:2' }, 'q:2'],
  ])('%s with %j is %s', (url, env, expected) => {
    expect(proxyHost(url, env)).toBe(expected);
  });

  it('gets the credentials of its address', () => {
    const headersOf = (address: string) => findProxy(new URL('http://api.example/'), { HTTP_PROXY: address })?.headers;
    const basic = (text: string) => ({ 'proxy-authorization': `Basic ${Buffer.from(text).toString('base64')}` });
    expect(['http://p:1', 'http://me@p:1', 'http://:s@p:1', 'http://me:p%40s@p:1'].map(headersOf)).toEqual([
      {},
      basic('me:'),
      basic(':s'),
      basic('me:p@s'),
    ]);
  });

  it.each(['http://[', 'socks5://p:1', 'http://p:port', 'http://%zz@p:1'])('%s is refused', (address) => {
    expect(() => proxyHost('https://api.example/', { HTTPS_PROXY: address })).toThrow('HTTPS_PROXY (or ALL_PROXY)');
  });

  it.each<[string, string, boolean]>([
    ['https://api.example/', '*', true],
    ['https://api.example/', 'api.example', true],
    ['https://api.example/', 'API.EXAMPLE', true],
    ['https://api.example/', 'example', true],
    ['https://api.example/', '.example', true],
    ['https://api.example/', '*.example', true],
    ['https://notexample/', 'example', false],
    ['https://api.example/', 'api.example:443', true],
    ['https://api.example/', 'api.example:8443', false],
    ['https://api.example:8443/', 'other, api.example:8443', true],
    ['https://10.1.2.3/', '10.0.0.0/8', true],
    ['https://11.1.2.3/', '10.0.0.0/8', false],
    ['https://10.1.2.3/', '10.0.0.0/99', false],
    ['https://[fd00::1]/', 'fd00::/8', true],
    ['https://[::1]/', '::1', true],
    ['https://[::1]:8443/', '[::1]:8443', true],
    ['https://[::1]/', '[::2]', false],
    ['https://api.example/', 'none api.example', true],
    ['http://api.example/', 'api.example:80', true],
    ['https://api.example/', 'api.example:80', false],
    ['https://10.1.2.3/', '10.1.2.3', true],
    ['https://10.1.2.3/', '10.1.2.3/32', true],
    ['https://10.1.2.3/', '10.1.2.4/32', false],
    ['https://10.1.2.3/', '10.0.0.0/33', false],
    ['https://10.1.2.3/', '10.0.0.0/x', false],
    ['https://10.1.2.3/', '::/0', false],
    ['https://[fd00::1]/', 'fd00::1/128', true],
    ['https://[fd00::1]/', 'fd00::/129', false],
    ['https://api.example/', '', false],
    ['https://api.example/', ' , ', false],
  ])('%s under NO_PROXY=%s: passed over is %s', (url, list, isPassedOver) => {
    expect(proxyHost(url, { ALL_PROXY: 'http://p:1', NO_PROXY: list }) === undefined).toBe(isPassedOver);
  });
});
