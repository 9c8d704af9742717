// @module-tag slow
import { appendFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, findBarriers, openBrowser, openWatched } from '../support/open-browser.ts';
import { openRunProject, openView, runIdsOf, splitAfterFirstCell } from '../support/open-view.ts';

if (chromiumPath === undefined) console.warn('skipped: there is no Chromium here (apt-get install chromium)');

describe.skipIf(chromiumPath === undefined)('llmcheck view in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  for (const [width, colorScheme, tags] of [
    [1280, 'light', []],
    [400, 'dark', ['slow']],
  ] as const) {
    test(`leads from the list of runs to one of them and to two compared at ${width} px, ${colorScheme}`, {
      tags: [...tags],
    }, async () => {
      const project = await openRunProject(3);
      const [first = '', , last = ''] = runIdsOf(project);
      const view = await openView(project);
      const { page, noise, requests } = await openWatched(browser, { width, colorScheme });
      await page.goto(view.address.href);
      await page.getByRole('link', { name: last }).waitFor();
      expect(page.url()).toBe(`${view.address.origin}/`);
      // A run that failed is not a green "complete".
      const row = page.locator('.runs tbody tr').first();
      await row.locator('.status.bad').getByText('failed').waitFor();
      expect(await row.innerText()).toContain('1 of 2 echo cases fails');
      expect(await row.innerText()).toContain('compared with nothing');
      expect(await row.innerText()).not.toContain('complete');
      expect(await findBarriers(page)).toEqual([]);
      await page.getByRole('link', { name: last }).click();
      await page.getByRole('heading', { level: 1, name: /Failed/ }).waitFor();
      expect(await page.getByText('3 runs: from 50.0 % to 50.0 %').count()).toBe(2);
      await page.locator('.entry h3 a').first().click();
      await page.getByText('Say: red').waitFor();
      expect(await findBarriers(page)).toEqual([]);
      await page.getByRole('link', { name: 'Runs' }).click();
      await page.getByLabel(`${first} as the baseline`).check();
      await page.getByLabel(`${last} as the candidate`).check();
      await page.getByRole('button', { name: 'Compare' }).click();
      await page.locator('.comparisons').getByText(`run ${first}`).waitFor();
      expect(await findBarriers(page)).toEqual([]);
      expect(noise).toEqual([]);
      expect(requests.filter((url) => !url.startsWith(view.address.origin) && !url.startsWith('data:'))).toEqual([]);
      await page.close();
    });
  }

  test('shows the page of an address that changes while the first one is drawn', async () => {
    const project = await openRunProject(1);
    const [id = ''] = runIdsOf(project);
    const view = await openView(project);
    const { page } = await openWatched(browser, { width: 1280, colorScheme: 'light' });
    // No frame is drawn, as on a busy machine, before the address changes.
    await page.addInitScript(`requestAnimationFrame = () => 0;
      document.addEventListener('DOMContentLoaded', () => { location.hash = '#/run/${id}/'; });`);
    await page.goto(view.address.href);
    await page.getByRole('heading', { level: 1, name: /Failed/ }).waitFor();
    expect(page.url()).toContain(`#/run/${id}/`);
    await page.close();
  });

  test('follows a run as its record grows', async () => {
    const project = await openRunProject(1);
    const [id = ''] = runIdsOf(project);
    const other = id.replace(/\w{4}$/, 'ffff');
    const [begun, rest] = splitAfterFirstCell(project.read(`.llmcheck/runs/${id}.jsonl`).replaceAll(id, other));
    project.write(`.llmcheck/runs/${other}.jsonl`, begun);
    const view = await openView(project);
    const { page, noise } = await openWatched(browser, { width: 1280, colorScheme: 'light' });
    const isListening = page.waitForResponse((response) => response.url().endsWith('/api/events'));
    await page.goto(view.address.href);
    await page.goto(`${view.address.origin}/#/run/${other}/`);
    await isListening;
    await page.getByText('1 of 2 cells so far').waitFor();
    await page.getByRole('link', { name: 'Cases', exact: true }).click();
    await page.locator('.matrix td a').click();
    await page.getByText('Say: green').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    appendFileSync(project.path(`.llmcheck/runs/${other}.jsonl`), rest);
    await page.getByRole('heading', { level: 1, name: /Failed/ }).waitFor();
    // The details of the new case are in the block that was read before.
    await page.locator('.entry h3 a').click();
    await page.getByText('Say: red').waitFor();
    expect(noise).toEqual([]);
    await page.close();
  });
});
