import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Runs a command of node_modules/.bin or of the system in the repository's root, its output streaming through, or to
 * `onOutput` in chunks.
 * @returns {Promise<number>} its exit code; 127 when it cannot be started, 124 when it ran past the limit.
 */
export function run(command, args, limitMs = 0, env = {}, onOutput = undefined) {
  return new Promise((resolve) => {
    const stream = onOutput ? 'pipe' : 'inherit';
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ['ignore', stream, stream],
      env: { ...process.env, ...env, PATH: `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}` },
      shell: process.platform === 'win32',
    });
    child.stdout?.on('data', onOutput);
    child.stderr?.on('data', onOutput);
    let late = false;
    const timer =
      limitMs > 0 &&
      setTimeout(() => {
        late = true;
        child.kill('SIGTERM');
      }, limitMs);
    const settle = (code) => {
      if (timer) clearTimeout(timer);
      resolve(code);
    };
    child.once('error', (error) => {
      console.error(`${command}: ${error.message}`);
      settle(127);
    });
    child.once(onOutput ? 'close' : 'exit', (code, signal) => settle(late ? 124 : (code ?? (signal ? 1 : 0))));
  });
}
