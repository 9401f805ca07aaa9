import { expect, type Page } from '@playwright/test';

export interface ConsoleWatch {
  /** Every console error and warning, uncaught exception and failed request so far. */
  readonly messages: readonly string[];
  /** Fails with the messages when there is any. `allow` names texts that the test provokes on purpose. */
  expectQuiet(allow?: readonly RegExp[]): void;
}

/** Collects what a page complains about, its workers included; call it before the first `goto`. */
export function watchConsole(page: Page): ConsoleWatch {
  const messages: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') messages.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => messages.push(`uncaught: ${error.stack ?? error.message}`));
  page.on('requestfailed', (request) => messages.push(`request failed: ${request.url()} ${request.failure()?.errorText ?? ''}`));
  page.on('response', (response) => {
    if (response.status() >= 400) messages.push(`HTTP ${response.status()}: ${response.url()}`);
  });
  return {
    messages,
    expectQuiet(allow = []) {
      expect(messages.filter((text) => !allow.some((pattern) => pattern.test(text)))).toEqual([]);
    },
  };
}
